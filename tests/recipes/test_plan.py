from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gesso.contracts.capabilities import Upscaler
from gesso.contracts.errors import BadParams, BadRecipe, Unavailable
from gesso.contracts.tools import Offer, Tools
from gesso.recipes.parse import parse_recipe
from gesso.recipes.plan import make_plan
from gesso.recipes.run import run_plan
from tests.recipes.bench import Calls, fake_bench, half_mask, picture
from tests.recipes.test_parse import GOOD, changed


def test_a_plan_says_what_will_run() -> None:
    plan = make_plan(parse_recipe(GOOD), fake_bench(), {"limit": 99})
    shown = json.loads(json.dumps(plan.as_json()))
    assert shown["values"] == {"amount": 0.5, "limit": 99, "enlarged": True}
    found, inverted, big = shown["steps"]
    assert (found["operation"], found["version"]) == ("find", 1)
    assert inverted["params"]["amount"] == "$values.amount"
    assert [(g["gate"], g["limit"]) for g in inverted["gates"]] == [
        ("brightness", 99.0),
        ("changed", 0.1),
        ("inside", 1.0),
    ]
    assert big["engines"] == [{"capability": "Upscaler", "engine": "repeat", "usable": True, "needed": True, "why": ""}]
    assert plan.missing == ()


def test_planning_builds_no_engine() -> None:
    def build() -> object:
        raise AssertionError("built")

    bench = replace(fake_bench(), tools=Tools((Offer(Upscaler, "repeat", build),)))
    make_plan(parse_recipe(GOOD), bench)


def test_missing_engine_is_shown_and_refused_before_work() -> None:
    calls = Calls()
    bench = fake_bench(upscaler=False, calls=calls)
    plan = make_plan(parse_recipe(GOOD), bench)
    assert "install repeat" in plan.missing[0]
    assert plan.as_json()["steps"][2]["engines"][0]["usable"] is False
    with pytest.raises(Unavailable) as caught:
        run_plan(plan, {"image": picture(), "mask": half_mask()}, bench)
    assert caught.value.code == "capability_unavailable"
    assert "install repeat" in caught.value.message
    assert calls.counts == {}


def test_a_gate_that_needs_an_engine_is_refused_too() -> None:
    text = changed("inside: default", "sharp: 5")
    assert "step inverted" in make_plan(parse_recipe(text), fake_bench(upscaler=False)).missing[0]


def test_a_step_that_is_switched_off_needs_nothing() -> None:
    plan = make_plan(parse_recipe(GOOD), fake_bench(upscaler=False), {"enlarged": False})
    assert plan.missing == () and plan.steps[2].left_out


def test_faults_are_told_apart() -> None:
    with pytest.raises(BadRecipe):
        make_plan(parse_recipe(changed("use: invert", "use: inverted")), fake_bench())
    with pytest.raises(BadParams):
        make_plan(parse_recipe(GOOD), fake_bench(), {"amount": 9})
