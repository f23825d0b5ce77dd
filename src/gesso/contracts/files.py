"""How a file becomes visible: whole, at once, and on disk. Every room that writes files agrees on this."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

Chunk = bytes | bytearray | memoryview


def publish(path: Path, partial: Path, chunks: Iterable[Chunk], *, replace: bool = True) -> None:
    """`chunks` as the file `path`: written to `partial` (a new name in the same folder), fsync, one rename, folder fsync.

    Guarantees: `path` is absent, as it was, or complete; without `replace` an existing file is never replaced, not even one
    that appears meanwhile (`FileExistsError`); a failure leaves no partial file; a killed writer leaves `partial` at most.
    Makes the folder. Raises `OSError`, for the caller to put into words. Source: research B2 rule 7.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            partial.replace(path)
        else:
            _link(partial, path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    _sync_folder(path.parent)


def _link(partial: Path, path: Path) -> None:
    """A hard link fails if the name is taken, which a rename would not; where there are no links, look first."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        partial.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
