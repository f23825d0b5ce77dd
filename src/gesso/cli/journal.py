"""What a batch has finished, on disk after every item, so that `--resume` continues even after ``kill -9``.

One JSON object a line. ``started`` is written before an item's output, ``finished`` after it; both are fsynced. A torn
last line, or any line that is not one of ours, is ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from gesso.cli.errors import storage_error
from gesso.cli.inputs import Item
from gesso.cli.text import plain

NAME = ".gesso-journal.jsonl"
"""The journal's name in the folder of the outputs, unless --journal says otherwise."""
MAX_BYTES = 1024 * 1024 * 1024
"""A longer journal is not read (1,000,000 items take about 0.4 GB)."""


class Journal:
    """An append-only journal; thread-safe, and shared by runs that go on at the same time.

    What earlier runs wrote is only looked at with `resume`, and never thrown away without it. Entries are appended whole, so
    that runs do not disturb each other; a lock tells the last one that it is the last. Raises `StorageError` when the file
    cannot be read or written.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._finished: dict[str, Mapping[str, Any]] = {}
        self._started: set[str] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _opened(path)
            self._read(resume)
        except OSError as error:
            raise storage_error(error, plain(str(path))) from error

    def finished(self, key: str) -> Mapping[str, Any] | None:
        """The report of an item that an earlier run completed and whose output is still there unchanged, or None."""
        report = self._finished.get(key)
        if report is None:
            return None
        for name, size in dict(report.get("files") or {}).items():
            with contextlib.suppress(OSError):
                if Path(name).stat().st_size == size:
                    continue
            return None
        return report

    def interrupted(self, key: str) -> bool:
        """Whether an earlier run had begun this item and not completed it, so that an output in its place is ours to
        replace. An output that was complete and is another now is somebody else's.
        """
        return key in self._started

    def start(self, key: str) -> None:
        """Note that an item's work begins; its outputs have been checked to be free."""
        self._write({"event": "started", "key": key})

    def finish(self, key: str, report: Mapping[str, Any], files: tuple[Path, ...]) -> None:
        """Note that an item is complete, with the files it published and their sizes."""
        sizes = {os.path.abspath(p): p.stat().st_size for p in files}  # noqa: PTH100
        self._write({"event": "finished", "key": key, "files": sizes, "report": report})

    def close(self, *, keep: bool) -> None:
        """Let go of the journal. With `keep` False it has served and is removed, unless another run is using it."""
        with contextlib.suppress(OSError):
            if not keep and not self._file.closed and _lock(self._file, alone=True):
                self.path.unlink()
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close(keep=True)

    def _read(self, resume: bool) -> None:
        self._file.seek(0)
        data = b"".join(iter(lambda: self._file.read(1 << 20), b""))[:MAX_BYTES]
        if data and not data.endswith(b"\n"):
            self._append(b"\n")
        for line in data.split(b"\n") if resume else ():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            key = entry["key"]
            if entry["event"] == "started":
                self._started.add(str(key))
            elif entry["event"] == "finished" and isinstance(entry["report"], dict):
                self._finished[str(key)] = {**entry["report"], "files": dict(entry["files"])}
                self._started.discard(str(key))
        except (ValueError, TypeError, KeyError, RecursionError):
            return

    def _write(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            try:
                self._append(line)
                os.fsync(self._file.fileno())
            except OSError as error:
                raise storage_error(error, plain(str(self.path))) from error

    def _append(self, data: bytes) -> None:
        """One write per entry, so that entries of runs at the same time do not mix; more only if the disk fills up."""
        while data:
            data = data[self._file.write(data) :]


def _opened(path: Path) -> io.FileIO:
    """The file at `path` under a shared lock; again, if another run removed it before the lock was had."""
    while True:
        file = io.FileIO(path, "a+")
        _lock(file, alone=False)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _lock(file: io.FileIO, *, alone: bool) -> bool:
    """Take the file's lock, shared or (without waiting) alone; whether that worked. Without locks there is no sharing."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except OSError:
        return False
    return True


def key_of(item: Item, work: Mapping[str, Any]) -> str:
    """Identity of "this file, as it is now, worked on in this way".

    The file counts by path, size and time of modification, standard input not at all (it is never resumed); `work` is
    JSON data that names operation or recipe, version, parameters and output.
    """
    assert item.source is not None
    state = item.source.stat()
    facts = [os.path.abspath(item.source), state.st_size, state.st_mtime_ns, work]  # noqa: PTH100
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
