"""The names that a database must have where it is at a version, by what its files make. Pure."""

from rung.expected.model import COLUMN, RELATION, TYPE, Expected, ExpectedName, NotRead
from rung.expected.reading import expected_names, used_by

__all__ = [
    "COLUMN",
    "RELATION",
    "TYPE",
    "Expected",
    "ExpectedName",
    "NotRead",
    "expected_names",
    "used_by",
]
