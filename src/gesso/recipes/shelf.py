"""Find recipes: by name in folders and among the shipped ones, or by path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gesso.contracts.errors import BadInput, BadRecipe, StorageError
from gesso.recipes.model import Recipe
from gesso.recipes.parse import parse_recipe
from gesso.recipes.suggest import did_you_mean
from gesso.recipes.yaml_nodes import MAX_BYTES

SUFFIXES = (".yaml", ".yml")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)


def shipped_folder() -> Path:
    """The folder of the recipes that come with Gesso."""
    return Path(__file__).parent / "shipped"


def find_recipe(name: str | Path, folders: Iterable[Path] = ()) -> Recipe:
    """The recipe called `name` in `folders`, then among the shipped ones, or in the file `name` if it ends in .yaml.

    Raises `BadRecipe` (line and column, or recipe_unknown with a hint) and `StorageError` (recipe_unreadable).
    """
    if isinstance(name, Path) or name.endswith(SUFFIXES):
        return read_recipe(Path(name))
    places = {path.stem: path for path in _files(folders)}
    if not _WORD.fullmatch(name) or name not in places:
        hint = did_you_mean(name, places)
        raise BadRecipe(f"there is no recipe {name[:80]!r}", code="recipe_unknown", hint=hint or "give a .yaml file")
    return read_recipe(places[name])


def read_recipe(path: Path) -> Recipe:
    """The recipe in the file `path`; `BadRecipe` for its faults, `StorageError` (recipe_unreadable) if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or "not a path"
        raise StorageError(f"the recipe {path.name!r} cannot be read: {reason}", code="recipe_unreadable") from error
    return parse_recipe(data)


def list_recipes(folders: Iterable[Path] = ()) -> tuple[tuple[Path, Recipe | BadInput], ...]:
    """Every recipe that `find_recipe` finds by name, with its file; a broken one stands as its error."""
    out: list[tuple[Path, Recipe | BadInput]] = []
    for path in sorted({file.stem: file for file in _files(folders)}.values(), key=lambda p: p.stem):
        try:
            out.append((path, read_recipe(path)))
        except BadInput as error:
            out.append((path, error))
    return tuple(out)


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    """Recipe files, shipped ones first, so that in a dict by name the first of `folders` wins."""
    for folder in (shipped_folder(), *reversed(tuple(folders))):
        if folder.is_dir():
            yield from sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES and p.is_file())
