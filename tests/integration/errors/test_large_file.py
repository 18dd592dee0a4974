"""A file of 20 MB: it works or fails as any other, in memory that grows with it and no faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.errors import page
from tests.integration.errors.stage import block

if TYPE_CHECKING:
    from tests.integration.errors.stage import Stage

_MEGABYTE = 1_000_000
_ROW = "INSERT INTO users VALUES ({}) ON CONFLICT DO NOTHING; -- {}\n"
_ROWS = 20 * _MEGABYTE // 200

_MEASURED = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, "-m", "rung", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""A small process between, for what the one that starts a command holds is counted as its own."""


def _large(last: str) -> str:
    """A file of 20 MB with a line for each row, and this one after them."""
    return "".join(_ROW.format(n, "x" * (150 - len(str(n)))) for n in range(_ROWS)) + last


def _up(stage: Stage) -> tuple[int, str, int]:
    """The exit code of `rung up`, what it printed, and the most memory that it held, in KB."""
    with stage.begin("up", program=("-c", _MEASURED)) as process:
        text, _ = process.communicate()
    said, _, most = text.rstrip().rpartition("\n")
    return process.returncode, said, int(most)


@pytest.mark.slow
def test_a_file_of_20_megabytes(stage: Stage) -> None:
    """Each statement of it runs."""
    stage.write("2_roles.up.sql", _large(""))
    code, text, _ = _up(stage)

    assert (code, "applied 3 migrations" in text) == (0, True)
    assert stage.ask("SELECT count(*) FROM users") == [(_ROWS,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("between", "rows"), [("; INSERT INTO users VALUES ", 180_000), (",", 900_000)]
)
def test_a_file_of_10_megabytes_takes_bounded_memory(stage: Stage, between: str, rows: int) -> None:
    """Many statements or a great one, with what Python takes itself: 115 MB."""
    with (stage.migrations / "4_data.up.sql").open("w") as file:
        file.write("INSERT INTO users VALUES (-1)")
        file.writelines(f"{between}({number:>8})" for number in range(rows))
        file.write(";")
    code, _, most = _up(stage)

    assert (code, stage.ask("SELECT count(*) FROM users")) == (0, [(rows + 1,)])
    assert most < 11.5 * 10_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT n, 'some text' FROM generate_series(1, 2000000) AS n;",
        "DO $$ BEGIN FOR n IN 1..300000 LOOP RAISE NOTICE 'row %', n; END LOOP; END $$;",
    ],
    ids=["rows", "notices"],
)
def test_what_comes_back_is_not_kept(stage: Stage, sql: str) -> None:
    """Two million rows, or 300,000 notices, take no memory: 60 MB with what Python takes."""
    stage.write("2_roles.up.sql", sql)
    code, _, most = _up(stage)

    assert (code, most < 60_000) == (0, True)


@pytest.mark.slow
def test_an_error_in_a_statement_of_20_megabytes_takes_no_more(stage: Stage) -> None:
    """The library would draw a cursor below the statement's line, in nine bytes for each of it."""
    with (stage.migrations / "4_data.up.sql").open("w") as file:
        file.write("INSERT INTO users VALUES (-1)")
        file.writelines(f",({number:>97})" for number in range(200_000))
        file.write(",(nope);")
    code, text, most = _up(stage)

    assert (code, 'column "nope" does not exist (SQLSTATE 42703)' in text) == (1, True)
    assert most < 9 * 20_000


@pytest.mark.slow
def test_an_error_at_the_end_of_20_megabytes(stage: Stage) -> None:
    """The place is the true one, and nothing of the file is kept."""
    stage.run("up", "1")
    before = stage.facts()
    stage.write("2_roles.up.sql", _large("INSERT INTO rolls VALUES (1);\n"))
    code, text = stage.run("up")
    page.check("large-file", block(["rung up"], stage.shown(text), code))

    assert code == 1
    assert f"2_roles.up.sql:{_ROWS + 1}:13" in text
    assert (stage.facts(), stage.ask("SELECT count(*) FROM users")) == (before, [(0,)])
