"""Every kind of dirty database that `repair` is tried on, each made for real."""

from __future__ import annotations

from tests.repair_cases import golang, ours

CASES = (*golang.CASES, *ours.CASES)
