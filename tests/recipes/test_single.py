from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gesso.contracts.errors import BadImage, BadInput, BadParams, EngineFailed, Unavailable
from gesso.contracts.geometry import Box, Point
from gesso.recipes.parse import parse_recipe
from gesso.recipes.plan import make_plan
from gesso.recipes.run import run_plan
from gesso.recipes.single import single
from tests.recipes.bench import Calls, DictStore, fake_bench, half_mask, picture


def test_a_single_operation_gives_its_result_fields() -> None:
    outcome = single("find", {"image": picture()}, fake_bench())
    assert set(outcome.fields) == {
        "status",
        "reason",
        "verdicts",
        "attempts",
        "notices",
        "image",
        "mask",
        "found",
        "level",
    }
    assert outcome.fields["found"] is True and outcome.fields["level"] == 0.25
    assert outcome.image == picture() and outcome.mask == half_mask()
    assert outcome.provenance.recipe_name == "find" and outcome.status == "passed"


VALUES: tuple[dict[str, Any], ...] = (
    {},
    {"amount": 0.25},
    {"amount": "0.25"},
    {"points": [(1, 2), Point(x=3, y=4, label=0)], "box": Box(x0=1, y0=2, x1=3, y1=4)},
    {"points": ("5,6", "7,8"), "box": "1,2,3,4"},
    {"note": "$image"},
    {"note": "$$x: [#1, 'a'] \n\"b\" 1e5"},
    {"note": "null"},
    {"colour": "#a0b0c0", "box": None},
)


@pytest.mark.parametrize("index", range(len(VALUES)))
def test_the_recorded_recipe_does_the_same(index: int) -> None:
    bench = fake_bench()
    given = VALUES[index]
    outcome = single("invert", {"image": picture(), **given}, bench)
    recipe = parse_recipe(outcome.provenance.recipe)
    again = run_plan(make_plan(recipe, bench), {"image": picture()}, bench)
    assert again.image == outcome.image
    assert again.steps[0].params == outcome.steps[0].params
    if "note" in given:
        assert outcome.steps[0].params["note"] == given["note"]


def test_sources_are_admitted() -> None:
    array = picture().pixels.copy()
    outcome = single("fill", {"image": array, "mask": np.eye(16, 24), "value": 3}, fake_bench())
    assert outcome.image is not None and (outcome.image.pixels[np.eye(16, 24) > 0] == 3).all()
    stacked = single("stack", {"images": [array, picture(1)]}, fake_bench())
    assert stacked.image is not None and stacked.image.size == (24, 32)
    assert [i.name for i in stacked.provenance.inputs] == ["images-1", "images-2"]
    with pytest.raises(BadImage):
        single("invert", {"image": b"no picture"}, fake_bench())


def test_all_faults_at_once_and_nothing_runs() -> None:
    calls = Calls()
    with pytest.raises(BadParams) as caught:
        single("invert", {"image": picture(), "amount": 7, "colour": "red", "what": 1}, fake_bench(calls=calls))
    assert {fault.field for fault in caught.value.faults} == {"amount", "colour", "what"}
    assert calls.counts == {}
    with pytest.raises(BadParams) as caught:
        single("invert", {}, fake_bench())
    assert caught.value.faults[0].code == "missing_field"


def test_unknown_and_unavailable() -> None:
    with pytest.raises(BadInput) as caught:
        single("invrt", {}, fake_bench())
    assert caught.value.code == "unknown_operation" and "invert" in caught.value.hint
    with pytest.raises(Unavailable):
        single("enlarge", {"image": picture()}, fake_bench(upscaler=False))
    with pytest.raises(EngineFailed):
        single("break", {"image": picture()}, fake_bench())


def test_failing_verdicts_do_not_raise_and_are_left_as_they_are() -> None:
    outcome = single("judge", {"image": picture(), "limit": 1}, fake_bench())
    assert outcome.fields["passed"] is False and not outcome.verdicts[0].passed
    assert outcome.reason == "" and outcome.notices == () and outcome.attempts == ()


def test_a_single_operation_uses_the_store() -> None:
    calls = Calls()
    bench = fake_bench(store=DictStore(), calls=calls)
    outcomes = [single("find", {"image": picture()}, bench) for _ in range(2)]
    assert calls.counts == {"find": 1} and outcomes[1].steps[0].reused
    assert outcomes[0].fields == outcomes[1].fields


def test_minus_one_draws_a_seed() -> None:
    outcome = single("add-noise", {"image": picture(), "seed": -1}, fake_bench())
    assert outcome.steps[0].params["seed"] >= 0
