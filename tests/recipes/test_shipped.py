"""The shipped recipes against the real operations, gates and engines, on small pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gesso import wiring
from gesso.contracts.errors import BadInput
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench
from gesso.recipes.model import Recipe, Reference
from gesso.recipes.plan import make_plan
from gesso.recipes.reproduce import reproduce, verify
from gesso.recipes.run import run_plan
from gesso.recipes.shelf import find_recipe, list_recipes

NAMES = ("product-shot", "publish", "thumbnail")


@pytest.fixture(scope="module")
def bench() -> Bench:
    return replace(wiring.build_bench(), store=None)


def gradient(width: int = 160, height: int = 120) -> Picture:
    """A soft ramp: no text, no subject."""
    across, down = np.linspace(90, 150, width), np.linspace(0, 40, height)
    plane = across[None, :] + down[:, None]
    return Picture(np.dstack([plane, plane + 10, plane + 30]).astype(np.uint8))


def product(width: int = 160, height: int = 120) -> Picture:
    """A red ball before the ramp."""
    pixels = gradient(width, height).pixels.copy()
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(columns - width / 2, rows - height / 2)
    light = np.clip(1.2 - distance / 60, 0, 1)
    pixels[distance < 32] = (np.array([200, 30, 30]) * light[..., None])[distance < 32].astype(np.uint8)
    return Picture(pixels)


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
    clean, cut, _ = outcome.steps
    assert (clean.status, cut.status) == ("unchanged", "unchanged") and cut.reason
    assert not outcome.image.has_alpha
    assert verify(outcome.image, outcome.provenance).intact


def test_publish_cuts_out_and_can_be_made_again(bench: Bench) -> None:
    picture = product()
    plan = make_plan(find_recipe("publish"), bench, {"scale": 2})
    outcome = run_plan(plan, {"image": picture}, bench)
    image = outcome.image
    assert image is not None and image.size == (320, 240) and image.has_alpha
    alpha = image.alpha
    assert alpha is not None and alpha[120, 160] == 255 and alpha[5, 5] == 0
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
    red = image.pixels[image.height // 2, image.width // 2].astype(int)
    assert red[0] > red[1] + 50


def test_product_shot_refuses_what_has_no_product(bench: Bench) -> None:
    with pytest.raises(BadInput) as caught:
        run_plan(make_plan(find_recipe("product-shot"), bench), {"image": gradient()}, bench)
    assert caught.value.code == "alpha_missing"


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (64, 64)])
def test_thumbnail_has_the_asked_size(bench: Bench, width: int, height: int) -> None:
    plan = make_plan(find_recipe("thumbnail"), bench, {"width": width, "height": height})
    outcome = run_plan(plan, {"image": product()}, bench)
    assert outcome.image is not None and outcome.image.size == (width, height)
