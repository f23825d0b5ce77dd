from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesso.storage.blobs import BlobStore, is_sha256


def test_round_trip_and_fan_out(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    name = store.put([b"hello ", b"world"])
    assert name == hashlib.sha256(b"hello world").hexdigest()
    assert store.path(name) == tmp_path / name[:2] / name[2:]
    assert store.get(name) == b"hello world"
    assert [n for n, _, _ in store.names()] == [name]


def test_absent_is_none(tmp_path: Path) -> None:
    assert BlobStore(tmp_path / "nowhere").get("0" * 64) is None


@pytest.mark.parametrize("damage", [b"", b"hello worl", b"hello w0rld", b"hello world!"])
def test_damaged_is_absent_and_removed(tmp_path: Path, damage: bytes) -> None:
    store = BlobStore(tmp_path)
    name = store.put([b"hello world"])
    store.path(name).write_bytes(damage)
    assert store.get(name) is None
    assert not store.path(name).exists()
    assert store.put([b"hello world"]) == name
    assert store.get(name) == b"hello world"


def test_same_content_is_written_once(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    inode = store.path(store.put([b"x" * 100])).stat().st_ino
    assert store.path(store.put([b"x" * 60, b"x" * 40])).stat().st_ino == inode


def test_truncated_content_is_written_again(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    name = store.put([b"x" * 100])
    store.path(name).write_bytes(b"x" * 50)
    store.put([b"x" * 100])
    assert store.get(name) == b"x" * 100


@given(st.text(max_size=70))
def test_nothing_but_a_hash_becomes_a_path(name: str) -> None:
    if is_sha256(name):
        assert len(name) == 64 and set(name) <= set("0123456789abcdef")
    else:
        with pytest.raises(AssertionError):
            BlobStore(Path("/nowhere")).path(name)
