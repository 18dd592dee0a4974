"""
Scripts beside what was read of them.

To write the expected files again after an intended change, run this file by itself:
`python tests/golden/script/test_golden.py`, and read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rung.script import Dialect, Script, Statement, checksum, directives, read

SCRIPTS = sorted(Path(__file__).parent.glob("*.sql"))


def told(script: Script) -> str:
    """A script's reading as text: the mode, then the units and statements."""
    lines = [f"mode: {script.mode.value}", f"reason: {script.reason}"]
    lines += [f"directive: {one}" for one in directives(script)]
    lines += [f"unit: {one.first} to {one.last}, {one.transaction}" for one in script.units]
    lines += [f"checksum: {checksum(script)}"]
    for one in script.statements:
        lines += ["", f"{one.number}, line {one.line}{traits(one)}", " ".join(one.words)]
        lines.append(repr(script.text[one.start : one.end]))
        if one.copy_data is not None:
            lines.append(f"data: {script.text[slice(*one.copy_data)]!r}")
    return "\n".join(lines) + "\n"


def traits(one: Statement) -> str:
    """What a statement is beside its text."""
    facts = {
        one.control.value if one.control else "": one.control,
        f"refuses a transaction: {one.needs_no_transaction}": one.needs_no_transaction,
        "builds concurrently": one.concurrent_build,
        "touches the session": one.touches_session,
        "leaves no trace": one.session_only,
    }
    return "".join(f"; {fact}" for fact, holds in facts.items() if holds)


def text_of(path: Path) -> str:
    """A file's text with its line ends as they are."""
    return path.read_bytes().decode()


def script_of(path: Path) -> Script:
    """A file as its database reads it: those that are named after SQLite as SQLite does."""
    dialect = Dialect.SQLITE if path.stem.startswith("sqlite_") else Dialect.POSTGRES
    return read(text_of(path), dialect)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_are_read_as_before(path: Path) -> None:
    """What is read of a script is what the file beside it says."""
    assert text_of(path.with_suffix(".expected")) == told(script_of(path))


if __name__ == "__main__":
    for script_path in SCRIPTS:
        expected = told(script_of(script_path))
        script_path.with_suffix(".expected").write_text(expected, newline="\n")
