"""What is applied, by the history and the ledger, and which files were edited since. Pure."""

from rung.applied.account import (
    Applied,
    AppliedVersion,
    KeptHalf,
    described,
    is_lone_down,
    replay,
    settle,
    strangers,
)
from rung.applied.downs import (
    EMPTY,
    NOT_REVERTED,
    STRICT,
    DownChoice,
    DownOptions,
    StoredDown,
    StoredSql,
    choose_down,
)
from rung.applied.edits import (
    Edit,
    Renamed,
    differences,
    edits,
    is_kept,
    is_proven,
    renamed,
    uncompared,
)

__all__ = [
    "EMPTY",
    "NOT_REVERTED",
    "STRICT",
    "Applied",
    "AppliedVersion",
    "DownChoice",
    "DownOptions",
    "Edit",
    "KeptHalf",
    "Renamed",
    "StoredDown",
    "StoredSql",
    "choose_down",
    "described",
    "differences",
    "edits",
    "is_kept",
    "is_lone_down",
    "is_proven",
    "renamed",
    "replay",
    "settle",
    "strangers",
    "uncompared",
]
