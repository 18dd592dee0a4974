"""Checksums under edits made at random."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rung.script import checksum, read

WORDS = ["SELECT", "a", "(", ")", ",", "1e5", "'It''s'", '"Name"', "$$Body\n$$", "E'\\n'", ";", "@"]
GAPS = [" ", "\n", "\t", " -- note\n", "/* note */ ", "\r\n"]
texts = st.lists(st.sampled_from(WORDS), min_size=1)


def of(text: str) -> str:
    """The checksum of a text."""
    return checksum(read(text))


def spaced(words: list[str], data: st.DataObject) -> str:
    """The words with other blanks, comments and letter case between and in them."""
    parts = []
    for word in words:
        spelled = word if word[0] in "'\"$E" else data.draw(st.sampled_from([word, word.lower()]))
        parts.append(data.draw(st.sampled_from(GAPS)) + spelled)
    return "".join(parts)


@given(texts, st.data())
def test_layout_never_counts(words: list[str], data: st.DataObject) -> None:
    """Blanks, comments and letter case between and in unquoted words never count."""
    assert of(" ".join(words)) == of(spaced(words, data))


@given(texts)
def test_line_ends_never_count(words: list[str]) -> None:
    """CR LF for LF never counts, in strings either."""
    text = "\n".join(words)

    assert of(text) == of("\ufeff" + text.replace("\n", "\r\n"))


@given(texts, texts)
def test_other_tokens_have_another_checksum(one: list[str], other: list[str]) -> None:
    """Two scripts have one checksum exactly where they have the same tokens."""
    assert (one == other) == (of(" ".join(one)) == of(" ".join(other)))


@given(st.text(alphabet="ab' ;-\n"), st.text(alphabet="ab' ;-\n"))
def test_what_a_string_holds_counts(one: str, other: str) -> None:
    """Two contents of a string have one checksum exactly where they are equal."""
    quoted = ["SELECT '" + content.replace("'", "''") + "'" for content in (one, other)]

    assert (one == other) == (of(quoted[0]) == of(quoted[1]))
