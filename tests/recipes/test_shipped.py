"""The shipped recipes against the real operations, gates and engines, on small pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gesso import wiring
from gesso.contracts.errors import BadInput, GateFailed
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench
from gesso.recipes.model import Recipe, Reference
from gesso.recipes.plan import make_plan
from gesso.recipes.reproduce import reproduce, verify
from gesso.recipes.run import run_plan
from gesso.recipes.shelf import find_recipe, list_recipes
from tests.support.ground_truth import photographs

NAMES = ("product-shot", "publish", "thumbnail")


@pytest.fixture(scope="module")
def bench() -> Bench:
    return replace(wiring.build_bench(), store=None)


def gradient(width: int = 160, height: int = 120) -> Picture:
    """A soft ramp: no text, no subject."""
    across, down = np.linspace(90, 150, width), np.linspace(0, 40, height)
    plane = across[None, :] + down[:, None]
    return Picture(np.dstack([plane, plane + 10, plane + 30]).astype(np.uint8))


def product() -> Picture:
    """A cup on a table: the photograph "coffee" (see docs/06-ground-truth.md) at a third of its size."""
    coffee = photographs()["coffee"].astype(np.float64)[:399, :600]
    small = coffee.reshape(133, 3, 200, 3, 3).mean(axis=(1, 3))
    return Picture(np.rint(small).astype(np.uint8))


def test_there_are_exactly_these() -> None:
    found = list_recipes()
    assert tuple(path.stem for path, _ in found) == NAMES
    for path, recipe in found:
        assert isinstance(recipe, Recipe) and recipe.name == path.stem and recipe.title and recipe.summary


@pytest.mark.parametrize("name", NAMES)
def test_they_fit_what_is_installed(bench: Bench, name: str) -> None:
    plan = make_plan(find_recipe(name), bench)
    assert plan.missing == ()
    assert "image" in plan.recipe.output


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_used(name: str) -> None:
    recipe = find_recipe(name)
    used = {
        argument.field
        for step in recipe.steps
        for argument in (*step.params.values(), step.when, *(g.limit for g in step.gates))
        if isinstance(argument, Reference) and argument.is_value
    }
    assert used == set(recipe.values)


def test_publish_lets_a_picture_without_text_and_subject_pass(bench: Bench) -> None:
    outcome = run_plan(make_plan(find_recipe("publish"), bench), {"image": gradient()}, bench)
    assert outcome.image is not None and outcome.image.size == (320, 240)
    clean, cut, _, _ = outcome.steps
    assert (clean.status, cut.status) == ("unchanged", "unchanged") and cut.reason
    assert not outcome.image.has_alpha
    assert verify(outcome.image, outcome.provenance).intact


def test_publish_cuts_out_and_can_be_made_again(bench: Bench) -> None:
    picture = product()
    plan = make_plan(find_recipe("publish"), bench, {"scale": 2})
    outcome = run_plan(plan, {"image": picture}, bench)
    image = outcome.image
    assert image is not None and image.size == (400, 266) and image.has_alpha
    alpha = image.alpha
    assert alpha is not None and alpha[110, 200] == 255 and alpha[5, 5] == 0
    again = reproduce(outcome.provenance, bench, lambda name, sha256: picture if sha256 == picture.sha256 else None)
    assert again.expectation.level == "identical" and again.identical, again.first_difference


def test_publish_without_cutting_out(bench: Bench) -> None:
    plan = make_plan(find_recipe("publish"), bench, {"cut_out": False})
    outcome = run_plan(plan, {"image": product()}, bench)
    assert outcome.image is not None and not outcome.image.has_alpha


def test_product_shot_puts_the_product_on_the_background(bench: Bench) -> None:
    plan = make_plan(find_recipe("product-shot"), bench, {"background": "#fafafa", "aspect": "4:3"})
    outcome = run_plan(plan, {"image": product()}, bench)
    image = outcome.image
    assert image is not None and not image.has_alpha
    assert abs(image.width / image.height - 4 / 3) < 0.02
    assert image.pixels[0, 0].tolist() == [250, 250, 250]
    assert 0.3 < (image.pixels != 250).any(axis=2).mean() < 0.9


def test_product_shot_refuses_what_has_no_product(bench: Bench) -> None:
    with pytest.raises(BadInput) as caught:
        run_plan(make_plan(find_recipe("product-shot"), bench), {"image": gradient()}, bench)
    assert caught.value.code == "alpha_missing"


@pytest.mark.parametrize(("width", "height"), [(160, 90), (64, 96)])
def test_thumbnail_has_the_asked_size(bench: Bench, width: int, height: int) -> None:
    plan = make_plan(find_recipe("thumbnail"), bench, {"width": width, "height": height})
    outcome = run_plan(plan, {"image": product()}, bench)
    assert outcome.image is not None and outcome.image.size == (width, height)
    assert outcome.status == "passed" and outcome.reason == ""


def test_thumbnail_refuses_to_publish_a_blur(bench: Bench) -> None:
    plan = make_plan(find_recipe("thumbnail"), bench, {"width": 2560, "height": 1440})
    with pytest.raises(GateFailed, match="sharpness"):
        run_plan(plan, {"image": product()}, bench)
