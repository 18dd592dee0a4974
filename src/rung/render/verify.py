"""The proofs of `verify`: lines of text, annotations of GitHub's, JSON. Pure."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rung.escaping import escaped_line
from rung.render.json_output import masked_difference
from rung.render.text import aligned, count, duration
from rung.script import redacted_definition, without_passwords
from rung.verify.model import ProofOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.render.terminal import Style
    from rung.snapshot import DiffNode
    from rung.verify.model import MigrationProof, SchemaChange, VerifyReport

_COLOURS = {
    ProofOutcome.PROVED: "green",
    ProofOutcome.REFUTED: "red",
    ProofOutcome.NOT_PROVED: "yellow",
    ProofOutcome.IRREVERSIBLE: "cyan",
}
_MANY = 20
"""Differences that are listed of one migration; more are counted."""
_LONG = 160
"""Characters of a definition that are shown; more are counted."""
_CONTEXT = 40
"""Characters that two long definitions share, shown before what differs."""


def verify_lines(report: VerifyReport, style: Style) -> Iterator[str]:
    """Yield a heading, and each migration with its outcome and what refutes it."""
    whose = f", {report.role}" if report.role else ""
    yield (
        f"verify: {len(report.proofs)} of {count(report.total, 'migration')}, {report.server}"
        f"{whose}, in {duration(report.seconds)}"
    )
    rows = [(str(one.version), one.migration.name, one.outcome.value) for one in report.proofs]
    for one, cells in zip(report.proofs, aligned(rows, right=(0,)) if rows else (), strict=True):
        version, name, outcome = cells
        painted = style.paint(outcome, _COLOURS[one.outcome])
        yield f"  {version}  {name}  {painted}  {_clause(one)}".rstrip()
        yield from (f"      {line}" for line in _findings(one))


def explanation(one: MigrationProof) -> str:
    """Say in a clause why a migration has its outcome."""
    if one.outcome is ProofOutcome.PROVED:
        unseen = f"; not compared: {', '.join(one.not_compared)}" if one.not_compared else ""
        return f"up, down, up{unseen}"
    if one.outcome is ProofOutcome.IRREVERSIBLE:
        return f"declared: {one.why}"
    if one.after_down:
        return f"the down {_summary(one.after_down)}" + (f"; {one.why}" if one.why else "")
    if one.after_again:
        return f"the second up makes another schema: it {_summary(one.after_again)}"
    return one.why


def _clause(one: MigrationProof) -> str:
    return escaped_line(without_passwords(explanation(one)))


def verify_summary(report: VerifyReport) -> str:
    """Sum the proofs up."""
    names = {
        ProofOutcome.PROVED: "proved",
        ProofOutcome.REFUTED: "refuted",
        ProofOutcome.NOT_PROVED: "not proved",
        ProofOutcome.IRREVERSIBLE: "declared irreversible",
    }
    found = [f"{many} {name}" for one, name in names.items() if (many := report.count(one))]
    return f"{', '.join(found) or 'nothing to verify'}."


def github_lines(report: VerifyReport, folder: str) -> Iterator[str]:
    """Yield workflow commands that annotate the files of a pull request."""
    for one in report.proofs:
        if one.outcome not in (ProofOutcome.REFUTED, ProofOutcome.NOT_PROVED):
            continue
        level = "error" if one.outcome is ProofOutcome.REFUTED else "warning"
        where = _escaped(str(PurePath(folder, _file(one))), ",:")
        place = None if one.after_down else one.place
        line = f",line={place.line}" if place is not None and place.line else ""
        text = "\n".join((f"{one.outcome.value}: {explanation(one)}", *_findings(one)))
        title = f"rung verify: version {one.version}"
        yield f"::{level} file={where}{line},title={_escaped(title, ',:')}::" + _escaped(
            without_passwords(text)
        )


def _file(one: MigrationProof) -> str:
    """Return the file that a person has to open: the one that failed, or the down."""
    if one.place is not None and not one.after_down:
        return one.place.file
    file = one.migration.down or one.migration.up
    return file.file if file else ""


def _escaped(text: str, more: str = "") -> str:
    """Escape a text for a workflow command; a property also has no commas and colons."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _summary(change: SchemaChange) -> str:
    counts = (
        ("leaves", len(change.left)),
        ("misses", len(change.missing)),
        ("changes", len(change.changed)),
    )
    found = [f"{verb} {many}" for verb, many in counts if many]
    if found:  # the noun stands once: "leaves 1 object, misses 2 and changes 1"
        found[0] = next(f"{verb} {count(many, 'object')}" for verb, many in counts if many)
    if change.order_only:
        found.append(f"orders the columns of {count(len(change.order_only), 'table')} differently")
    *first, last = found
    return f"{', '.join(first)} and {last}" if first else last


def _findings(one: MigrationProof) -> Iterator[str]:
    lines = list(_change_lines(one.after_down or one.after_again))
    yield from (escaped_line(without_passwords(line)) for line in lines[:_MANY])
    if len(lines) > _MANY:
        yield f"and {len(lines) - _MANY} more"
    if one.fix is not None:
        file = one.migration.down.file if one.migration.down else "the down file"
        yield escaped_line(f"fix, proved on scratch: append to {file}")
        yield from (f"    {line}" for line in one.fix.sql.strip("\n").split("\n"))


def _change_lines(change: SchemaChange) -> Iterator[str]:
    for sign, nodes in (("+", change.left), ("-", change.missing)):
        for node in nodes:
            yield f"{sign} {_name(node)}{_parts(node)}"
    for one in change.changed:
        yield f"~ {one.identity}: {_became(one.before or '', one.after or '')}"
        if one.identity.startswith("enum ") and (one.after or "").startswith(one.before or ""):
            yield "  PostgreSQL does not remove a value: declare `-- rung: irreversible REASON`"
    for table in change.order_only:
        yield f"~ {table}: the columns have another order"
    for gone, new in change.renames:
        yield f"  possibly a rename: {gone} to {new}"


def _name(node: DiffNode) -> str:
    identity, parent = node.difference.identity, node.parent or ""
    table = parent.removeprefix("table ")
    return f"{identity} on {table}" if identity.startswith("index ") and parent else identity


def _parts(node: DiffNode) -> str:
    """Count what goes with an object: its columns, indexes, privileges."""
    many = _size(node) - 1
    return f" with {count(many, 'part')}" if many else ""


def _size(node: DiffNode) -> int:
    return 1 + sum(map(_size, node.children))


def _became(before: str, after: str) -> str:
    """Quote two definitions, from a little before the first difference where they are long."""
    if redacted_definition(before) == redacted_definition(after):
        return f"{_quoted(redacted_definition(before), 0)}, and differs in what is hidden there"
    before, after = redacted_definition(before), redacted_definition(after)
    old, new = " ".join(before.split()), " ".join(after.split())
    if old == new:  # white space alone differs
        old, new = before, after
    start = 0
    if max(len(old), len(new)) > _LONG:
        pairs = enumerate(zip(old, new, strict=False))
        differs_at = next((at for at, (one, other) in pairs if one != other), len(old))
        start = max(min(differs_at, len(new)) - _CONTEXT, 0)
    return f"{_quoted(old, start)} became {_quoted(new, start)}"


def _quoted(text: str, start: int) -> str:
    if not text:
        return "plain"
    more = len(text) - start - _LONG
    rest = f" … and {count(more, 'more character')}" if more > 0 else ""
    return f'"{"… " if start else ""}{text[start : start + _LONG]}"{rest}'


def verification(found: VerifyReport, exit_code: int) -> dict[str, Any]:
    """What `verify` prints."""
    return {
        "outcome": found.outcome,
        "exit_code": exit_code,
        "seconds": found.seconds,
        "total": found.total,
        "server": {"version": found.server, "role": found.role, "notes": found.notes},
        "migrations": [_proof(one) for one in found.proofs],
    }


def _proof(one: MigrationProof) -> dict[str, Any]:
    proved = one.outcome is ProofOutcome.PROVED
    return {
        "version": one.version,
        "name": one.migration.name,
        "outcome": one.outcome,
        "why_not": None if proved else without_passwords(explanation(one)),
        "schema": _schema_change(one.after_down)
        | {"fix": None if one.fix is None else {"sql": one.fix.sql, "proved": True}},
        "second_up": _schema_change(one.after_again),
        "not_compared": one.not_compared,
    }


def _schema_change(change: SchemaChange) -> dict[str, Any]:
    return {
        "left": [_node(node) for node in change.left],
        "missing": [_node(node) for node in change.missing],
        "changed": [masked_difference(one) for one in change.changed],
        "order_only": change.order_only,
        "renames": [{"missing": gone, "left": new} for gone, new in change.renames],
    }


def _node(node: DiffNode) -> dict[str, Any]:
    one = node.difference
    return {
        "object": one.identity,
        "definition": redacted_definition(one.before or one.after or ""),
        "parts": [_node(child) for child in node.children],
    }
