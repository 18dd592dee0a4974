"""
What Prometheus reads. Owns the names of the figures.

Each process counts for itself. With several in one container, PROMETHEUS_MULTIPROC_DIR names
a folder that they share, and any of them answers for all.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from chatapp.models import Answer

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

    def answered(self, answer: Answer, task: str) -> None:
        """Count an answer that came whole."""
        of = (answer.offer.provider, answer.offer.model)
        self._answers.labels(*of, task, "answered").inc()
        self._tokens.labels(*of, "prompt").inc(answer.ending.prompt_tokens or 0)
        self._tokens.labels(*of, "completion").inc(answer.ending.completion_tokens or 0)
        self._cost.labels(*of).inc(float(answer.cost_usd or 0))

    def failed(self, provider: str, model: str, task: str, trouble: str) -> None:
        """Count an answer that did not come."""
        self._answers.labels(provider, model, task, trouble).inc()

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        if _SHARED not in os.environ:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)
