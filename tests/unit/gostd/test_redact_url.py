"""URLs in messages: what is a password, and what may be one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.golang_migrate.gostd.redact_url import redacted_url
from rung.golang_migrate.gostd.urls import UrlRefused, parse


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:s3cret@h/db", "postgres://u:xxxxx@h/db"),
        ("postgres://:s3cret@h/db", "postgres://:xxxxx@h/db"),
        ("//u:s3cret@h", "//u:xxxxx@h"),
        ("postgres://u:s3@cr/et?x#y@h/db", "postgres://u:xxxxx@h/db"),
        ("postgres://u:s3cret@h/db?user=a@b", "postgres://u:xxxxx@b"),
        ("postgres://h:5432/db?user=a@b", "postgres://h:xxxxx@b"),
        ("postgres://u%3As3cret@h/db", "postgres://xxxxx@h/db"),
        ("postgres:u:s3cret@h", "postgres:xxxxx@h"),
        ("postgres:/u:s3cret@h", "postgres:xxxxx@h"),
        ("u:s3cret@tcp(h)/db", "u:xxxxx@tcp(h)/db"),
        ("s3cret@h", "xxxxx@h"),
        (
            "postgres://h/db?password=s3&x=1&sslpassword=s4",
            "postgres://h/db?password=xxxxx&x=1&sslpassword=xxxxx",
        ),
        ("postgres://h/db?pass%77ord=s3", "postgres://h/db?pass%77ord=xxxxx"),
        ("postgres:host=h password='s 3'", "postgres:host=h password=xxxxx"),
    ],
)
def test_hidden(url: str, expected: str) -> None:
    """The password; where it is not certain where it ends, all that may be it."""
    assert expected == redacted_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file://migrations",
        "file:///srv/node_modules/@scope/x",
        "file://./a:b@c",
        "postgres://u@h:5432/db",
        "postgres://h/db?user=a@b",
        "postgres://u:@h/db",
        "pgx5://h1:1,h2:2/db?sslmode=disable#x",
    ],
)
def test_shown(url: str) -> None:
    """Without a password a URL stays as it is."""
    assert url == redacted_url(url)


PIECES = st.lists(st.sampled_from(["QZ", "ZQ", *"/?#@:%[] &=\\\n;", "%zz", "é", "://"]), min_size=1)
PLACES = ["h", "h:x", "[::1]", "", "h/d", "h/d?user=a@b", "h/a@b#c@d", "h h", "{"]


@given(
    st.sampled_from(["postgres://", "file://", "x:/", "//", "y:"]), PIECES, st.sampled_from(PLACES)
)
@settings(max_examples=500)
def test_whatever_the_password(scheme: str, pieces: list[str], place: str) -> None:
    """No two letters of a password are shown, wherever it breaks its URL."""
    url = f"{scheme}user:{''.join(pieces)}@{place}"
    shown = redacted_url(url)
    try:
        parse(url)
    except UrlRefused as error:
        shown += str(error)

    assert "QZ" not in shown
    assert "ZQ" not in shown
