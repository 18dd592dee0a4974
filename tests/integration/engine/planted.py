"""Migrations with a secret in them, in every form and with every end that a run can have."""

from __future__ import annotations

from typing import NamedTuple

SECRET = "zq7-Hunter'x\\2"
"""Has what each kind of literal spells in its own way."""
_PLAIN = SECRET.replace("'", "''")
_ESCAPED = SECRET.replace("\\", "\\\\").replace("'", "\\'")
_UNICODE = _PLAIN.replace("\\", "\\\\").replace("x", "\\0078")
_TWICE = _PLAIN.replace("'", "''")

GOOD = {
    "plain": f"CREATE USER planted PASSWORD '{_PLAIN}';",
    "escaped": f"CREATE USER planted WITH ENCRYPTED PASSWORD E'{_ESCAPED}';",
    "unicode": f"CREATE USER planted PASSWORD U&'{_UNICODE}';",
    "dollar": f"CREATE USER planted PASSWORD $x${SECRET}$x$;",
    "lines": f"CREATE USER planted PASSWORD 'zq7-Hunter'\n  '{_PLAIN}';",
    "block": f"DO $$ BEGIN CREATE USER planted PASSWORD '{_PLAIN}'; END $$;",
    "quoted-block": f"DO 'BEGIN CREATE USER planted PASSWORD ''{_TWICE}''; END';",
    "executed": f"DO $$ BEGIN EXECUTE 'CREATE USER planted PASSWORD ''{_TWICE}'''; END $$;",
    "formatted": (
        f"DO $$ BEGIN EXECUTE format('CREATE USER %I PASSWORD %L', 'planted', '{_PLAIN}'); END $$;"
    ),
    "function": (
        "CREATE FUNCTION planted() RETURNS void LANGUAGE plpgsql AS "
        f"'BEGIN CREATE USER planted PASSWORD ''{_TWICE}''; END'; SELECT planted();"
    ),
    "server": (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w "
        f"OPTIONS (token '{_PLAIN}');"
        f"CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'ada', password '{_PLAIN}');"
        f"ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET password '{_PLAIN}');"
    ),
    "subscription": (
        f"CREATE SUBSCRIPTION planted CONNECTION 'host=h password={_TWICE[:10]}' "
        "PUBLICATION p WITH (connect = false, slot_name = NONE);"
    ),
    "notice": (
        f"CREATE USER planted PASSWORD '{_PLAIN}';"
        f"DO $$ BEGIN RAISE WARNING 'made with %', '{_PLAIN}'; END $$;"
    ),
    "units": f"CREATE USER planted PASSWORD '{_PLAIN}'; VACUUM;",
    "own transaction": f"BEGIN; CREATE USER planted PASSWORD '{_PLAIN}'; COMMIT;",
}

_DEFERRED = f"""
CREATE TABLE t (x text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'no % here', NEW.x USING DETAIL = NEW.x, HINT = NEW.x; END $$;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER USER postgres PASSWORD '{_PLAIN}';
INSERT INTO t VALUES ('{_PLAIN}');
"""
_LONG = _PLAIN * 9

BAD = {
    "at the literal": f"CREATE USER planted PASSWORD 'x' '{_PLAIN}';",
    "behind the literal": f"CREATE USER planted PASSWORD '{_PLAIN}' BOGUS;",
    "literal with escapes": f"ALTER USER nobody PASSWORD E'{_ESCAPED}';",
    "second line of it": f"CREATE USER planted PASSWORD 'zq7-Hunter'\n '{_PLAIN}' 'y' BOGUS;",
    "misspelt": f"CREATE USER planted PASWORD '{_PLAIN}';",
    "in a block": f"DO $$ BEGIN ALTER USER nobody PASSWORD '{_PLAIN}'; END $$;",
    "in a string": f"DO $$ BEGIN EXECUTE 'ALTER USER nobody PASSWORD ''{_TWICE}'''; END $$;",
    "in a format": (
        f"DO $$ BEGIN EXECUTE format('ALTER USER nobody PASSWORD %L', '{_PLAIN}'); END $$;"
    ),
    "open in a block": f"DO $$ BEGIN CREATE USER planted PASSWORD '{SECRET[:10]}; END $$;",
    "open in a string": f"DO $$ BEGIN EXECUTE 'ALTER USER u PASSWORD ''{_TWICE}'; END $$;",
    "open in the file": f"CREATE USER planted PASSWORD '{_PLAIN};",
    "at COMMIT": _DEFERRED,
    "at a COMMIT of its own": f"BEGIN;{_DEFERRED}COMMIT;",
    "in a unit": f"VACUUM; CREATE USER planted PASSWORD '{_PLAIN}' BOGUS;",
    "in a unit's block": f"VACUUM; DO $$ BEGIN ALTER USER nobody PASSWORD '{_PLAIN}'; END $$;",
    "in a connection": (
        "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hello zq7-Hunter' PUBLICATION p;"
    ),
    "in a connection's URL": (
        "CREATE SUBSCRIPTION s CONNECTION 'postgresql://ada:pw/zq7-Hunter@h/d' PUBLICATION p;"
    ),
    "in options": (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w "
        f"OPTIONS (token '{_PLAIN}', token '{_PLAIN}');"
    ),
    "in a row": (
        "CREATE TABLE users (password text CHECK (password = ''));"
        "INSERT INTO users VALUES ('');"
        f"UPDATE users SET password = '{_LONG}';"
    ),
}
"""Each ends in an error, many of them with the secret in what the server says."""


class Found(NamedTuple):
    """A line with a piece of the secret, and where it was printed."""

    where: str
    line: str


def leaks(told: dict[str, str]) -> list[Found]:
    """The lines that have a piece of the secret in them."""
    return [
        Found(where, line)
        for where, text in told.items()
        for line in text.splitlines()
        if "zq7" in line or "Hunter" in line
    ]
