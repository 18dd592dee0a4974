"""Migration files: their names, their reading, and the making of new ones."""

from rung.migrations.create import create_pair
from rung.migrations.model import MAX_VERSION, Direction, Half, Migration, MigrationSet
from rung.migrations.source import read_source

__all__ = [
    "MAX_VERSION",
    "Direction",
    "Half",
    "Migration",
    "MigrationSet",
    "create_pair",
    "read_source",
]
