"""Signals stop a run, then cancel it, then leave."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from rung.cli.exit_codes import ExitCode, StoppedBySignal
from rung.cli.signals import exit_code_of_signal, leaving, listening


def test_the_first_signal_asks_and_the_second_insists(capfd: pytest.CaptureFixture[str]) -> None:
    """And each says what it does."""
    with listening() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        once = (signals.stop.requested, signals.stop.cancelling)
        os.kill(os.getpid(), signal.SIGINT)
        twice = (signals.stop.requested, signals.stop.cancelling)

    assert (once, twice) == ((True, False), (True, True))
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "warning: stopping after this migration; signal again to cancel it"
    assert said[1] == "warning: cancelling this migration; signal again to exit at once"


def test_sigterm_leaves_a_grace(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is under way then is cancelled by itself, so that `docker stop` need not kill."""
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with listening() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        found = [(signals.stop.requested, signals.stop.cancelling)]
        now[0] += 5
        found.append((signals.stop.requested, signals.stop.cancelling))

    assert found == [(True, False), (True, True)]
    assert capfd.readouterr().err == (
        "warning: stopping after this migration, which is cancelled in 5 s; signal again to "
        "cancel it now\n"
    )


def test_sigint_leaves_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person at a terminal says when it was enough."""
    with listening() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        monkeypatch.setattr(time, "monotonic", lambda: 1e12)

        assert not signals.stop.cancelling


def test_the_third_signal_leaves() -> None:
    """Whatever a dead network keeps the run waiting for."""
    with listening():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_the_first_signal_gives_the_exit_code(number: int, code: ExitCode) -> None:
    """128 and its number, as shells count."""
    with listening() as signals:
        os.kill(os.getpid(), number)

    assert code == exit_code_of_signal(signals.first)


def test_handlers_are_put_back() -> None:
    """They are there for the block alone."""
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with listening():
        pass

    assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]


def test_another_thread_sets_no_handlers() -> None:
    """Python lets only the main thread have them."""
    seen = []

    def listen() -> None:
        with listening():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()

    assert [signal.getsignal(signal.SIGTERM)] == seen


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
)
def test_where_nothing_is_run_the_first_one_leaves(number: int, code: ExitCode) -> None:
    """With its exit code; the handlers are put back."""
    before = signal.getsignal(number)
    with pytest.raises(StoppedBySignal) as caught, leaving():
        os.kill(os.getpid(), number)

    assert (caught.value.code, signal.getsignal(number)) == (code, before)
