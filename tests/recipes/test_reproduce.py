from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gesso.contracts.errors import BadInput
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import Provenance, read_provenance
from gesso.recipes.outcome import Outcome
from gesso.recipes.reproduce import expectation, reproduce, seeds_of, verify
from gesso.recipes.single import single
from tests.recipes.bench import Calls, DictStore, fake_bench, half_mask, picture
from tests.recipes.test_parse import GOOD
from tests.recipes.test_run import recipe, run

BENCH = fake_bench()


def find(name: str, sha256: str) -> Any:
    inputs = {item.sha256: item for item in (picture(), half_mask())}
    return inputs.get(sha256)


def made() -> tuple[Outcome, Provenance]:
    outcome = run(GOOD, BENCH, image=picture(), mask=half_mask())
    return outcome, read_provenance(outcome.provenance.model_dump_json())


def test_identical() -> None:
    outcome, record = made()
    expected = expectation(record, BENCH, find)
    assert (expected.level, expected.differences, expected.missing, expected.obstacles) == ("identical", (), (), ())
    again = reproduce(record, BENCH, find)
    assert again.identical and again.psnr is None and again.first_difference == ""
    assert again.outcome.image == outcome.image


def test_the_store_is_not_asked() -> None:
    calls = Calls()
    bench = fake_bench(store=DictStore(), calls=calls)
    outcome = run(GOOD, bench, image=picture(), mask=half_mask())
    reproduce(outcome.provenance, bench, find)
    assert calls.counts == {"find": 2, "invert": 2, "enlarge": 2}


def test_drawn_seeds_are_used_again() -> None:
    lines = (
        "{id: a, use: add-noise, with: {image: $image, seed: -1}}",
        "{id: last, use: add-noise, with: {image: $a.image, seed: -1}, gates: {brightness: 1}, on_fail: accept, "
        "retry: [{seed: -1}, {strength: 1}]}",
    )
    outcome = run(recipe(*lines), BENCH)
    seeds = seeds_of(outcome.provenance)
    assert set(seeds) == {"a/0", "last/0", "last/1", "last/2"} and len(set(seeds.values())) == 4
    again = reproduce(outcome.provenance, BENCH, find)
    assert again.identical
    assert [a.details for a in again.outcome.attempts] == [a.details for a in outcome.attempts]
    assert run(recipe(*lines), BENCH).image != outcome.image


def test_a_single_operation_can_be_made_again() -> None:
    outcome = single("add-noise", {"image": picture(), "seed": -1}, BENCH)
    assert reproduce(outcome.provenance, BENCH, find).identical


@pytest.mark.parametrize("change", ["gesso", "environment", "gone", "engine"])
def test_close_lists_what_differs(change: str) -> None:
    _, record = made()
    bench = BENCH
    if change == "gesso":
        record = record.model_copy(update={"gesso": "0.0.1"})
    elif change == "environment":
        bench = replace(BENCH, environment={"python": "3.12", "numpy": "2"})
    elif change == "gone":
        bench = replace(BENCH, environment={"python": "3.11"})
    else:
        bench = fake_bench(engine_version=2)
    expected = expectation(record, bench, find)
    assert expected.level == "close" and len(expected.differences) == 1
    name = {"gesso": "gesso", "environment": "python", "gone": "numpy", "engine": "engine repeat"}[change]
    assert expected.differences[0].what == name
    assert name in expected.as_json()["differences"][0]
    assert reproduce(record, bench, find).identical


def test_another_operation_version_is_replay_only_and_still_runs() -> None:
    outcome = single("invert", {"image": picture()}, BENCH)
    newer = replace(BENCH.operations["invert"], version=4)
    bench = replace(BENCH, operations={**BENCH.operations, "invert": newer})
    expected = expectation(outcome.provenance, bench, find)
    assert expected.level == "replay_only" and expected.obstacles == ()
    assert str(expected.missing[0]) == "operation invert: version 3 then, version 4 now"
    assert reproduce(outcome.provenance, bench, find).identical


def test_other_pixels_are_measured_and_located() -> None:
    outcome, record = made()

    def darker(params: Any, tools: Any, context: Any) -> Any:
        result = BENCH.operations["invert"].run(params, tools, context)
        return result.model_copy(update={"image": Picture(result.image.pixels // 2)})

    other = replace(BENCH.operations["invert"], run=darker)
    bench = replace(BENCH, operations={**BENCH.operations, "invert": other})
    again = reproduce(record, bench, find, published=outcome.image)
    assert not again.identical and again.first_difference == "inverted.image"
    assert outcome.image is not None and again.outcome.image is not None
    error = np.mean((outcome.image.pixels.astype(float) - again.outcome.image.pixels) ** 2)
    assert again.psnr == pytest.approx(10 * np.log10(255**2 / error), abs=0.01)
    assert again.as_json()["level"] == "identical"


def test_obstacles_are_named_and_refused() -> None:
    _, record = made()
    nothing = expectation(record, BENCH, lambda name, sha256: None)
    assert nothing.level == "replay_only" and len(nothing.obstacles) == 2
    with pytest.raises(BadInput) as caught:
        reproduce(record, BENCH, lambda name, sha256: None)
    assert caught.value.code == "cannot_reproduce"
    for bench in (
        fake_bench(upscaler=False),
        replace(BENCH, operations={k: v for k, v in BENCH.operations.items() if k != "invert"}),
    ):
        expected = expectation(record, bench, find)
        assert expected.level == "replay_only" and expected.missing and expected.obstacles
    assert expectation(record.model_copy(update={"recipe": ""}), BENCH, find).obstacles
    assert expectation(record.model_copy(update={"recipe": "a: *b"}), BENCH, find).obstacles


def test_an_input_with_other_pixels_is_refused() -> None:
    _, record = made()
    with pytest.raises(BadInput) as caught:
        reproduce(record, BENCH, lambda name, sha256: half_mask() if name == "mask" else picture(9))
    assert caught.value.code == "input_changed"


def test_verify() -> None:
    outcome, record = made()
    assert outcome.image is not None
    found = verify(outcome.image, record)
    assert found.intact and found.problems == ()
    assert not verify(picture(3), record).intact
    rolled = run(
        recipe("{id: last, use: invert, with: {image: $image, amount: 0}, gates: {changed: 1}, on_fail: rollback}"),
        BENCH,
    )
    assert rolled.image is not None and verify(rolled.image, rolled.provenance).intact


@pytest.mark.parametrize(
    ("update", "word"),
    [
        ({"steps": ()}, "no step"),
        ({"inputs": ()}, "nothing before it"),
        ({"output_sha256": "0" * 64}, "no step"),
        ({"recipe": ""}, "missing"),
        ({"recipe": "gesso: 9"}, "cannot be read"),
        ({"recipe": GOOD.replace("id: found", "id: fund").replace("$found", "$fund")}, "steps"),
        ({"recipe": GOOD.replace("  mask: mask\n", "").replace("  mask: $mask\n", "")}, "inputs"),
    ],
)
def test_records_that_contradict_themselves(update: dict[str, Any], word: str) -> None:
    outcome, record = made()
    assert outcome.image is not None
    found = verify(outcome.image, record.model_copy(update=update))
    assert not found.intact and any(word in problem for problem in found.problems)


def test_a_false_rollback_is_found() -> None:
    outcome, record = made()
    steps = (*record.steps[:1], record.steps[1].model_copy(update={"status": "rolled_back"}), *record.steps[2:])
    assert outcome.image is not None
    assert "rolled back" in verify(outcome.image, record.model_copy(update={"steps": steps})).problems[0]
