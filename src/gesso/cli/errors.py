"""The one place where an error becomes what a user of the command line sees: a line, JSON, and an exit code."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import click

from gesso.contracts.errors import BadInput, Cancelled, GessoError, OutOfMemory, StorageError

OK = 0
SOME_FAILED = 1
USAGE = 2
CANCELLED = 130

_STORAGE = {
    errno.ENOSPC: ("storage_full", "the disk is full", "free some space and run again with --resume"),
    errno.EDQUOT: ("storage_full", "the disk quota is used up", "free some space and run again with --resume"),
    errno.EACCES: ("permission_denied", "permission denied", "choose another folder with -o"),
    errno.EPERM: ("permission_denied", "permission denied", "choose another folder with -o"),
    errno.EROFS: ("read_only", "the file system is read-only", "choose another folder with -o"),
    errno.ENAMETOOLONG: ("name_too_long", "the file name is too long", "choose a shorter name with -o"),
    errno.ENOENT: ("file_not_found", "no such file or folder", ""),
    errno.ENOTDIR: ("not_a_folder", "a part of the path is a file, not a folder", ""),
    errno.EISDIR: ("is_a_folder", "this is a folder, not a file", ""),
}


class BadUsage(BadInput):
    """The command itself cannot be carried out as written; nothing was run. Exit code 2."""

    code = "usage"
    exit_code = USAGE


@dataclass(frozen=True)
class Problem:
    """An error ready to be shown. ``details`` is its JSON form; ``faults`` are further lines, one per wrong field."""

    code: str
    message: str
    hint: str
    exit_code: int
    details: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """What is printed: one line, one more per fault when there are several, and the hint."""
        head = (
            (f"error: {self.message} [{self.code}]",) if len(self.faults) < 2 else ("error: several values are wrong",)
        )
        rest = tuple(f"  {line}" for line in self.faults) if len(self.faults) > 1 else ()
        return head + rest + ((f"hint: {self.hint}",) if self.hint else ())


def problem_of(error: BaseException) -> Problem:
    """`error` as a `Problem`. Total: whatever is given, a sentence and an exit code come back."""
    if isinstance(error, GessoError):
        found = error
    elif isinstance(error, click.UsageError):
        found = BadUsage(error.format_message(), hint=_usage_hint(error))
    elif isinstance(error, click.ClickException):
        found = GessoError(error.format_message())
    elif isinstance(error, KeyboardInterrupt | click.Abort):
        found = Cancelled("cancelled")
    elif isinstance(error, MemoryError):
        found = OutOfMemory("memory ran out", hint="use a smaller picture, or fewer at a time with -j 1")
    elif isinstance(error, OSError):
        found = storage_error(error)
    else:
        name = type(error).__name__
        text = next(iter(str(error).splitlines()), "")[:200]
        found = GessoError(
            f"unexpected {name}" + (f": {text}" if text else ""),
            code="internal_error",
            hint="this is a defect of Gesso; run again with --debug to see where, and please report it",
        )
    faults = tuple(f"{f.field or 'parameters'}: {f.message} [{f.code}]" for f in getattr(found, "faults", ()))
    where = "; ".join(getattr(found, "__notes__", ()))
    details = {**found.as_json(), "where": where} if where else found.as_json()
    message = f"{found.message} ({where})" if where else found.message
    return Problem(found.code, message, found.hint, found.exit_code, details, faults)


def storage_error(error: OSError, name: str = "") -> StorageError:
    """An operating system error as a `StorageError` with a stable code (storage_full, permission_denied, …)."""
    code, sentence, hint = _STORAGE.get(error.errno or 0, ("storage_error", error.strerror or type(error).__name__, ""))
    shown = name or (str(error.filename) if error.filename is not None else "")
    made = StorageError(f"{shown}: {sentence}" if shown else sentence, code=code, hint=hint)
    made.__cause__ = error
    return made


def exit_code_of(codes: Iterable[int], *, cancelled: bool = False) -> int:
    """The exit code of a whole run from those of its items.

    130 when it was cancelled, 0 when every item succeeded. When *every* item failed for one reason with a code of its own
    (2 usage, 3 model missing, 4 out of memory, 5 policy), that code; in every other case 1, "some failed".
    """
    every = tuple(codes)
    if cancelled or CANCELLED in every:
        return CANCELLED
    if not any(every):
        return OK
    return every[0] if len(set(every)) == 1 else SOME_FAILED


def _usage_hint(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx is not None else "gesso"
    return f"see `{path} --help`"
