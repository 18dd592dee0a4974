"""The sets of migrations that are certified here."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent / "sets"

SETS = {
    "the seven": str(Path(__file__).parents[2] / "backend" / "migrations"),
    "no transaction": str(_HERE / "no_transaction"),
    "own transactions": str(_HERE / "own_transactions"),
}
"""The chat service's; files with statements that refuse a transaction; files with their own."""
