"""
What Prometheus reads. Owns the names of the figures.

Each process counts for itself. With several in one container, PROMETHEUS_MULTIPROC_DIR names
a folder that they share, and any of them answers for all: gauges are then sums over the
processes that live, and the lowest one where it is a version or a yes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatapp.llm import Answer

_SHARED = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "chatapp_request_seconds",
            "Requests, and the time until their answer had been sent.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._answers = Counter(
            "chatapp_answers",
            "Answers that were asked of a model.",
            ("provider", "model", "task", "outcome"),
            registry=self._registry,
        )
        self._tokens = Counter(
            "chatapp_tokens",
            "Tokens that models took in and gave.",
            ("provider", "model", "kind"),
            registry=self._registry,
        )
        self._cost = Counter(
            "chatapp_cost_usd",
            "What answers cost, in USD.",
            ("provider", "model"),
            registry=self._registry,
        )

        self._first_token = Histogram(
            "chatapp_first_token_seconds",
            "Answers, and the time until their first piece had come.",
            ("provider", "model"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._log_ins = Counter(
            "chatapp_log_ins",
            "Log-ins whose password was looked at.",
            ("outcome",),
            registry=self._registry,
        )
        self._connections = Gauge(
            "chatapp_pool_connections",
            "Connections to the database: how many there may be, are, and are free.",
            ("state",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._waiting = Gauge(
            "chatapp_pool_waiting",
            "Requests that wait for a connection.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._schema = Gauge(
            "chatapp_schema_version",
            "The version of the database's schema; -1 while it is unknown, 0 for none.",
            registry=self._registry,
            multiprocess_mode="livemin",
        )
        self._ready = Gauge(
            "chatapp_ready",
            "Whether the schema is one that this build works with.",
            registry=self._registry,
            multiprocess_mode="livemin",
        )

    def answered(self, answer: Answer, task: str, outcome: str = "answered") -> None:
        """Count an answer that is complete or was stopped."""
        of = (answer.offer.provider, answer.offer.model)
        self._answers.labels(*of, task, outcome).inc()
        self._first_token.labels(*of).observe(answer.latency_ms / 1000)
        self.paid(answer)

    def paid(self, answer: Answer) -> None:
        """Count the tokens and cost of an answer."""
        of = (answer.offer.provider, answer.offer.model)
        self._tokens.labels(*of, "prompt").inc(answer.ending.prompt_tokens or 0)
        self._tokens.labels(*of, "completion").inc(answer.ending.completion_tokens or 0)
        self._cost.labels(*of).inc(float(answer.cost_usd or 0))

    def failed(self, provider: str, model: str, task: str, trouble: str) -> None:
        """Count a failed answer."""
        self._answers.labels(provider, model, task, trouble).inc()

    def log_in(self, *, succeeded: bool) -> None:
        """Count a log-in."""
        self._log_ins.labels("succeeded" if succeeded else "refused").inc()

    def gauge(self, pool: Mapping[str, int], version: int | None, *, ready: bool) -> None:
        """
        Set the gauges.

        Args:
            pool: the pool's statistics.
            version: the schema's; None where it is not known.
            ready: whether the service works with it.
        """
        for state, name in (
            ("most", "pool_max"),
            ("open", "pool_size"),
            ("free", "pool_available"),
        ):
            self._connections.labels(state).set(pool.get(name, 0))
        self._waiting.set(pool.get("requests_waiting", 0))
        self._schema.set(-1 if version is None else version)
        self._ready.set(ready)

    def end(self) -> None:
        """Remove this process's gauges from the shared ones."""
        if _SHARED in os.environ:
            mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        if _SHARED not in os.environ:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)
