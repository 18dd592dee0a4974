"""URLs as Go takes them apart, and what is said of those that it refuses."""

from __future__ import annotations

import pytest
from tests.unit.gostd.recordings import recorded

from rung.golang_migrate.gostd.urls import Url, UrlRefused, parse

TAKEN = recorded("urls_taken")


def parts(url: Url) -> dict[str, str]:
    """The parts of a URL that are not empty."""
    named = url.authority
    found = {
        "scheme": url.scheme,
        "opaque": url.opaque,
        "user": (named and named.user) or "",
        "password": (named and named.password) or "",
        "host": url.host,
        "path": url.path,
        "query": url.query or "",
    }
    return {part: text for part, text in found.items() if text}


def test_taken() -> None:
    """Every part, decoded where Go decodes it."""
    assert [(row[0], parts(parse(row[0]))) for row in TAKEN] == [(row[0], row[1]) for row in TAKEN]


def may_be_a_password(url: str, said: str) -> bool:
    """Whether Go shows a port that is none, of a URL that may have been cut before its `@`."""
    kept = url.lower().startswith("file:") or "[" in url.partition("://")[2].partition("/")[0]
    return "invalid port" in said and "@" not in url and not kept


OPEN = [row for row in recorded("urls_refused") if not may_be_a_password(*row)]


def error_of(url: str) -> str:
    """What is said of a URL that is refused."""
    try:
        return repr(parse(url))
    except UrlRefused as error:
        return str(error)


def test_refused() -> None:
    """Go's sentence, to the letter, for URLs that can hold no secret."""
    assert [[url, error_of(url)] for url, _ in OPEN] == OPEN


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgres://u:s3cret@h:abc/db",
            'parse "postgres://u:xxxxx@h:abc/db": invalid port ":abc" after host',
        ),
        ("postgres://u:s3%zz@h/d", 'parse "postgres://u:xxxxx@h/d": invalid URL escape "xxxxx"'),
        ("postgres://u%zz:s3@h/d", 'parse "postgres://u%zz:xxxxx@h/d": invalid URL escape "%zz"'),
        ("postgres://u:s3#c@h/d", 'parse "postgres://u:xxxxx": invalid port "xxxxx" after host'),
        ("postgres://u:s3/c@h", 'parse "postgres://u:xxxxx@h": invalid port "xxxxx" after host'),
        ("postgres://u:s3?c@h", 'parse "postgres://u:xxxxx@h": invalid port "xxxxx" after host'),
        ("postgres://u:s3 c@h", 'parse "postgres://u:xxxxx@h": net/url: invalid userinfo'),
        ("postgres://u:[s3]/@h", 'parse "postgres://u:xxxxx@h": invalid IP-literal'),
        (
            "postgres://[s3:cr]/t@h",
            (
                'parse "postgres://[s3:xxxxx@h": invalid host: ParseAddr("xxxxx"): '
                'each colon-separated field must have at least one digit (at "xxxxx")'
            ),
        ),
        (
            "postgres://h:x/d?password=s3cret&sslmode=disable",
            (
                'parse "postgres://h:xxxxx/d?password=xxxxx&sslmode=disable": '
                'invalid port "xxxxx" after host'
            ),
        ),
        ("postgres://ada:s3cret", 'parse "postgres://ada:xxxxx": invalid port "xxxxx" after host'),
        ("postgres://h:abc/db", 'parse "postgres://h:xxxxx/db": invalid port "xxxxx" after host'),
        (
            "postgres://h/d?password=a#s3%zz",
            'parse "postgres://h/d?password=xxxxx": invalid URL escape "xxxxx"',
        ),
        ("a\nb:s3@h", 'parse "a\\nb:xxxxx@h": net/url: invalid control character in URL'),
    ],
)
def test_no_secret_is_told(url: str, said: str) -> None:
    """Neither the URL nor the piece that is wrong shows what may be a password."""
    with pytest.raises(UrlRefused) as caught:
        parse(url)

    assert said == str(caught.value)


def test_no_secret_in_a_repr() -> None:
    """The parts can be logged by accident."""
    url = parse("postgres://u:s3cret@h/d?password=s3cret")

    assert (repr(url), repr(url.authority)) == ("Url(postgres:***)", "Authority(h)")
