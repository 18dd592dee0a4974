"""Which scripts need a session of their own for all that they hold."""

from __future__ import annotations

import pytest

from rung.script import needs_session, read


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (); SET search_path = s;",
        "BEGIN; SET work_mem = '1MB'; COMMIT;",
        "VACUUM;",
        "DO $$BEGIN END$$; VACUUM;",
        "BEGIN; SET LOCAL work_mem = '1MB'; COMMIT; BEGIN; COMMIT;",
    ],
)
def test_those_that_do_not(text: str) -> None:
    """One transaction is one session, and SET LOCAL ends with it."""
    assert needs_session(read(text)) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SET work_mem = '1MB';\nVACUUM;", "statement 1 (line 1) changes the session"),
        ("VACUUM;\nCREATE TEMP TABLE t ();", "statement 2 (line 2) changes the session"),
    ],
)
def test_those_that_do(text: str, why: str) -> None:
    """The statement is named, and what is the matter with it."""
    assert needs_session(read(text)).startswith(why)


def test_settings_of_ours() -> None:
    """They do not reach a statement outside a transaction."""
    why = needs_session(read("SELECT 1; VACUUM;"), ("search_path", "role"))

    assert why == (
        "statement 2 (line 1) runs outside a transaction, without our settings (search_path, role)"
    )
    assert needs_session(read("SELECT 1;"), ("role",)) == ""
