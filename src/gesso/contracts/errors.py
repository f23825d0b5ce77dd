"""The tree of errors. Every error that a user can cause carries a code, a public sentence and a hint.

Doors format errors in one place each, by ancestry: `exit_code` serves the command line, a server maps classes to
statuses. Foreign exceptions are translated at the boundary where they arise and kept as ``__cause__``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


class GessoError(Exception):
    """Root of all errors Gesso raises on purpose.

    Guarantees: ``code`` is a stable snake_case word, ``message`` is a sentence fit for a user (no paths of this machine
    beyond what the user named, no tracebacks), ``hint`` says what to do next and may be empty.
    """

    code: str = "error"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        field: str = "",
        limit: float | str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.hint = hint
        self.field = field
        self.limit = limit

    def as_json(self) -> dict[str, Any]:
        """The error as plain data: code, message, and hint, field and limit where they are set."""
        out: dict[str, Any] = {"code": self.code, "message": self.message}
        for key in ("hint", "field", "limit"):
            value = getattr(self, key)
            if value not in ("", None):
                out[key] = value
        return out


class BadInput(GessoError):
    """Something the user gave cannot be used; repeating the request unchanged will fail again."""

    code = "bad_input"


class BadImage(BadInput):
    """A file or array cannot be admitted as a picture (codes: docs/03-pictures.md)."""

    code = "bad_image"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one field: dotted ``field`` path, ``code``, ``message``, optional ``limit``."""

    field: str
    code: str
    message: str
    limit: float | str | None = None

    def as_json(self) -> dict[str, Any]:
        """The fault as plain data."""
        out: dict[str, Any] = {"field": self.field, "code": self.code, "message": self.message}
        return out if self.limit is None else {**out, "limit": self.limit}


class BadParams(BadInput):
    """Parameters were refused. ``faults`` lists every fault at once, so that one round trip is enough."""

    code = "bad_params"
    exit_code = 2

    def __init__(self, faults: tuple[Fault, ...], *, hint: str = "") -> None:
        assert faults
        first = faults[0]
        text = "; ".join(f"{f.field or 'parameters'}: {f.message}" for f in faults)
        super().__init__(text, code=first.code if len(faults) == 1 else None, hint=hint, field=first.field)
        self.faults = faults

    def as_json(self) -> dict[str, Any]:
        """Plain data with all faults."""
        return {**super().as_json(), "faults": [f.as_json() for f in self.faults]}


class BadRecipe(BadInput):
    """A recipe was refused before anything ran. ``line`` and ``column`` are 1-based, 0 where unknown."""

    code = "bad_recipe"
    exit_code = 2

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", field: str = "", line: int = 0, column: int = 0
    ) -> None:
        where = f" (line {line}, column {column})" if line else ""
        super().__init__(message + where, code=code, hint=hint, field=field)
        self.line = line
        self.column = column

    def as_json(self) -> dict[str, Any]:
        """Plain data with the position."""
        return {**super().as_json(), "line": self.line, "column": self.column}


class Unavailable(GessoError):
    """A capability, engine or weights file that the request needs is not installed; the hint says how to get it."""

    code = "unavailable"
    exit_code = 3


class OutOfMemory(GessoError):
    """Memory ran out even after every fallback."""

    code = "out_of_memory"
    exit_code = 4


class PolicyRefused(GessoError):
    """The operator's policy (licence, consent, content) refuses the request."""

    code = "policy_refused"
    exit_code = 5


class Cancelled(GessoError):
    """The caller asked to stop; nothing was published."""

    code = "cancelled"
    exit_code = 130


class StorageError(GessoError):
    """Reading or writing a file failed (disk full, permission, an output that exists)."""

    code = "storage_error"


class GateFailed(GessoError):
    """A recipe step's gates failed and its ``on_fail`` is ``stop``."""

    code = "gate_failed"


class EngineFailed(GessoError):
    """An engine broke in a way that is not the user's fault; the cause is chained."""

    code = "engine_failed"
