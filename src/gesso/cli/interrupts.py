"""Ctrl-C: the first lets the current items finish, the second cancels them, and if they do not heed that, ends the process."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from gesso.cli.errors import CANCELLED
from gesso.cli.text import note

GRACE_SECONDS = 5.0
"""How long running items may take to notice a cancellation before the process ends under them."""


class Interrupts:
    """While entered, SIGINT and SIGTERM set flags instead of raising. Elsewhere than in the main thread it does nothing.

    `stopping`: start no further item. `cancelling`: running items are asked to stop. SIGTERM sets both at once.
    """

    def __init__(self, on_hard_stop: Callable[[], None] = lambda: None) -> None:
        self._stop = threading.Event()
        self._cancel = threading.Event()
        self._since = 0.0
        self._on_hard_stop = on_hard_stop
        self._before: dict[signal.Signals, Any] = {}

    def stopping(self) -> bool:
        """Whether no further item may start."""
        return self._stop.is_set()

    def cancelling(self) -> bool:
        """Whether running items should stop as soon as they can."""
        return self._cancel.is_set()

    def enforce(self) -> None:
        """End the process when a cancellation has gone unheeded for `GRACE_SECONDS`. Call it while waiting."""
        if self._cancel.is_set() and time.monotonic() - self._since > GRACE_SECONDS:
            self._on_hard_stop()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(CANCELLED)

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self._stop.is_set() or number == signal.SIGTERM:
            if not self._cancel.is_set():
                self._since = time.monotonic()
            self._cancel.set()
        else:
            note("finishing what has begun; press Ctrl-C again to stop now")
        self._stop.set()
