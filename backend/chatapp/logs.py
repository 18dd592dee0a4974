"""
Logs as lines of JSON on stderr. Owns their form, and that no secret gets into them.

What is written of a request is its method, its route, its status and its time: no query, no
header, no body. What loggers add as `extra` is written beside the message, and the request's id
on every line that is written while it is answered.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered; what it starts takes it along."""


class JsonFormatter(logging.Formatter):
    """A record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        request = request_id.get()
        facts = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({} if request is None else {"request": request}),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return json.dumps(facts, ensure_ascii=False, default=str)


def configuration(level: str) -> dict[str, Any]:
    """
    What `logging.config.dictConfig` and uvicorn's `log_config` take.

    uvicorn's own line for each request is left out: ours says more, and no query.
    """
    quiet = {"level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {"uvicorn.access": quiet, "httpx2": quiet, "openai": quiet},
    }
