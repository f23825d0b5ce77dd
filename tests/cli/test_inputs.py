from __future__ import annotations

import os
from pathlib import Path

import pytest

from gesso.cli.errors import BadUsage
from gesso.cli.inputs import Item, companion, expand
from gesso.contracts.errors import StorageError
from tests.cli.conftest import picture


def names(*words: str, verb: str = "v", skip: Path | None = None) -> list[str]:
    return [str(item.relative) for item in expand(words, verb=verb, skip=skip)]


def test_files_folders_and_patterns_each_once(folder: Path) -> None:
    assert names("in/b.png", "in", "in/*.png") == ["b.png", "a.png", "sub/c.png"]
    assert names("in/**/*.png") == ["a.png", "b.png", "c.png"]
    assert [i.index for i in expand(["in"], verb="v")] == [0, 1, 2]


def test_what_a_folder_leaves_out(folder: Path) -> None:
    for name in ("in/.hidden.png", "in/.dot/x.png", "in/a.v.png", "in/a.v.mask.png", "in/out/z.png"):
        picture(folder / name)
    (folder / "in" / "notes.txt").write_text("x")
    assert names("in", skip=Path("in/out")) == ["a.png", "b.png", "sub/c.png"]
    assert names("in/a.v.png") == ["a.v.png"]


def test_a_file_with_wild_characters_is_itself(folder: Path) -> None:
    picture(folder / "in" / "x[1].png")
    assert names("in/x[1].png") == ["x[1].png"]


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "in" / "sub" / "up").symlink_to(folder / "in")
    assert names("in") == ["a.png", "b.png", "sub/c.png"]


def test_names_that_are_not_text(folder: Path) -> None:
    path = os.fsdecode(b"in/\xff.png")
    picture(folder / "in" / "a.png").rename(folder / path)
    (item,) = (i for i in expand(["in"], verb="v") if "udcff" in i.name)
    assert item.read(1000).startswith(b"\x89PNG")


@pytest.mark.parametrize("word", ["x" * 5000, "a\0b", "", "in/a.png/b", "no/such"])
def test_bad_words(folder: Path, word: str) -> None:
    with pytest.raises(BadUsage):
        expand([word], verb="v")


def test_reading_is_capped_and_failure_is_told(folder: Path) -> None:
    (item,) = expand(["in/a.png"], verb="v")
    (folder / "in" / "a.png").unlink()
    with pytest.raises(StorageError, match=r"no such file"):
        item.read(1000)


def test_companions(folder: Path) -> None:
    items = {str(i.relative): i for i in expand(["in"], verb="v")}
    picture(folder / "m" / "sub" / "c.webp")
    assert companion(Path("m"), items["sub/c.png"]) == Path("m/sub/c.webp")
    with pytest.raises(BadUsage, match="none"):
        companion(Path("m"), items["a.png"])
    picture(folder / "m" / "sub" / "c.png")
    with pytest.raises(BadUsage, match="2 files"):
        companion(Path("m"), items["sub/c.png"])


def test_reading_stops_one_byte_beyond_the_limit(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"123456789")
    item = Item(0, tmp_path / "long", Path("long"))
    assert item.read(5) == b"123456" and item.read(100) == b"123456789"
