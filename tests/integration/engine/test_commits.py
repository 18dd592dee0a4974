"""All commits of a run but the last may be asynchronous; the last one flushes those before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.engine.sites import failing

from rung.cancellation import CancelToken
from rung.errors import MigrationFailed, Stopped
from rung.events import StepFinished

if TYPE_CHECKING:
    from tests.integration.engine.sites import Site

    from rung.events import Event

_WATCH = """
    CREATE TABLE public.noted (number int GENERATED ALWAYS AS IDENTITY, what text, setting text);
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.noted (what, setting)
        VALUES (TG_ARGV[0], pg_catalog.current_setting('synchronous_commit'));
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE ON public.schema_migrations_history
        FOR EACH ROW EXECUTE FUNCTION public.note('history');
    CREATE TRIGGER note AFTER UPDATE ON public.schema_migrations
        FOR EACH ROW EXECUTE FUNCTION public.note('ledger');
"""
_ASYNC = [("ledger", "off"), ("history", "off")]
_SYNC = [("ledger", "on"), ("history", "on")]


@pytest.fixture
def watched(site: Site) -> Site:
    """Give a site at version 1 that notes synchronous_commit at each write of ours."""
    site.ask(f"ALTER DATABASE {site.database.name} SET synchronous_commit = on")
    site.add_tables(1).up()
    site.ask(_WATCH)
    return site


def _noted(site: Site) -> list[tuple[str, str]]:
    rows = site.ask("SELECT what, setting FROM noted ORDER BY number")
    return [(row[0], row[1]) for row in rows]


def test_only_the_last_commit_waits_for_the_disk(watched: Site) -> None:
    """synchronous_commit is off in every step but the last."""
    watched.add_tables(2, 3, 4).up()

    assert _noted(watched) == [*_ASYNC, *_ASYNC, *_SYNC]


def test_own_transactions_are_no_exception(watched: Site) -> None:
    """A file's own transaction commits as any other: only the last one waits."""
    for version in (2, 3):
        watched.add(f"{version}_o", f"BEGIN; CREATE TABLE o{version} (); COMMIT;")
    watched.up()

    assert _noted(watched) == [*_ASYNC, *_SYNC]


def test_a_file_cannot_put_the_last_flush_off(watched: Site) -> None:
    """A last file that turns synchronous_commit off is on disk all the same when it is done."""
    watched.add_tables(2).add("3_b", "SET synchronous_commit = off; CREATE TABLE b ();").up()

    assert _noted(watched) == [*_ASYNC, *_SYNC]


def test_a_failure_flushes_what_was_before(watched: Site) -> None:
    """The history row of a failure is a synchronous commit."""
    watched.add_tables(2).add("3_bad", "SELECT 1/0;").add_tables(4).up_fails(MigrationFailed)

    assert _noted(watched) == [*_ASYNC, ("history", "on")]


def test_a_stop_flushes_what_was_before(watched: Site) -> None:
    """A run that stops early ends with a synchronous write, which no trigger of the ledger sees."""
    stop = CancelToken()

    def listener(event: Event) -> None:
        if isinstance(event, StepFinished) and event.version == 2:
            stop.set()

    watched.add_tables(2, 3, 4)
    error = failing(Stopped, watched.migrator(stop=stop, listener=listener).up)
    assert (error.applied, error.remaining) == ((2,), (3, 4))
    assert _noted(watched) == _ASYNC


def test_each_commit_of_a_file_of_units_waits(watched: Site) -> None:
    """What a crash could leave half done is on disk at every unit."""
    watched.add("2_u", "CREATE TABLE u ();\nVACUUM;\nSELECT 1;").add_tables(3).up()

    assert {setting for _, setting in _noted(watched)} == {"on"}


def test_the_database_may_want_it_otherwise(watched: Site) -> None:
    """A database whose own setting is off keeps it in the last step."""
    watched.ask(f"ALTER DATABASE {watched.database.name} SET synchronous_commit = off")
    watched.add_tables(2).up()

    assert _noted(watched) == _ASYNC
