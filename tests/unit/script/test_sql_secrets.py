"""What of a script is a secret, and how the script is shown without it."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.errors import ScriptError
from rung.script import read, redacted_sql, secrets_of, without_passwords

HIDDEN = [
    "CREATE USER u PASSWORD 'hunter-2';",
    "ALTER ROLE u WITH ENCRYPTED PASSWORD E'hunter\\'2' VALID UNTIL '2030-01-01';",
    "CREATE USER u UNENCRYPTED PASSWORD 'hunter2';",
    "CREATE USER u WITH PASWORD 'hunter2' VALID UNTIL 'infinity';",
    "CREATE USER u PASSWORD U&'hunter\\00322';",
    "CREATE USER u PASSWORD $$hunter'2$$;",
    "CREATE USER u PASSWORD $a$hunter2$a$;",
    "CREATE USER u PASSWORD 'hunt'\n  'er2';",
    "CREATE USER u\nPASSWORD -- as agreed\n/* with Ada */ 'hunter''2';",
    "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'hunter2', port 'hunter2');",
    "ALTER SERVER s OPTIONS (SET host 'hunter2', ADD secret 'hunter2');",
    "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'hunter2', password 'hunter2');",
    "CREATE USER MAPPING IF NOT EXISTS FOR u SERVER s OPTIONS (token 'hunter2');",
    "ALTER USER MAPPING FOR u SERVER s OPTIONS (SET \"password\" 'hunter2');",
    "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p;",
    "ALTER SUBSCRIPTION s CONNECTION 'postgresql://u:hunter2@h/d';",
    "DO $$ BEGIN CREATE USER u PASSWORD 'hunter2'; END $$;",
    "DO 'BEGIN CREATE USER u PASSWORD ''hunter2''; END';",
    "DO $a$ BEGIN EXECUTE $b$ CREATE USER u PASSWORD 'hunter2' $b$; END $a$;",
    "DO $$ BEGIN EXECUTE 'CREATE USER u PASSWORD ''hunter2'''; END $$;",
    "DO 'BEGIN EXECUTE ''CREATE USER u PASSWORD ''''hunter2''''''; END';",
    "DO E'BEGIN\\n CREATE USER u PASSWORD \\'hunter2\\'; END';",
    "DO $$ BEGIN EXECUTE format('CREATE USER %I PASSWORD %L', 'u', 'hunter2'); END $$;",
    "DO $$ BEGIN EXECUTE format('ALTER USER u PASSWORD ''%s''', 'hunter2'); END $$;",
    "DO $$ BEGIN EXECUTE 'ALTER USER u PASSWORD ' || quote_literal('hunter2'); END $$;",
    "DO $$ BEGIN EXECUTE 'ALTER USER u PASSWORD ''' || 'hunter2' || ''''; END $$;",
    "DO $$ DECLARE a_password text := 'hunter2'; BEGIN NULL; END $$;",
    "SELECT f(user_password => 'hunter2');",
    "UPDATE users SET password = 'hunter2';",
    "ALTER ROLE u SET app.password TO 'hunter2';",
    "SELECT dblink_connect('c', 'host=h user=u password=hunter2');",
    "SELECT dblink_connect('host=h sslpassword = ''hunter2''');",
    "SELECT dblink_connect('postgresql://u:hunter2@h/d'); -- postgres://u:hunter2@h/d",
    "SELECT dblink_connect('postgres://h/d?user=u&password=hunter2&sslmode=disable');",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT g(pwd => 'hunter2'); END;",
]
SHOWN = [
    "INSERT INTO help VALUES ('reset your password', 'Click here');",
    "COMMENT ON COLUMN users.password IS 'Its hash';",
    "CREATE TABLE users (password text DEFAULT 'none', name text);",
    "CREATE USER u PASSWORD NULL; SELECT 'plain';",
    "CREATE USER u VALID UNTIL 'infinity'; ALTER ROLE u SET timezone = 'UTC';",
    "CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (table_name 'orders');",
    "INSERT INTO links VALUES ('https://example.com:80/a', 'me@example.com');",
    "SELECT 'options', 'connection', 'pwd', $$ connection options $$;",
    "CREATE USER u PASSWORD '';",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_not_shown(text: str) -> None:
    """Nor any part of it; what is shown reads as the same statements."""
    told = redacted_sql(read(text))

    assert "hunt" not in told
    assert "er2" not in told
    assert [s.words for s in read(told).statements] == [s.words for s in read(text).statements]


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_no_secret_is_shown(text: str) -> None:
    """Byte for byte."""
    assert redacted_sql(read(text)) == text


def test_quotes_stay_where_they_are() -> None:
    """Only what is between them is hidden."""
    text = "CREATE USER u PASSWORD E'x\\ny' VALID UNTIL '2030-01-01'; -- it's 'x'"

    assert redacted_sql(read(text)) == text.replace("x\\ny", "***")


def test_every_spelling_is_a_value() -> None:
    """A server may quote the text of any level, or what it says."""
    text = "DO 'BEGIN EXECUTE ''CREATE USER u PASSWORD ''''hun''''''''ter2''''''; END';"

    assert secrets_of(read(text)).values == {
        "hun''''''''ter2",
        "hun''''ter2",
        "hun''ter2",
        "hun'ter2",
    }


def test_parts_of_a_secret_are_values_together_too() -> None:
    """A literal that goes on in the next line is one password."""
    found = secrets_of(read("CREATE USER u PASSWORD 'hun'\n'ter2';"))

    assert {"hun", "ter2", "hunter2"} <= found.values


def test_pieces_of_a_connection_string_are_values() -> None:
    """The library that reads it quotes the piece that it stumbles on; the host may be told."""
    found = secrets_of(read("CREATE SUBSCRIPTION s CONNECTION 'host=h1 password=hun ter2';"))

    assert {"hun", "ter2"} <= found.values
    assert "h1" not in found.values


def test_what_tells_nothing_is_no_value() -> None:
    """A port or a `true` hidden in every message would make riddles of them."""
    text = "CREATE SERVER s OPTIONS (port '5432', fetch_size '100', on_top 'true', host 'db1');"

    assert secrets_of(read(text)).values == set()
    assert redacted_sql(read(text)).count("***") == 4


@pytest.mark.parametrize("end", [34, 30, 28])
def test_a_range_may_cut_a_secret(end: int) -> None:
    """As a line of the file does where a literal goes over several."""
    text = "ALTER USER u PASSWORD 'one\ntwo\nhunter2' VALID UNTIL 'infinity';"
    script = read(text)

    assert redacted_sql(script, 0, end) == "ALTER USER u PASSWORD '***"
    assert redacted_sql(script, end) == "***' VALID UNTIL 'infinity';"
    assert redacted_sql(script, 5, 9) == text[5:9]


def test_a_literal_too_deep_to_look_into_is_hidden_whole() -> None:
    """The search is bounded, whatever the text."""
    text = "'password'"
    for level in range(12):
        text = f"$q{level}$ SELECT {text} $q{level}$"

    assert "password" not in redacted_sql(read(f"DO {text};"))


def test_an_open_string_in_a_string_is_hidden() -> None:
    """PostgreSQL prints all of it where it complains."""
    script = read("DO $$ BEGIN CREATE USER u PASSWORD 'hunter2; END $$;")

    assert "hunter2" not in redacted_sql(script)
    assert "hunter2; END " in secrets_of(script).values


def test_ranges_ascend_and_do_not_overlap() -> None:
    """A URL in a CONNECTION is found twice and hidden once."""
    text = "CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:hunter2@h/d?password=x1y2';"
    ranges = secrets_of(read(text * 2)).ranges

    assert len(ranges) == 2
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))


def test_a_secret_that_is_said_again_is_hidden() -> None:
    """In a comment or as data; a short one would hide too much."""
    text = "/* hunter2000 */ CREATE USER u PASSWORD 'hunter2000'; SELECT 'is hunter2000';"
    short = "CREATE USER u PASSWORD 'chat'; CREATE TABLE chat ();"

    assert redacted_sql(read(text)) == text.replace("hunter2000", "***")
    assert redacted_sql(read(short)) == "CREATE USER u PASSWORD '***'; CREATE TABLE chat ();"


def test_sql_in_a_message_is_shown_without_passwords() -> None:
    """Whoever wrote the statement that the server quotes."""
    told = "SQL statement \"ALTER USER u PASSWORD 'hun''ter2'\" in function \"f\" at 'x'"

    assert without_passwords(told) == told.replace("hun''ter2", "***")
    assert without_passwords('at or near "PASSWORD \'hunter2"') == "at or near \"PASSWORD '***"


@pytest.mark.long
@pytest.mark.no_cover  # many long texts through code that the tests above cover
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        ("", "CREATE USER u PASSWORD 'hunter2000'; "),
        ("", "DO $$ BEGIN EXECUTE format('ALTER USER u PASSWORD %L', 'x'); END $$;"),
        ("SELECT 'password ", "''a://b:"),
        ("SELECT 'host= password=", "x = "),
        ("CREATE SUBSCRIPTION s CONNECTION '", "host=''a@"),
        ("-- ", "postgres://a:"),
        ("-- password\ncreate", " "),
    ],
)
def test_the_search_takes_time_in_proportion(head: str, piece: str) -> None:
    """No text takes time in proportion to its square."""
    size = 30_000 // len(piece)
    end = "'" if "'" in head else ""
    once, four = (_seconds(head + piece * times + end) for times in (size, 4 * size))

    assert 9 * once + 0.02 > four


def _seconds(text: str) -> float:
    """The processor time of a search, the best of three."""
    script, times = read(text), []
    for _ in range(3):
        begun = time.process_time()
        secrets_of(script)
        times.append(time.process_time() - begun)
    return min(times)


PIECES = [
    *(
        "PASSWORD",
        "'",
        "''",
        "$$",
        "$a$",
        "E'",
        "U&'",
        "\\",
        "(",
        ")",
        ";",
        ",",
        "OPTIONS",
        "SERVER",
    ),
    *(
        "CREATE",
        "USER MAPPING",
        "CONNECTION",
        " ",
        "\n",
        "--",
        "://",
        "@",
        ":",
        "=",
        "host=",
        "x%L",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=16))
def test_any_text_can_be_shown(pieces: list[str]) -> None:
    """Whatever a script is, it is shown without an error, and outside secrets as it is."""
    try:
        script = read("password " + " ".join(pieces))
    except ScriptError:
        return
    ranges = secrets_of(script).ranges
    expected, at = "", 0
    for start, end in ranges:
        expected += script.text[at:start] + "***"
        at = end

    assert redacted_sql(script) == expected + script.text[at:]
