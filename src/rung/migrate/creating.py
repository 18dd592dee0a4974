"""The command that makes files: create. Opens no source and no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.errors import SourceError
from rung.golang.layouts import Moment
from rung.golang.places import clean
from rung.golang.zones import ZoneUnknown, load_location
from rung.masking import redacted_word
from rung.migrate.faults import Fault, PlainFault
from rung.migrate.making import CreateRefused, make_pair, numbering

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.golang.flags import Parsed
    from rung.migrate.call import Call


def create(call: Call, parsed: Parsed) -> int:
    """Make a pair of files and print their paths."""
    if not parsed.words:
        raise Fault("please specify name")
    if not parsed.text("ext"):
        raise Fault("-ext flag must be specified")
    try:
        zone = load_location(parsed.text("tz"))
        number = numbering(
            seq=parsed.yes("seq"),
            digits=parsed.number("digits"),
            layout=parsed.text("format"),
            moment=Moment.at(call.began, zone),
        )
        made = make_pair(parsed.text("dir"), parsed.words[0], parsed.text("ext"), number)
    except ZoneUnknown as error:
        raise PlainFault(str(error)) from None
    except CreateRefused as error:
        given = (parsed.text("dir"), parsed.words[0], parsed.text("ext"))
        raise Fault(_without_credentials(str(error), given)) from None
    except SourceError as error:
        raise Fault(error.cause, error.advice) from None
    for path in made:
        call.talk.line(redacted_word(path))
    return 0


def _without_credentials(text: str, given: Iterable[str]) -> str:
    """A message about a path that is made of words which may be misplaced URLs."""
    for word in given:
        if (shown := redacted_word(word)) != word:
            text = text.replace(word, shown).replace(clean(word), shown)
    return redacted_word(text)
