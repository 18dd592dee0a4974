"""What is applied, by the history and the ledger, and which files were edited since. Pure."""

from rung.applied.account import Applied, AppliedVersion, KeptHalf, replay, settle, strangers
from rung.applied.edits import Edit, differences, edits, is_kept

__all__ = [
    "Applied",
    "AppliedVersion",
    "Edit",
    "KeptHalf",
    "differences",
    "edits",
    "is_kept",
    "replay",
    "settle",
    "strangers",
]
