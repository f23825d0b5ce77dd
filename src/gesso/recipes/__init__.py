"""Parse, check, plan and run recipes; a single operation is a recipe of one step.

Text → `parse_recipe` → `make_plan` (names, kinds, literals, engines) → `run_plan` → `Outcome`. Everything concrete
(operations, gates, engines, codec, store) arrives in a `gesso.contracts.ports.Bench`.
"""

from __future__ import annotations

from gesso.recipes.model import Recipe
from gesso.recipes.outcome import ItemStatus, Outcome
from gesso.recipes.parse import parse_recipe, parse_setting
from gesso.recipes.plan import Plan, make_plan
from gesso.recipes.run import run_plan
from gesso.recipes.shelf import find_recipe, list_recipes
from gesso.recipes.single import single

__all__ = [
    "ItemStatus",
    "Outcome",
    "Plan",
    "Recipe",
    "find_recipe",
    "list_recipes",
    "make_plan",
    "parse_recipe",
    "parse_setting",
    "run_plan",
    "single",
]
