"""The whole relation between a running operation and the world: progress out, cancellation in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gesso.contracts.errors import Cancelled


def _nothing(fraction: float, message: str) -> None:
    return None


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Context:
    """Progress in 0…1 and cooperative cancellation. `part` composes nested work; `Context()` is silent, for tests."""

    on_progress: Callable[[float, str], None] = _nothing
    cancelled: Callable[[], bool] = _never
    start: float = 0.0
    end: float = 1.0

    def progress(self, fraction: float, message: str = "") -> None:
        """Report `fraction` (0…1) of this context's span, then raise `Cancelled` if the caller asked to stop."""
        self.check()
        self.on_progress(self.start + (self.end - self.start) * min(1.0, max(0.0, fraction)), message)

    def check(self) -> None:
        """Raise `Cancelled` if the caller asked to stop. Call it inside every loop that may take > 0.2 s."""
        if self.cancelled():
            raise Cancelled("cancelled")

    def part(self, start: float, end: float) -> Context:
        """The context of a piece of the work that spans start…end of this one."""
        span = self.end - self.start
        return Context(self.on_progress, self.cancelled, self.start + span * start, self.start + span * end)
