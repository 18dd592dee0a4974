"""
Represent a database's schema as values that can be compared and stored. Pure.

A driver decides which objects there are and what their text is. This package knows only that an
identity has a text.
"""

from rung.snapshot.diff import (
    Difference,
    DiffNode,
    diff_tree,
    differences,
    in_words,
    possible_renames,
)
from rung.snapshot.model import Aspect, SchemaObject, Snapshot, Stamp, aspect_of

__all__ = [
    "Aspect",
    "DiffNode",
    "Difference",
    "SchemaObject",
    "Snapshot",
    "Stamp",
    "aspect_of",
    "diff_tree",
    "differences",
    "in_words",
    "possible_renames",
]
