"""
Events of a run as lines on stderr; on a terminal with a live line below them.

The live line is rich's, loaded when a run really begins; where rich is not installed the
finished lines are all there is.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rung.escaping import escaped_line
from rung.events import (
    BaselineRecorded,
    BlockerCancelled,
    BuildProgress,
    DatabaseWaiting,
    HalfMissing,
    LockAwaited,
    LockRefused,
    LockWaiting,
    ModeChanged,
    Notice,
    RunPlanned,
    StepFinished,
    StepRan,
    StepResumed,
    StepStarted,
    UnitFinished,
    Warned,
)
from rung.render.lock_waits import Waits, progress_text
from rung.render.text import at, count, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from rung.events import Event, Listener
    from rung.render.terminal import Console, Style

_NAME_COLUMNS = 32
_FEW = 2


@contextmanager
def progress(console: Console) -> Iterator[Listener]:
    """Yield a listener that shows a run while the block lasts."""
    lines = ProgressLines(console.say, console.warn, console.err_style, verbose=console.verbose)
    if console.quiet or not console.watched:
        yield lines
        return
    live = Live(console, lines)
    try:
        yield live
    finally:
        live.end()


class ProgressLines:
    """
    One line for each finished migration, and what else a person should hear.

    Args:
        say: shows a line.
        warn: shows a warning.
        style: the colours.
        verbose: also say modes, units and notices.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        style: Style,
        *,
        verbose: bool,
    ) -> None:
        self.say, self.warn = say, warn
        self._style, self._verbose = style, verbose
        self._columns = 4
        self._mode = ""
        self._waits = Waits()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunPlanned(versions):
                self._columns = max(4, *(len(str(version)) for version in versions))
            case StepStarted(mode=mode):
                self._mode = mode
            case ModeChanged(mode=mode):
                self._mode = mode
                self.say(f"detail: {event}")
            case StepFinished():
                self.say(self._finished(event))
            case LockWaiting() | DatabaseWaiting() | BaselineRecorded() | StepResumed():
                self.say(f"detail: {sentence(event)}")
            case HalfMissing() | Warned():
                self.warn(str(event))
            case _:
                self._meanwhile(event)

    def _meanwhile(self, event: Event) -> None:
        """Print what happens inside a migration."""
        match event:
            case LockRefused() | LockAwaited() | BlockerCancelled() | BuildProgress():
                for line in self._waits.lines(event):
                    self.say(line)
            case Notice():
                self._notice(event)
            case UnitFinished() if self._verbose:
                total = count(event.statements_total, "statement")
                self.say(f"        {event.statements_done} of {total} committed")

    def _finished(self, event: StepFinished) -> str:
        colour = "green" if event.direction == "up" else "yellow"
        way = self._style.paint(f"{event.direction:<4}", colour)
        took = self._style.paint(f"{duration(event.seconds):>8}", "dim")
        mode = f"  {self._mode}" if self._verbose else ""
        mode += f"  {event.result}" if event.result in ("empty", "not reverted") else ""
        name = f"{event.name:<{_NAME_COLUMNS}}"
        return f"  {way} {event.version:>{self._columns}} {name} {took}{mode}"

    def _notice(self, event: Notice) -> None:
        # Its further lines are indented, so that none looks like one of ours.
        text = event.message.replace("\n", "\n    ")
        message = f"version {event.version}: {text}"
        if event.severity == "WARNING":
            self.warn(message)
        elif self._verbose:
            self.say(f"detail: {event.severity} from {message}")


def sentence(event: LockWaiting | DatabaseWaiting | BaselineRecorded | StepResumed) -> str:
    """Return a sentence about a wait, or about what was done before."""
    if isinstance(event, StepResumed):
        return str(event)
    if isinstance(event, BaselineRecorded):
        if not event.versions:
            return f"Recorded that another tool left the database {at(event.version)}."
        several = len(event.versions) > _FEW
        ends = (event.versions[0], event.versions[-1]) if several else event.versions
        which = (" to " if several else " and ").join(map(str, ends))
        many = count(len(event.versions), "migration")
        return f"Recorded {many} ({which}) as applied by another tool."
    so_far = f", {duration(event.waited)} so far" if event.waited >= 1 else ""
    if isinstance(event, DatabaseWaiting):
        return f"Waiting for the database{so_far}: {event.reason}."
    return f"Another run is in progress; waiting for it to end{so_far}. {event.holder}".strip()


class Live:
    """Print the same lines, above a line that shows what runs now and for how long."""

    def __init__(self, console: Console, lines: ProgressLines) -> None:
        self._console, self._lines = console, lines
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case BuildProgress():
                self._describe(progress_text(event))
                return
            case RunPlanned(versions):
                self._begin(len(versions))
            case StepStarted():
                self._describe(f"{event.direction} {event.version} {event.name}")
            case UnitFinished():
                units = f"{event.statements_done}/{event.statements_total} statements"
                self._describe(f"version {event.version}: {units}")
            case StepRan() | StepFinished():
                self._reach(event.number)
        self._lines(event)

    def end(self) -> None:
        """Remove the live line."""
        if self._progress is not None:
            self._progress.stop()

    def _begin(self, total: int) -> None:
        self._progress = _rich_progress(self._console)
        if self._progress is None:
            return
        self._task = self._progress.add_task("", total=total)
        self._lines.say = self._above
        self._progress.start()

    def _above(self, line: str) -> None:
        from rich.text import Text

        assert self._progress is not None
        line = self._console.err_style.safe(line)
        self._progress.console.print(Text.from_ansi(line), soft_wrap=True)

    def _describe(self, text: str) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=escaped_line(text))

    def _reach(self, number: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=number)


def _rich_progress(console: Console) -> Progress | None:
    try:
        from rich.console import Console as RichConsole
        from rich.progress import (
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
    except ImportError:
        return None
    screen = RichConsole(file=console.err, no_color=not console.err_style.enabled)
    columns = (
        SpinnerColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    return Progress(
        *columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False
    )
