"""Atomic writes: what stands under its name is whole, whatever happens to the writer."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from gesso.contracts.errors import StorageError
from gesso.contracts.files import Chunk, publish

TEMP_PREFIX = ".tmp-"
STALE_SECONDS = 3600.0
"""A temporary file older than this belongs to a writer that died; no single write takes an hour."""

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_FORBIDDEN = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))


def storage_error(error: OSError, doing: str) -> StorageError:
    """The operating system's error in our words: code storage_full, storage_unwritable or storage_error."""
    if error.errno in _FULL:
        return StorageError(f"no space is left {doing}", code="storage_full", hint="free some space and run it again")
    if error.errno in _FORBIDDEN:
        return StorageError(f"no permission {doing}", code="storage_unwritable", hint="check the folder's permissions")
    return StorageError(f"failed {doing}: {error.strerror or 'input/output error'}", code="storage_error")


def write_atomically(path: Path, chunks: Iterable[Chunk]) -> None:
    """`chunks` as the file `path`, or nothing at all (see `contracts.files.publish`); raises `StorageError`.

    An existing file is replaced. A killed writer leaves at most a temporary file, which `sweep` removes.
    """
    temporary = path.parent / f"{TEMP_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
    try:
        publish(path, temporary, chunks)
    except OSError as error:
        raise storage_error(error, "while writing to the store") from error


def sweep(folder: Path, *, older_than: float = STALE_SECONDS, now: float | None = None) -> int:
    """Remove temporary files in `folder` (not below) that are older than `older_than` seconds; how many were removed."""
    removed = 0
    limit = (time.time() if now is None else now) - older_than
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.name.startswith(TEMP_PREFIX):
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < limit:
                        path.unlink()
                        removed += 1
    return removed


def remove(path: Path) -> None:
    """Unlink `path`; that it is gone already, or cannot be removed, is no error."""
    with contextlib.suppress(OSError):
        path.unlink()


def touch(path: Path) -> None:
    """Note a use of `path` in its modification time; failing is no error."""
    with contextlib.suppress(OSError):
        os.utime(path)
