"""The server's warnings of BEGIN and COMMIT are held against those that the file explains."""

from __future__ import annotations

import pytest

from rung.drivers.postgres.message import Message, file_pieces, outcome_of
from rung.drivers.postgres.wire import Reply
from rung.script import read

IN_BLOCK, OUTSIDE = "25001", "25P01"
OTHERS = ["01000"] * 150


@pytest.mark.parametrize(
    ("text", "warnings", "control"),
    [
        ("begin; begin; commit", [IN_BLOCK], ""),
        ("begin; begin; commit", [IN_BLOCK, IN_BLOCK], "warning 1"),
        ("begin; begin; commit", [IN_BLOCK, OUTSIDE], "warning 1"),
        ("begin; begin; commit", [OUTSIDE], "warning 0"),
        ("commit; select 1", [*OTHERS, OUTSIDE], ""),
        ("begin; begin; commit", [IN_BLOCK, *OTHERS, IN_BLOCK], "warning 151"),
        ("begin; begin; commit", [*OTHERS, IN_BLOCK, IN_BLOCK], "warning 151"),
        ("commit; select 1", [OUTSIDE, *OTHERS, OUTSIDE], "warning 151"),
        ("select 1", [*OTHERS, IN_BLOCK], "warning 150"),
    ],
)
def test_warnings_that_the_file_does_not_explain(
    text: str, warnings: list[str], control: str
) -> None:
    """One more than it explains is reported, after however many other warnings."""
    script, reply = read(text), Reply()
    for number, state in enumerate(warnings):
        reply.kept.add("WARNING", state, f"warning {number}")

    pieces = tuple(file_pieces(script, 1, len(script.statements)))
    result = outcome_of(Message(pieces, (), script), reply, None)

    assert result.transaction_control == control
    shown = {notice.sqlstate for notice in result.notices} & {IN_BLOCK, OUTSIDE}
    assert shown == (set() if control else set(warnings) - set(OTHERS))
