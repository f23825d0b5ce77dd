from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.errors import BadParams, BadRecipe
from gesso.recipes.model import GateLimit, Reference
from gesso.recipes.parse import parse_recipe, parse_setting

GOOD = (Path(__file__).parent / "data" / "good.yaml").read_text()


def refused(text: str) -> BadRecipe:
    with pytest.raises(BadRecipe) as caught:
        parse_recipe(text)
    return caught.value


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def test_every_key() -> None:
    recipe = parse_recipe(GOOD)
    assert (recipe.name, recipe.title) == ("good", "Everything once")
    assert recipe.inputs == {"image": "picture", "mask": "mask"}
    assert recipe.values == {"amount": 0.5, "limit": 250, "enlarged": True}
    assert recipe.output == {"image": Reference("big", "image"), "mask": Reference("mask")}
    found, inverted, big = recipe.steps
    assert (found.id, found.use, found.version, found.on_fail) == ("found", "find", 1, "stop")
    assert inverted.params == {
        "image": Reference("found", "image"),
        "amount": Reference("values", "amount"),
        "points": [[1, 2], [3, 4, 0]],
        "note": "$5",
    }
    assert inverted.gates == (
        GateLimit("brightness", "max", Reference("values", "limit")),
        GateLimit("changed", "min", 0.1),
        GateLimit("inside"),
    )
    assert (inverted.on_fail, inverted.retry) == ("rollback", ({"amount": 1}, {"amount": 0.25}))
    assert (inverted.where, big.when) == (Reference("found", "mask"), Reference("values", "enlarged"))
    assert recipe.text == GOOD
    assert recipe.mark("steps.1.with.amount") == (20, 15)
    assert recipe.mark("steps.1.with.absent.deeper") == recipe.mark("steps.1.with")


def test_bytes_and_text_are_one_recipe() -> None:
    assert parse_recipe(GOOD.encode()) == parse_recipe(GOOD)


def test_an_id_may_be_left_out() -> None:
    assert parse_recipe(changed("id: big\n    use", "use").replace("$big", "$enlarge")).steps[2].id == "enlarge"


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("gesso: 1\n", "", "recipe_version", 1),
        ("gesso: 1\n", "gesso: 2\n", "recipe_version", 1),
        ("gesso: 1\n", "gesso: true\n", "recipe_version", 1),
        ("title:", "titel:", "unknown_key", 3),
        ("name: good", "name: ../good", "bad_name", 2),
        ("name: good", "name: [a]", "bad_name", 2),
        ("name: good\n", "", "missing_key", 1),
        ("title: Everything once", "title: [1]", "bad_text", 3),
        ("image: picture", "image: photo", "unknown_kind", 6),
        ("  image: picture", "  values: picture", "bad_name", 6),
        ("  image: picture", "  1x: picture", "bad_name", 6),
        ("amount: 0.5", "amount: $x.y", "bad_reference", 9),
        ("id: found", "id: values", "bad_name", 13),
        ("use: find@1", "use: Find", "bad_operation", 14),
        ("use: find@1", "use: find@", "bad_operation", 14),
        ("use: find@1", "use: 5", "bad_operation", 14),
        ("use: find@1", "usse: find@1", "unknown_key", 14),
        ("with: {image: $image}", "with: [1]", "not_a_mapping", 15),
        ("with: {image: $image}", "with: {image: $}", "bad_reference", 15),
        ("with: {image: $image}", "with: {image: $a.b.c}", "bad_reference", 15),
        ("with: {image: $image}", 'with: {image: "$ä"}', "bad_reference", 15),
        ("points: [[1, 2], [3, 4, 0]]", "points: [[$a, 2]]", "bad_reference", 21),
        ("changed: {min: 0.1}", "changed: {min: 0.1, max: 1}", "bad_limit", 25),
        ("changed: {min: 0.1}", "changed: {above: 0.1}", "unknown_key", 25),
        ("changed: {min: 0.1}", "changed: high", "bad_limit", 25),
        ("changed: {min: 0.1}", "changed: true", "bad_limit", 25),
        ("on_fail: rollback", "on_fail: rolback", "bad_on_fail", 27),
        ("on_fail: rollback", "on_fail: [stop]", "bad_on_fail", 27),
        ("where: $found.mask", "where: mask", "bad_reference", 31),
        ("when: $found.found", "when: true", "bad_reference", 32),
        ("  image: $big.image\n  mask: $mask\n", "  image: big\n", "bad_reference", 38),
    ],
)
def test_refusals_name_the_line(old: str, new: str, code: str, line: int) -> None:
    error = refused(changed(old, new))
    assert (error.code, error.line) == (code, line)
    assert error.column > 0


def test_hints_name_what_was_meant() -> None:
    assert "title" in refused(changed("title:", "titel:")).hint
    assert "rollback" in refused(changed("on_fail: rollback", "on_fail: rolback")).hint


@pytest.mark.parametrize("text", ["5", "[]", "a", "gesso: 1", "gesso: 1\nname: a\nsteps: []\noutput: {image: $a}"])
def test_things_that_are_no_recipe(text: str) -> None:
    refused(text)


def test_too_many_steps_and_retries() -> None:
    step = "  - {use: find, with: {image: $image}}\n"
    assert refused("gesso: 1\nname: a\nsteps:\n" + step * 65 + "output: {image: $a}").code == "too_many_steps"
    assert refused(changed("      - {amount: 1}\n", "      - {amount: 1}\n" * 8)).code == "bad_retry"


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=400, deadline=None)
def test_mutated_recipes_raise_nothing_else(seed: int, changes: int) -> None:
    rng = random.Random(seed)
    text = GOOD
    for _ in range(changes):
        at = rng.randrange(len(text) + 1)
        what = rng.randrange(4)
        length = rng.randrange(1, 12)
        if what == 0:
            text = text[:at] + text[at + length :]
        elif what == 1:
            text = text[:at] + rng.choice("{}[]:,-&*!|>'\"#%@$ \n\t?~é0.\x00\ud800") + text[at:]
        elif what == 2:
            text = text[:at] + text[at : at + length] * 2 + text[at + length :]
        else:
            lines = text.split("\n")
            rng.shuffle(lines)
            text = "\n".join(lines) if rng.random() < 0.2 else text
    with contextlib.suppress(BadRecipe):
        parse_recipe(text)


@given(st.text(max_size=100) | st.binary(max_size=100))
@settings(max_examples=200, deadline=None)
def test_arbitrary_text_raises_nothing_else(text: str | bytes) -> None:
    with contextlib.suppress(BadRecipe):
        parse_recipe(text)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("scale=4", "scale", 4),
        ("scale=0.5", "scale", 0.5),
        ("on=true", "on", True),
        ("note=a=b", "note", "a=b"),
        ("note=", "note", ""),
        ("box=[1, 2, 3, 4]", "box", [1, 2, 3, 4]),
        ('colour="#ffffff"', "colour", "#ffffff"),
        ("colour=#ffffff", "colour", "#ffffff"),
        ("note= two words", "note", "two words"),
    ],
)
def test_settings_are_read_like_yaml(text: str, name: str, value: object) -> None:
    assert parse_setting(text) == (name, value)


@pytest.mark.parametrize("text", ["scale", "=4", "a b=4", "x=[*a]", "x=[1", "x=.nan"])
def test_bad_settings(text: str) -> None:
    with pytest.raises(BadParams) as caught:
        parse_setting(text)
    assert caught.value.code == "bad_setting"
