from __future__ import annotations

from pathlib import Path

import pytest

from gesso.contracts.errors import BadRecipe, StorageError
from gesso.recipes.model import Recipe
from gesso.recipes.shelf import find_recipe, list_recipes, read_recipe, shipped_folder
from tests.recipes.test_parse import GOOD


def test_by_path_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    assert find_recipe(tmp_path / "good.yaml").name == "good"
    assert find_recipe(str(tmp_path / "good.yaml")).name == "good"
    assert find_recipe("good", (tmp_path,)).name == "good"


def test_the_first_folder_wins_over_later_ones_and_shipped(tmp_path: Path) -> None:
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "publish.yml").write_text(GOOD.replace("Everything once", f"number {number}"))
    assert find_recipe("publish", (tmp_path / "a", tmp_path / "b")).title == "number 0"
    assert find_recipe("publish", (tmp_path / "absent", tmp_path / "b")).title == "number 1"


@pytest.mark.parametrize("name", ["publsh", "../publish", "/etc/passwd", "", "a\x00b", "x" * 1000])
def test_unknown_names(name: str) -> None:
    with pytest.raises(BadRecipe) as caught:
        find_recipe(name)
    assert caught.value.code == "recipe_unknown"
    if name == "publsh":
        assert "publish" in caught.value.hint


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path, tmp_path / "a\x00b.yaml"):
        with pytest.raises(StorageError) as caught:
            read_recipe(path)
        assert caught.value.code == "recipe_unreadable"
        assert str(tmp_path) not in caught.value.message


def test_b3_row_32_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_bytes(b"a: " + b"x" * 5_000_000)
    with pytest.raises(BadRecipe) as caught:
        find_recipe("large", (tmp_path,))
    assert caught.value.code == "recipe_too_large"


def test_listing_shows_broken_recipes_as_errors(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: *b")
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "note.txt").write_text("no recipe")
    found = {path.stem: recipe for path, recipe in list_recipes((tmp_path,))}
    assert isinstance(found["good"], Recipe) and isinstance(found["broken"], BadRecipe)
    assert {path.stem for path in shipped_folder().glob("*.yaml")} <= set(found)
    assert "note" not in found
