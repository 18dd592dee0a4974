"""
Represent a database's schema as values that can be compared and stored. Pure.

A driver decides which objects there are and what their text is. This package knows only that an
identity has a text.
"""

from rung.snapshot.differences import Difference, differences, in_words
from rung.snapshot.model import Snapshot

__all__ = ["Difference", "Snapshot", "differences", "in_words"]
