"""Progress on stderr: a live bar where someone is watching, plain lines where the output goes to a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from gesso.cli.text import note, plain

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

QUIET_SECONDS = 2.0
"""Plain lines about the steps of one item come no closer together than this."""

Report = Callable[[float, str], None]


class Progress(AbstractContextManager["Progress"], Protocol):
    """Told about every item; thread-safe."""

    def begin(self, index: int, name: str) -> Report:
        """An item starts; the answer takes its fraction and the name of the step it is at."""
        ...

    def end(self, index: int, outcome: str) -> None:
        """An item is over."""
        ...


def progress(total: int, *, quiet: bool) -> Progress:
    """The kind of progress that fits stderr."""
    if quiet:
        return Silent()
    return Bars(total) if sys.stderr.isatty() else Lines(total)


class Silent:
    """Says nothing."""

    def begin(self, index: int, name: str) -> Report:
        """As in `Progress`."""
        return lambda fraction, message: None

    def end(self, index: int, outcome: str) -> None:
        """As in `Progress`."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None


class Lines(Silent):
    """A line when one of several items starts and when it is over, and when an item has come to a new step after a while."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._names: dict[int, str] = {}

    def begin(self, index: int, name: str) -> Report:
        """As in `Progress`."""
        label = f"[{index + 1}/{self._total}] {name}"
        self._names[index] = label
        if self._total > 1:
            note(label)
        told, step = time.monotonic(), ""

        def report(fraction: float, message: str) -> None:
            nonlocal told, step
            now = time.monotonic()
            if message and message != step and now - told >= QUIET_SECONDS:
                told, step = now, message
                note(f"{label}: {plain(message)} ({fraction:.0%})")

        return report

    def end(self, index: int, outcome: str) -> None:
        """As in `Progress`."""
        if self._total > 1:
            note(f"{self._names.pop(index)}: {outcome}")


class Bars:
    """A bar over all items and, below, one for each item at work."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._lock = threading.Lock()
        self._total = total
        self._done = 0
        self._tasks: dict[int, TaskID] = {}
        self._bars: RichProgress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[figure]}", justify="right"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[step]}", style="dim", markup=False),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._all = None if total == 1 else self._bars.add_task("all", total=total, figure=f"0/{total}", step="")

    def begin(self, index: int, name: str) -> Report:
        """As in `Progress`."""
        shown = name if len(name) <= 40 else "…" + name[-39:]
        with self._lock:
            task = self._tasks[index] = self._bars.add_task(shown, total=1.0, figure="0%", step="")

        def report(fraction: float, message: str) -> None:
            self._bars.update(task, completed=fraction, figure=f"{fraction:.0%}", step=plain(message)[:60])

        return report

    def end(self, index: int, outcome: str) -> None:
        """As in `Progress`."""
        with self._lock:
            task = self._tasks.pop(index, None)
            if task is not None:
                self._bars.remove_task(task)
            if self._all is not None:
                self._done += 1
                self._bars.update(self._all, completed=self._done, figure=f"{self._done}/{self._total}")

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()
