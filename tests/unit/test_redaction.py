"""What is a secret in a text about a connection, and what is left of it."""

from __future__ import annotations

import pytest

from rung.redaction import redacted_text, secrets_in


@pytest.mark.parametrize(
    ("database", "secrets"),
    [
        ("postgresql://me:s3cret@db/chat", {"s3cret"}),
        ("postgresql://me:s3%40ret@db/chat", {"s3%40ret", "s3@ret"}),
        ("postgresql://me:my s3cret?x@db", {"my s3cret?x"}),
        ("postgresql://me:s3@cret@db/chat", {"s3", "s3@cret"}),
        ("postgresql://me:a/b@db/chat", {"a/b"}),
        ("host=db password=s3cret", {"s3cret"}),
        ("host=db password = 's3 cret' sslpassword=other", {"s3 cret", "other"}),
        ("postgresql://db/chat?password=s3cret&sslmode=require", {"s3cret"}),
        ("postgresql://me@db/chat?user=a@b", set()),
        ("host=db", set()),
    ],
)
def test_secrets(database: str, secrets: set[str]) -> None:
    """As they are written and decoded; of a malformed URL, all that may be one."""
    assert secrets_in(database) == secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no: hunter22", "no: ***"),
        ("no: xhunter22x p%40ssword p@ssword", "no: x***x *** ***"),
        ("FATAL: main is not main.py", "FATAL: main is not main.py"),
        ("user bob, role postgres", "user bob, role postgres"),
        ("database postgresql://u:x@y@h/d is no", "database postgresql://u:***@h/d is no"),
        ("host=h password='a b' sslpassword=c", "host=h password='***' sslpassword=***"),
        ("SET password='x', user_id = 3", "SET password='x', user_id = 3"),
        ("nothing here", "nothing here"),
    ],
)
def test_masked(text: str, expected: str) -> None:
    """Known ones wherever they stand; short, common ones and names only in their place."""
    secrets = ["hunter22", "p@ssword", "main", "postgres", "bob", "", None]

    assert redacted_text(text, secrets) == expected
