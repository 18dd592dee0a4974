"""What of a command line the next commands repeat."""

from __future__ import annotations

import pytest

from rung.cli.arguments import sort_words
from rung.cli.hints import completer
from rung.cli.main import main


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
