from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from gesso.contracts.errors import StorageError
from gesso.storage.files import TEMP_PREFIX, sweep, write_atomically


def test_writes_all_chunks_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    write_atomically(path, [b"ab", bytearray(b"c"), memoryview(b"d")])
    assert path.read_bytes() == b"abcd"
    write_atomically(path, [b"x"])
    assert path.read_bytes() == b"x"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "storage_full"),
        (errno.EDQUOT, "storage_full"),
        (errno.EACCES, "storage_unwritable"),
        (errno.EROFS, "storage_unwritable"),
        (errno.EIO, "storage_error"),
    ],
)
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_failing_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str, where: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file"
    path.write_bytes(b"old")
    if where == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError) as caught:
        write_atomically(path, [b"new"])
    assert caught.value.code == code
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(StorageError):
        write_atomically(tmp_path / "taken" / "file", [b"x"])


def test_interrupted_chunks_leave_nothing(tmp_path: Path) -> None:
    def chunks() -> Any:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", chunks())
    assert list(tmp_path.iterdir()) == []


def test_sweep_removes_only_stale_temporaries(tmp_path: Path) -> None:
    old, young, other = tmp_path / f"{TEMP_PREFIX}1", tmp_path / f"{TEMP_PREFIX}2", tmp_path / "kept"
    for path in (old, young, other):
        path.write_bytes(b"x")
    past = time.time() - 7200
    os.utime(old, (past, past))
    os.utime(other, (past, past))
    assert sweep(tmp_path) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([young.name, "kept"])
    assert sweep(tmp_path / "absent") == 0
