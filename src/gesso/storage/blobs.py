"""Content-addressed files: the name is the SHA-256 of the content, so a damaged file cannot pass for a good one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gesso.contracts.files import Chunk
from gesso.storage.files import remove, storage_error, touch, write_atomically

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def is_sha256(name: str) -> bool:
    """Whether `name` is a hash as this room writes it; anything else never becomes part of a path."""
    return _SHA256.fullmatch(name) is not None


def fan_out(root: Path, name: str, suffix: str = "") -> Path:
    """``root/ab/cdef…``: 256 folders, so that none grows too long. `name` must be a SHA-256."""
    assert is_sha256(name), name
    return root / name[:2] / (name[2:] + suffix)


@dataclass(frozen=True)
class BlobStore:
    """Blobs below ``root``. Safe for any number of threads and processes at once; the folder is made on first write."""

    root: Path

    def path(self, sha256: str) -> Path:
        """Where the blob stands if it is there."""
        return fan_out(self.root, sha256)

    def put(self, chunks: Sequence[Chunk]) -> str:
        """Store the concatenated `chunks`, atomically, and return their SHA-256; raises `StorageError`.

        A blob that is there already, in full length, is not written again.
        """
        digest = hashlib.sha256()
        size = 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        name = digest.hexdigest()
        path = self.path(name)
        try:
            if path.stat().st_size == size:
                touch(path)
                return name
        except FileNotFoundError:
            pass
        except OSError as error:
            raise storage_error(error, "while looking into the store") from error
        write_atomically(path, chunks)
        return name

    def get(self, sha256: str) -> bytes | None:
        """The content, checked against its hash; None when absent. A damaged blob is removed and counts as absent."""
        path = self.path(sha256)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != sha256:
            remove(path)
            return None
        return data

    def remove(self, sha256: str) -> None:
        """Forget a blob; that it is absent is no error."""
        remove(self.path(sha256))

    def names(self) -> Iterator[tuple[str, int, float]]:
        """Every blob as (SHA-256, bytes, time of last use)."""
        for folder, file in walk(self.root):
            name = folder + file.name
            if is_sha256(name):
                try:
                    stat = file.stat()
                except OSError:
                    continue
                yield name, stat.st_size, stat.st_mtime


def walk(root: Path) -> Iterator[tuple[str, Path]]:
    """(folder name, file) of every file in a fan-out; vanishing files and folders are skipped."""
    try:
        folders = sorted(p for p in root.iterdir() if len(p.name) == 2)
    except OSError:
        return
    for folder in folders:
        try:
            files = sorted(folder.iterdir())
        except OSError:
            continue
        for file in files:
            yield folder.name, file
