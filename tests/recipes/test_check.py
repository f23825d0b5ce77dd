from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso import wiring
from gesso.contracts.errors import BadParams, BadRecipe
from gesso.contracts.fields import fields_of
from gesso.recipes.check import check
from gesso.recipes.parse import parse_recipe
from gesso.recipes.yaml_nodes import write_yaml
from tests.recipes.bench import fake_bench
from tests.recipes.test_parse import GOOD, changed

BENCH = fake_bench()


def checked(text: str, values: dict[str, Any] | None = None) -> Any:
    return check(parse_recipe(text), BENCH.operations, BENCH.gates, values)


def refused(text: str) -> BadRecipe:
    with pytest.raises(BadRecipe) as caught:
        checked(text)
    return caught.value


def steps(*lines: str, output: str = "{image: $image}", inputs: str = "{image: picture, mask: mask}") -> str:
    return (
        f"gesso: 1\nname: t\ninputs: {inputs}\nvalues: {{n: 3, half: 0.5, word: x, none: null, yes: true}}\nsteps:\n"
        + "".join(f"  - {line}\n" for line in lines)
        + f"output: {output}\n"
    )


def test_a_good_recipe() -> None:
    found = checked(GOOD, {"amount": 0.75})
    assert found.values == {"amount": 0.75, "limit": 250, "enlarged": True}
    assert [s.source for s in found.steps] == ["image"] * 3
    assert [g.id for g in found.steps[1].gates] == ["brightness", "changed", "inside"]


FIND = "{id: f, use: find, with: {image: $image}}"


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        ("{use: fnid, with: {image: $image}}", "unknown_operation", "find"),
        ("{use: find@9, with: {image: $image}}", "operation_version", ""),
        ("{use: find, with: {imgae: $image}}", "unknown_param", "image"),
        ("{use: find, with: {image: $imag}}", "unknown_reference", "image"),
        ("{use: find, with: {image: $f.image}}", "forward_reference", ""),
        ("{id: self, use: find, with: {image: $self.image}}", "forward_reference", ""),
        ("{use: find, with: {image: $image.size}}", "unknown_reference", "$image"),
        ("{use: find, with: {image: $mask}}", "wrong_kind", ""),
        ("{use: find, with: {image: $values.nn}}", "unknown_reference", "n"),
        ("{use: find, with: {image: photo.png}}", "is_instance_of", "$picture"),
        ("{use: find}", "missing_field", ""),
        ("{use: find, with: {image: null}}", "is_instance_of", ""),
        ("{use: invert, with: {image: $image, amount: 2}}", "too_large", ""),
        ("{use: invert, with: {image: $image, amount: many}}", "float_parsing", ""),
        ("{use: invert, with: {image: $image, colour: null}}", "string_type", "quotes"),
        ("{use: invert, with: {image: $image, box: [3, 3, 1, 1]}}", "box_empty", ""),
        ("{use: invert, with: {image: $image, points: [[1, 2, 3, 4]]}}", "too_many", ""),
        ("{use: invert, with: {image: [$image]}}", "wrong_kind", ""),
        ("{use: stack, with: {images: $image}}", "wrong_kind", ""),
        ("{use: stack, with: {images: [$image, $mask]}}", "wrong_kind", ""),
        ("{use: invert, with: {image: $image, amount: $values.word}}", "float_parsing", ""),
        ("{use: invert, with: {image: $image}, gates: {brightnes: 1}}", "unknown_gate", "brightness"),
        ("{use: invert, with: {image: $image}, gates: {brightness: {min: 1}}}", "bad_limit", "max"),
        ("{use: invert, with: {image: $image}, gates: {changed: {max: 1}}}", "bad_limit", "min"),
        ("{use: invert, with: {image: $image}, gates: {changed: $values.word}}", "bad_limit", ""),
        ("{use: invert, with: {image: $image}, gates: {changed: $image}}", "wrong_kind", ""),
        ("{use: invert, with: {image: $image}, gates: {inside: 1}}", "gate_evidence", "where"),
        ("{use: stack, with: {images: [$image]}, gates: {changed: 1}}", "gate_evidence", ""),
        ("{use: judge, with: {image: $image}, gates: {brightness: 1}}", "gate_without_image", ""),
        ("{use: invert, with: {image: $image}, on_fail: retry}", "bad_retry", "retry"),
        ("{use: judge, with: {image: $image}, on_fail: rollback}", "bad_on_fail", ""),
        ("{use: judge, with: {image: $image}, where: $mask}", "bad_where", ""),
        ("{use: invert, with: {image: $image}, where: $image}", "wrong_kind", ""),
        ("{use: invert, with: {image: $image}, where: $values.n}", "wrong_kind", ""),
        ("{use: invert, with: {image: $image}, when: $values.n}", "wrong_kind", ""),
        ("{use: invert, with: {image: $image}, when: $image}", "wrong_kind", ""),
        ("{use: judge, with: {image: $image}, when: $values.yes}", "bad_when", ""),
        ("{use: invert, with: {image: $image}, retry: [{amuont: 1}]}", "unknown_param", "amount"),
        ("{use: invert, with: {image: $image}, retry: [{amount: 7}]}", "too_large", ""),
        ("{id: image, use: find, with: {image: $image}}", "duplicate_id", ""),
    ],
)
def test_refused_before_anything_runs(line: str, code: str, hint: str) -> None:
    error = refused(steps(line, FIND))
    assert error.code == code
    assert error.line == 6
    assert hint in error.hint


def test_two_steps_of_one_name() -> None:
    error = refused(steps(FIND, FIND))
    assert (error.code, error.line) == ("duplicate_id", 7)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("{image: $nothing}", "unknown_reference"),
        ("{image: $f.level}", "wrong_kind"),
        ("{image: $f}", "unknown_reference"),
        ("{image: $f.leve}", "unknown_reference"),
    ],
)
def test_outputs_are_checked(output: str, code: str) -> None:
    error = refused(steps(FIND, output=output))
    assert (error.code, error.line) == (code, 7)


def test_numbers_and_integers_fit_where_they_should() -> None:
    checked(steps(FIND, "{use: invert, with: {image: $image, amount: $f.level}}"))
    checked(steps(FIND, "{use: invert, with: {image: $image, note: $f.status}}"))
    assert refused(steps(FIND, "{use: add-noise, with: {image: $image, strength: $f.level}}")).code == "wrong_kind"


def test_only_the_image_of_a_conditional_step_can_be_used() -> None:
    left = "{id: f, use: find, with: {image: $image}, when: $values.yes}"
    checked(steps(left, "{use: invert, with: {image: $f.image}}"))
    error = refused(steps(left, "{use: invert, with: {image: $f.image}, where: $f.mask}"))
    assert error.code == "conditional_reference"


def test_b3_row_28_all_faults_are_listed_at_once() -> None:
    text = steps(
        "{id: a, use: invert, with: {image: $image, amount: 2, note: 5, colour: red}}",
        "{id: b, use: nonsense}",
        "{id: c, use: add-noise, with: {image: $image, strength: 10000000}}",
    )
    error = refused(text)
    shown = error.message + error.hint
    for word in ("amount", "note", "colour", "nonsense", "strength"):
        assert word in shown
    assert "line 7" in shown and "line 8" in shown


@pytest.mark.parametrize("seed", [-1, 0, 2**63 - 1])
def test_b3_row_29_seeds_in_range(seed: int) -> None:
    checked(steps(f"{{use: add-noise, with: {{image: $image, seed: {seed}}}}}"))


@pytest.mark.parametrize("seed", [-2, 2**63, 2**64, "abc", 1.5])
def test_b3_row_29_seeds_out_of_range(seed: object) -> None:
    error = refused(steps(f"{{use: add-noise, with: {{image: $image, seed: {seed}}}}}"))
    assert error.line == 6 and error.field == "steps.0.with.seed"


def test_values_of_the_caller_are_refused_as_parameters() -> None:
    text = steps("{use: invert, with: {image: $image, amount: $values.half}, gates: {brightness: $values.n}}")
    for values, field, code in (
        ({"half": 3}, "half", "too_large"),
        ({"half": "x"}, "half", "float_parsing"),
        ({"haf": 1}, "haf", "unknown_value"),
        ({"n": "x"}, "n", "bad_limit"),
    ):
        with pytest.raises(BadParams) as caught:
            checked(text, values)
        assert (caught.value.faults[0].field, caught.value.faults[0].code) == (field, code)
    with pytest.raises(BadParams) as caught:
        checked(text, {"half": 3, "haf": 1, "n": None})
    assert {fault.field for fault in caught.value.faults} == {"half", "haf", "n"}
    assert "half" in caught.value.message
    assert checked(text, {"half": 1, "n": 7}).values["n"] == 7


def test_a_broken_default_is_mended_by_the_caller() -> None:
    text = steps("{use: invert, with: {image: $image, amount: $values.none}}")
    refused(text)
    checked(text, {"none": 0.5})


def test_changed_recipe_is_the_good_one_otherwise() -> None:
    checked(changed("scale: 2", "scale: 3"))


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**39), 10**39)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
    | st.sampled_from(
        ["$image", "$mask", "$values.n", "$values.word", "$x.y", "$$", "1,2", "1,2,3,4", "#ffffff", "gradient"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["kind", "x0", "points", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_b3_row_28_any_value_of_any_parameter_is_checked_or_refused(data: st.DataObject) -> None:
    """Against the real operations: whatever stands in a recipe, planning gives a plan or `BadRecipe`."""
    operation = data.draw(st.sampled_from(wiring.operations()))
    params = fields_of(operation.params)
    chosen = data.draw(st.lists(st.sampled_from(params), max_size=3, unique_by=lambda spec: spec.name))
    given_: dict[str, Any] = {"image": "$image"} | {spec.name: data.draw(ODD) for spec in chosen}
    step = {
        "use": operation.id,
        "with": given_,
        "on_fail": data.draw(st.sampled_from(["stop", "retry", "rollback", "accept"])),
    }
    text = write_yaml(
        {
            "gesso": 1,
            "name": "t",
            "inputs": {"image": "picture", "mask": "mask"},
            "values": {"n": 3, "word": "x"},
            "steps": [step],
            "output": {"image": "$image"},
        }
    )
    with contextlib.suppress(BadRecipe):
        check(parse_recipe(text), {o.id: o for o in wiring.operations()}, {})
