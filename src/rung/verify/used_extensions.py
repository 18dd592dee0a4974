"""Find the extensions that files use and create nowhere, by names that only they have. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rung.source import MigrationSet

_NAMES = {
    "citext": r"citext",
    "fuzzystrmatch": r"levenshtein\w*|d?metaphone",
    "hstore": r"hstore",
    "ltree": r"ltree|lquery",
    "pg_trgm": r"gi(?:n|st)_trgm_ops|word_similarity",
    "pgcrypto": r"gen_random_bytes|gen_salt|pgp_(?:sym|pub)_(?:en|de)crypt\w*",
    "tablefunc": r"crosstab\w*",
    "unaccent": r"unaccent",
    "uuid-ossp": r"uuid_generate_v\d\w*|uuid_nil",
}
"""Extensions of PostgreSQL's own that an owner of a database may create."""
_CREATES = r'\bEXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?{}\b'
_DEFINES = r'\b(?:FUNCTION|TYPE|DOMAIN|TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\w+\.)?"?(?:{})\b'
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def extensions_not_created(migrations: MigrationSet) -> tuple[str, ...]:
    """
    Return the extensions whose functions or types some up file uses, and no file creates.

    Args:
        migrations: the whole source; what a file defines itself under such a name is its own.
    """
    ups = (one.up.text for one in migrations.migrations if one.up is not None)
    text = "\n".join(_COMMENTS.sub(" ", up) for up in ups)

    def has(pattern: str, what: str) -> bool:
        return bool(re.search(pattern.format(what), text, re.IGNORECASE))

    return tuple(
        extension
        for extension, names in _NAMES.items()
        if has(r"\b(?:{})\b", names) and not has(_CREATES, extension) and not has(_DEFINES, names)
    )
