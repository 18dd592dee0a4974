"""
A database's schema as values that can be compared, kept and told apart. Pure.

What objects there are and how their text reads is a driver's matter; what stands here knows
only that an identity has a text.
"""

from rung.snapshot.differences import Difference, differences, in_words
from rung.snapshot.model import Snapshot

__all__ = ["Difference", "Snapshot", "differences", "in_words"]
