from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gesso.cli.inputs import Item
from gesso.cli.outputs import PARTIAL, Asked, format_of, must_be_free, place, sweep, write_atomically
from gesso.contracts.errors import StorageError
from tests.cli.conftest import Gesso


def test_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "deep" / "x.png"
    write_atomically(target, b"one", force=False)
    assert target.read_bytes() == b"one"
    write_atomically(target, b"two", force=True)
    assert target.read_bytes() == b"two"

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        write_atomically(target, b"three", force=True)
    assert caught.value.code == "storage_full"
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "x.png"
    real = os.fsync

    def intrude(handle: int) -> None:
        target.write_bytes(b"theirs")
        real(handle)

    monkeypatch.setattr(os, "fsync", intrude)
    with pytest.raises(StorageError) as caught:
        write_atomically(target, b"ours", force=False)
    assert caught.value.code == "output_exists"
    assert target.read_bytes() == b"theirs" and len(list(tmp_path.iterdir())) == 1


def test_file_systems_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    write_atomically(tmp_path / "x.png", b"one", force=False)
    assert (tmp_path / "x.png").read_bytes() == b"one"
    with pytest.raises(StorageError, match="exists"):
        write_atomically(tmp_path / "x.png", b"two", force=False)


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "f/x.png"])
def test_paths_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "f").write_text("a file")
    with pytest.raises(StorageError) as caught:
        write_atomically(tmp_path / name, b"", force=False)
    assert caught.value.code in ("name_too_long", "not_a_folder", "storage_error")


def test_sweeping_removes_what_dead_processes_left(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / PARTIAL.format(pid=dead.pid, token="ab")
    mine = tmp_path / PARTIAL.format(pid=os.getpid(), token="cd")
    for path in (left, mine, tmp_path / ".gesso-x-y.part"):
        path.write_bytes(b"")
    sweep([tmp_path, tmp_path / "missing"])
    assert not left.exists() and mine.exists()
    sweep([tmp_path], own=True)
    assert not mine.exists()


def test_formats() -> None:
    assert format_of(Path("a.JPEG"), ("png", "jpg")) == "jpg"
    assert format_of(Path("a.tif"), ("tiff",)) == "tiff"
    assert format_of(Path("a.jpg"), ("jpeg",)) == "jpeg"


def test_a_faster_run_beside_this_one_counts_as_skipped(
    gesso: Gesso, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(path: Path, data: bytes, *, force: bool) -> None:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"theirs")
        must_be_free(path, force)

    monkeypatch.setattr("gesso.cli.flow.write_atomically", overtaken)
    said = gesso("paint-over", "in", "-o", "out", "--json")
    assert said.code == 0 and {line["status"] for line in said.lines} == {"skipped"}
    assert gesso("paint-over", "in/a.png", "-o", "other.png").code == 1
    assert (folder / "other.png").read_bytes() == b"theirs"


def test_inputs_that_differ_in_their_suffix_only_keep_it(tmp_path: Path) -> None:
    items = [
        Item(index, tmp_path / name, Path(name), from_folder=True)
        for index, name in enumerate(("a.jpg", "a.png", "b.png", "d/a.png"))
    ]
    targets = place(items, Asked(output=str(tmp_path / "out")), "verb", ("png",))
    names = [str(t.image.relative_to(tmp_path / "out")) for t in targets if t.image]
    assert names == ["a.jpg.verb.png", "a.png.verb.png", "b.verb.png", "d/a.verb.png"]
