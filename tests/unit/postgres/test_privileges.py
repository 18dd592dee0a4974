"""What our role may do, and the GRANT that is missing, word for word."""

from __future__ import annotations

import pytest

from rung.drivers.postgres.privileges import Rights, TablePrivileges
from rung.drivers.postgres.tables import names_of

NAMES = names_of("s.led", "h.his")
SCHEMA = frozenset({"USAGE", "CREATE"})


def here(*rights: str, schema: frozenset[str] | None = SCHEMA) -> TablePrivileges:
    """A table with rights on it."""
    return TablePrivileges(frozenset(rights), schema)


@pytest.mark.parametrize(
    ("rights", "writes", "by_truncate", "grant"),
    [
        (("SELECT", "INSERT", "UPDATE", "DELETE"), True, False, ""),
        (("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"), True, False, ""),
        (("SELECT", "INSERT", "TRUNCATE"), True, True, ""),
        (("SELECT", "INSERT", "UPDATE", "TRUNCATE"), True, True, ""),
        (("SELECT", "INSERT"), False, False, 'GRANT UPDATE, DELETE ON TABLE "s"."led" TO "ada";'),
        (("TRUNCATE",), False, False, "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE"),
        ((), False, False, "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE"),
    ],
)
def test_writing_the_ledger(
    rights: tuple[str, ...],
    writes: bool,  # noqa: FBT001
    by_truncate: bool,  # noqa: FBT001
    grant: str,
) -> None:
    """By row where we may, else by TRUNCATE where we may, else the GRANT is told."""
    found = Rights("ada", here(*rights), here())

    assert (found.may_write_ledger, found.by_truncate) == (writes, by_truncate)
    assert grant in found.grants_for_ledger(NAMES)
    assert bool(found.grants_for_ledger(NAMES)) is not writes


@pytest.mark.parametrize(
    ("history", "writes", "grant"),
    [
        (here("SELECT", "INSERT", "UPDATE"), True, ""),
        (here("SELECT"), False, 'GRANT INSERT, UPDATE ON TABLE "h"."his" TO "a""b";'),
        (TablePrivileges(None, SCHEMA), False, ""),
        (
            TablePrivileges(None, frozenset({"USAGE"})),
            False,
            'GRANT CREATE ON SCHEMA "h" TO "a""b";',
        ),
        (TablePrivileges(None, frozenset()), False, 'GRANT USAGE, CREATE ON SCHEMA "h" TO "a""b";'),
        (TablePrivileges(None, None), False, ""),
        (
            here("SELECT", schema=frozenset()),
            False,
            (
                'GRANT USAGE ON SCHEMA "h" TO "a""b"; '
                'GRANT INSERT, UPDATE ON TABLE "h"."his" TO "a""b";'
            ),
        ),
    ],
)
def test_writing_the_history(history: TablePrivileges, writes: bool, grant: str) -> None:  # noqa: FBT001
    """Written where it is there and we may; what is missing is told, names quoted."""
    found = Rights('a"b', here(), history)

    assert (found.may_write_history, found.grants_for_history(NAMES)) == (writes, grant)


def test_a_ledger_that_is_not_there() -> None:
    """It cannot be written yet, and needs a right on its schema to be made."""
    absent = Rights("ada", TablePrivileges(None, frozenset({"USAGE"})))

    assert not absent.may_write_ledger
    assert absent.grants_for_ledger(NAMES) == 'GRANT CREATE ON SCHEMA "s" TO "ada";'


def test_reading() -> None:
    """Reading needs the schema and SELECT."""
    found = Rights("ada", here(schema=frozenset()))

    assert found.grants_for_reading(NAMES) == (
        'GRANT USAGE ON SCHEMA "s" TO "ada"; GRANT SELECT ON TABLE "s"."led" TO "ada";'
    )


@pytest.mark.parametrize(
    ("lease", "grant"),
    [
        (here("SELECT", "UPDATE"), ""),
        (here("SELECT"), 'GRANT UPDATE ON TABLE "s"."led_lease" TO "ada";'),
        (TablePrivileges(None, SCHEMA), ""),
        (TablePrivileges(None, frozenset({"USAGE"})), 'GRANT CREATE ON SCHEMA "s" TO "ada";'),
    ],
)
def test_using_the_lease(lease: TablePrivileges, grant: str) -> None:
    """It is made where we may, used where we may, and else the GRANT is told."""
    assert Rights("ada", here(), here(), lease).grants_for_lease(NAMES) == grant
