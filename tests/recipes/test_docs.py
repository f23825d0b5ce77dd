"""docs/05-recipes.md is executed: its recipes fit the operations that are installed, its Python runs."""

from __future__ import annotations

import re
from pathlib import Path

from gesso import wiring
from gesso.recipes.parse import parse_recipe
from gesso.recipes.plan import make_plan
from gesso.recipes.shelf import shipped_folder

PAGE = (Path(__file__).parents[2] / "docs" / "05-recipes.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_recipes_of_the_page_fit() -> None:
    bench = wiring.build_bench()
    recipes = [parse_recipe(text) for text in blocks("yaml")]
    assert [r.name for r in recipes] == ["tidy", "stubborn"]
    for recipe in recipes:
        make_plan(recipe, bench)


def test_python_of_the_page_runs() -> None:
    names = {"TIDY": blocks("yaml")[0]}
    assert len(blocks("python")) == 2
    for block in blocks("python"):
        exec(compile(block, "docs/05-recipes.md", "exec"), names)


def test_every_shipped_recipe_is_listed() -> None:
    for path in shipped_folder().glob("*.yaml"):
        assert f"| `{path.stem}` |" in PAGE
