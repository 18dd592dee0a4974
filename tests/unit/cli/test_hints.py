"""The commands in a message work when they are pasted: they have the options of the call."""

from __future__ import annotations

import pytest

from rung.cli.arguments import sort_words
from rung.cli.hints import Repeated, completed, completer, repeated
from rung.cli.main import main

_CALL = Repeated(
    (
        ("--lock-timeout", "1s"),
        ("--database", "postgresql://db/chat"),
        ("--source", "'my files'"),
        ("--ledger-table", "ops"),
    )
)
_ALL = "--database postgresql://db/chat --source 'my files' --ledger-table ops"
_LEFT_OUT = "the password is not repeated: "


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["up"], "`rung up`"),
        (["-s", "m", "up"], "`rung up --source m`"),
        (["up", "-sm", "--json"], "`rung up --source m`"),
        (["up", "--ledger-table=a b"], "`rung up --ledger-table 'a b'`"),
        (
            ["up", "--role", "app", "--nonsense", "-qd", "embedded"],
            "`rung up --database embedded --role app`",
        ),
        (["up", "-d"], "`rung up`"),
        (["up", "--source", "postgres://u:s3cret@h/db"], "`rung up`"),
        (["up", "--lock-timeout", "1s", "-s", "m"], "`rung up --lock-timeout 1s --source m`"),
        (
            ["up", "--cancel-blockers", "a b", "--cancel-blockers=c"],
            "`rung up --cancel-blockers 'a b' --cancel-blockers c`",
        ),
        (["up", "--role", "postgres://u:s3cret@h/db"], "`rung up`"),
    ],
)
def test_what_was_typed_is_repeated(words: list[str], expected: str) -> None:
    """However it was typed, whatever the rest is; a URL in the wrong place is not."""
    assert completer(sort_words(words), {})("`rung up`") == expected


def test_an_error_names_the_next_command_with_the_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In text and in JSON."""
    code = main(["statsu", "--json", "--source", "my files"])
    shown = capsys.readouterr()

    assert code == 2
    assert "did you mean `rung status --source 'my files'`?" in shown.err
    assert "did you mean `rung status --source 'my files'`?" in shown.out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix it and run `rung up`", f"fix it and run `rung up --lock-timeout 1s {_ALL}`"),
        ("`rung force 3`, then `rung check`.", f"`rung force 3 {_ALL}`, then `rung check {_ALL}`."),
        (
            "see `rung history`",
            "see `rung history --database postgresql://db/chat --ledger-table ops`",
        ),
        ("`rung create NAME`", "`rung create NAME --source 'my files'`"),
        ("`rung create x --source m`", "`rung create x --source m`"),
        (
            "`rung status --source m --ledger-table t`",
            "`rung status --source m --ledger-table t --database postgresql://db/chat`",
        ),
        ("see `rung --help` and `rung up --help`", "see `rung --help` and `rung up --help`"),
        ("rung up, `rungs`, `SELECT 1;`", "rung up, `rungs`, `SELECT 1;`"),
    ],
)
def test_commands_in_backticks_get_the_options(text: str, expected: str) -> None:
    """Each command those that it reads, and none twice; nothing else is touched."""
    assert completed(text, _CALL) == expected


@pytest.mark.parametrize(
    ("database", "environ", "word", "remark"),
    [
        ("postgresql://db/chat", {}, "postgresql://db/chat", ""),
        ("host=db dbname=chat", {}, "'host=db dbname=chat'", ""),
        ("embedded:my data", {}, "'embedded:my data'", ""),
        ("postgres://u:s3cret@db/chat", {}, "postgres://u@db/chat", _LEFT_OUT),
        (
            "postgres://u:s3cret@db/chat?sslmode=require",
            {},
            "'postgres://u@db/chat?sslmode=require'",
            _LEFT_OUT,
        ),
        ("postgres://u@db/chat?password=s3cret&a=b", {}, "'postgres://u@db/chat?a=b'", _LEFT_OUT),
        ("host=db password=s3cret user=u", {}, "'host=db user=u'", _LEFT_OUT),
        ("postgres://u:s3cret@db/chat", {"PROD": "postgres://u:s3cret@db/chat"}, '"$PROD"', ""),
        ("postgres://u:s3@cret@db/chat", {}, '"$RUNG_DATABASE"', "RUNG_DATABASE stands for "),
    ],
)
def test_the_database_is_repeated_without_its_password(
    database: str, environ: dict[str, str], word: str, remark: str
) -> None:
    """By the variable that holds it, where there is one; else something is missing."""
    call = repeated([("--database", database)], environ)

    assert call.options == (("--database", word),)
    assert call.remark.startswith(remark)
    assert "cret" not in completed("`rung up`", call)


def test_the_remark_stands_below_the_commands_that_need_it() -> None:
    """Not below a command without a database."""
    call = Repeated((("--database", "postgres://u@db"),), "The password is not repeated.")

    assert completed("`rung up`", call).splitlines()[1:] == ["The password is not repeated."]
    assert completed("`rung create NAME`", call) == "`rung create NAME`"
