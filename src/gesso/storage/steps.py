"""Finished steps on disk: ``contracts.ports.StepStore`` over blobs, with a size cap."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gesso.contracts.errors import StorageError
from gesso.storage.blobs import BlobStore, fan_out, is_sha256, walk
from gesso.storage.entries import blobs_of, decode_entry, encode_entry
from gesso.storage.files import STALE_SECONDS, remove, sweep, touch, write_atomically

SUFFIX = ".json"
KEPT_SHARE = 0.8
"""Collecting goes down to this share of the cap, so that it does not run at every write."""
LOOK_AGAIN_SECONDS = 24 * 3600.0
"""So old a ledger is not trusted: the folder is walked again, and leavings of killed writers are removed."""
LEDGER = "ledger"
"""First line: bytes found by the last walk and when that was; then one line of bytes for every write since, by anyone."""


@dataclass
class FileStepStore:
    """Finished steps below ``root``: entries in ``steps/``, pictures and masks in ``blobs/``, equal ones once.

    Guarantees: what `get` returns is whole and checked by hash, whenever and however a writer was killed; anything
    damaged or partial reads as absent and is removed. Any number of threads and processes may use one folder. Above
    ``max_bytes`` the least recently used entries go first (0: keep nothing). The folder is made on first write.
    """

    root: Path
    max_bytes: int = 4 * 1024**3
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def blobs(self) -> BlobStore:
        """Where the pictures and masks stand."""
        return BlobStore(self.root / "blobs")

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The stored fields, or None. Never raises; notes the use, so that the entry stays longer."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        values = decode_entry(data, self.blobs)
        if values is None:
            remove(path)
        else:
            touch(path)
        return values

    def put(self, key: str, values: Mapping[str, Any]) -> None:
        """Store `values`; raises `StorageError`, and then nothing is visible. Blobs are on disk before the entry is."""
        if self.max_bytes <= 0:
            return
        data = encode_entry(values, self.blobs)
        write_atomically(self._path(key), [data])
        self._account(len(data) + sum(self._size(name) for name in blobs_of(data)))

    def collect(self, *, now: float | None = None) -> int:
        """Remove the least recently used entries above the cap, blobs nobody refers to, and leavings; bytes that remain.

        Blobs without an entry are left alone while they are young: their writer may be about to refer to them.
        """
        moment = time.time() if now is None else now
        for folder in (self.root, *_folders(self.root / "steps"), *_folders(self.root / "blobs")):
            sweep(folder, now=moment)
        blobs = {name: (size, used) for name, size, used in self.blobs.names()}
        entries = sorted(self._entries(), key=lambda entry: entry.used, reverse=True)
        total, kept, dropped = 0, set[str](), set[str]()
        full = sum(e.size for e in entries) + sum(size for size, _ in blobs.values()) > self.max_bytes
        budget = self.max_bytes * KEPT_SHARE if full else self.max_bytes
        for entry in entries:
            cost = entry.size + sum(blobs[b][0] for b in entry.blobs - kept if b in blobs)
            if total + cost <= budget:
                total += cost
                kept |= entry.blobs
            else:
                remove(entry.path)
                dropped |= entry.blobs
        for name, (size, used) in blobs.items():
            if name not in kept and (name in dropped or used < moment - STALE_SECONDS):
                self.blobs.remove(name)
            elif name not in kept:
                total += size
        return total

    def _account(self, size: int) -> None:
        """Note `size` written bytes in the ledger; walk the folder when the ledger says so. Never raises `OSError`."""
        with self._lock:
            total = self._noted(size)
            if total is None or total > self.max_bytes:
                remains = self.collect()
                with contextlib.suppress(StorageError):
                    write_atomically(self.root / LEDGER, [f"{remains} {int(time.time())}\n".encode()])

    def _noted(self, size: int) -> int | None:
        """All bytes by the ledger, with `size` added to it; None when there is no ledger, or an old or broken one."""
        path = self.root / LEDGER
        try:
            first, *more = path.read_bytes().splitlines()
            with path.open("ab") as file:
                file.write(f"{size}\n".encode())
            known, walked = (int(word) for word in first.split())
            fresh = 0 <= time.time() - walked < LOOK_AGAIN_SECONDS
            return known + sum(int(line) for line in more) + size if fresh else None
        except (OSError, ValueError):
            return None

    def _path(self, key: str) -> Path:
        return fan_out(self.root / "steps", key, SUFFIX)

    def _size(self, name: str) -> int:
        try:
            return self.blobs.path(name).stat().st_size
        except OSError:
            return 0

    def _entries(self) -> list[_Entry]:
        out = []
        for folder, path in walk(self.root / "steps"):
            if path.suffix == SUFFIX and is_sha256(folder + path.stem):
                try:
                    stat, data = path.stat(), path.read_bytes()
                except OSError:
                    continue
                out.append(_Entry(path, stat.st_size, stat.st_mtime, blobs_of(data)))
        return out


@dataclass(frozen=True)
class _Entry:
    path: Path
    size: int
    used: float
    blobs: frozenset[str]


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir()]
    except OSError:
        return []
