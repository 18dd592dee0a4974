"""Migration files: their names, how they are read, and how new ones are created."""

from rung.source.create import create_pair
from rung.source.model import MAX_VERSION, Direction, Migration, MigrationFile, MigrationSet
from rung.source.reader import read_source

__all__ = [
    "MAX_VERSION",
    "Direction",
    "Migration",
    "MigrationFile",
    "MigrationSet",
    "create_pair",
    "read_source",
]
