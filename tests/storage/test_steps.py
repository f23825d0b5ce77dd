from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesso.contracts.errors import StorageError
from gesso.contracts.picture import Picture
from gesso.contracts.ports import StepStore
from gesso.storage.files import TEMP_PREFIX
from gesso.storage.steps import LEDGER, FileStepStore
from tests.storage.writer import key_of, values_of


def picture(number: int, side: int = 32) -> Picture:
    return Picture(np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8))


def files(root: Path) -> list[Path]:
    return [p for p in root.rglob("*") if p.is_file()]


def size(root: Path) -> int:
    return sum(p.stat().st_size for p in files(root))


def test_round_trip(tmp_path: Path) -> None:
    store: StepStore = FileStepStore(tmp_path / "store")
    assert store.get(key_of(1)) is None
    store.put(key_of(1), values_of(1))
    assert store.get(key_of(1)) == values_of(1)
    assert FileStepStore(tmp_path / "store").get(key_of(1)) == values_of(1)


def test_reading_creates_nothing(tmp_path: Path) -> None:
    FileStepStore(tmp_path / "store").get(key_of(1))
    assert not (tmp_path / "store").exists()


def test_zero_bytes_keeps_nothing(tmp_path: Path) -> None:
    store = FileStepStore(tmp_path, max_bytes=0)
    store.put(key_of(1), values_of(1))
    assert files(tmp_path) == []


def test_damaged_files_read_as_absent_and_are_removed(tmp_path: Path) -> None:
    count = 0
    for index in range(3):  # the entry, the picture, the coverage
        store = FileStepStore(tmp_path / str(index))
        store.put(key_of(1), values_of(1))
        (store.root / LEDGER).unlink()
        path = sorted(files(store.root))[index]
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
        count += 1
        assert store.get(key_of(1)) is None
        assert not store._path(key_of(1)).exists()
        store.put(key_of(1), values_of(1))
        assert store.get(key_of(1)) == values_of(1)
    assert count == 3


def test_missing_blob_reads_as_absent(tmp_path: Path) -> None:
    store = FileStepStore(tmp_path)
    store.put(key_of(1), {"image": picture(1)})
    next((tmp_path / "blobs").rglob("??*/*")).unlink()
    assert store.get(key_of(1)) is None


def test_least_recently_used_entries_go_first(tmp_path: Path) -> None:
    one = 32 * 32 * 3
    store = FileStepStore(tmp_path, max_bytes=10 * (one + 400))
    past = time.time() - 1000
    for number in range(10):
        store.put(key_of(number), {"image": picture(number)})
        if store._path(key_of(number)).exists():
            os.utime(store._path(key_of(number)), (past + number, past + number))
    assert store.get(key_of(0)) is not None  # used now, so it stays
    for number in range(10, 13):
        store.put(key_of(number), {"image": picture(number)})
    assert size(tmp_path) <= store.max_bytes
    assert store.get(key_of(0)) is not None
    assert store.get(key_of(12)) is not None
    assert store.get(key_of(1)) is None
    assert store.get(key_of(2)) is None


def test_the_cap_holds_across_short_lived_processes(tmp_path: Path) -> None:
    one = 32 * 32 * 3 + 400
    for number in range(40):
        FileStepStore(tmp_path, max_bytes=10 * one).put(key_of(number), {"image": picture(number)})
    assert size(tmp_path) <= 10 * one + one
    assert FileStepStore(tmp_path).get(key_of(39)) is not None


@pytest.mark.parametrize(
    "ledger", [b"", b"x", b"5", b"5 0\n", b"5 99999999999\n", b"\xff\xfe", b"5 5 5\n", b"1 2\nx\n"]
)
def test_a_broken_or_old_ledger_is_made_anew(tmp_path: Path, ledger: bytes) -> None:
    store = FileStepStore(tmp_path)
    store.put(key_of(1), {"image": picture(1)})
    (tmp_path / LEDGER).write_bytes(ledger)
    store.put(key_of(2), {"image": picture(2)})
    total, walked = (tmp_path / LEDGER).read_bytes().split()
    assert int(total) == size(tmp_path) - len((tmp_path / LEDGER).read_bytes())
    assert time.time() - int(walked) < 60


def test_shared_blobs_stay_while_one_entry_needs_them(tmp_path: Path) -> None:
    store = FileStepStore(tmp_path, max_bytes=100_000)
    shared = picture(1, 64)
    store.put(key_of(1), {"image": shared})
    store.put(key_of(2), {"image": shared})
    past = time.time() - 10_000
    os.utime(store._path(key_of(1)), (past, past))
    store._path(key_of(1)).unlink()
    store.collect()
    assert store.get(key_of(2)) == {"image": shared}


def test_orphans_and_temporaries_go_when_they_are_old(tmp_path: Path) -> None:
    store = FileStepStore(tmp_path)
    store.put(key_of(1), {"image": picture(1)})
    old, young = store.blobs.put([b"old orphan"]), store.blobs.put([b"young orphan"])
    leaving = store.blobs.path(old).parent / f"{TEMP_PREFIX}1-x"
    leaving.write_bytes(b"half")
    past = time.time() - 8000
    for path in (store.blobs.path(old), leaving):
        os.utime(path, (past, past))
    store.collect()
    assert store.blobs.get(old) is None and not leaving.exists()
    assert store.blobs.get(young) is not None
    assert store.get(key_of(1)) is not None


def test_an_entry_larger_than_the_cap_does_not_stay(tmp_path: Path) -> None:
    store = FileStepStore(tmp_path, max_bytes=1000)
    store.put(key_of(1), {"image": picture(1, 64)})
    assert store.get(key_of(1)) is None
    assert size(tmp_path) <= 1000 and [p.name for p in files(tmp_path)] == [LEDGER]


def test_full_disk_is_a_storage_error_and_nothing_is_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStepStore(tmp_path)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError) as caught:
        store.put(key_of(1), values_of(1))
    assert caught.value.code == "storage_full"
    monkeypatch.undo()
    assert files(tmp_path) == []
    assert store.get(key_of(1)) is None
    store.put(key_of(1), values_of(1))
    assert store.get(key_of(1)) == values_of(1)


def test_threads_on_one_store(tmp_path: Path) -> None:
    store = FileStepStore(tmp_path, max_bytes=60_000)
    wrong: list[Any] = []

    def work(offset: int) -> None:
        for index in range(30):
            number = (index + offset) % 12
            store.put(key_of(number), {"image": picture(number), "number": number})
            found = store.get(key_of((number + 5) % 12))
            if found is not None and found["image"] != picture((number + 5) % 12):
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.collect() <= store.max_bytes


def start_host() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.writer"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )


def asked(host: subprocess.Popen[str], line: str = "") -> str:
    assert host.stdin is not None and host.stdout is not None
    if line:
        host.stdin.write(line + "\n")
        host.stdin.flush()
    return host.stdout.readline().strip()


def test_killed_writers_leave_no_partial_entry(tmp_path: Path) -> None:
    """Twenty kill -9 at random moments, always two writers at once (research B4, fault 4): what is visible is whole."""
    rng = random.Random(5)
    store = FileStepStore(tmp_path)
    hosts = [start_host(), start_host()]
    for cycle in range(10):
        writers = [int(asked(host, f"{cycle * 1000} {tmp_path}")) for host in hosts]
        time.sleep(rng.uniform(0.002, 0.12))
        while cycle == 5 and not any((tmp_path / "steps").glob("??/*.json")):
            time.sleep(0.01)  # a busy machine: something has to be written at all
        for host, writer in zip(hosts, writers, strict=True):
            os.kill(writer, signal.SIGKILL)
            assert asked(host) == "gone"
    for host in hosts:
        host.communicate()
        assert host.returncode == 0
    visible = list((tmp_path / "steps").glob("??/*.json"))
    assert visible
    keys = {key_of(n): n for cycle in range(10) for n in range(cycle * 1000, cycle * 1000 + 1000)}
    for path in visible:
        key = path.parent.name + path.stem
        assert store.get(key) == values_of(keys[key])
    for name, length, _ in store.blobs.names():
        data = store.blobs.get(name)
        assert data is not None and len(data) == length
    store.collect(now=time.time() + 10_000)
    assert [p for p in files(tmp_path) if p.name.startswith(TEMP_PREFIX)] == []
