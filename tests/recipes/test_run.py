from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesso.contracts.context import Context
from gesso.contracts.errors import BadImage, BadInput, Cancelled, EngineFailed, GateFailed, OutOfMemory
from gesso.contracts.ports import Bench
from gesso.recipes.outcome import Outcome
from gesso.recipes.parse import parse_recipe
from gesso.recipes.plan import make_plan
from gesso.recipes.run import reusable, run_plan
from gesso.storage.steps import FileStepStore
from tests.recipes.bench import Calls, DictStore, fake_bench, half_mask, picture
from tests.recipes.test_parse import GOOD


def recipe(
    *lines: str, output: str = "{image: $last.image}", inputs: str = "{image: picture}", values: str = "{}"
) -> str:
    body = "".join(f"  - {line}\n" for line in lines)
    return f"gesso: 1\nname: t\ninputs: {inputs}\nvalues: {values}\nsteps:\n{body}output: {output}\n"


def run(
    text: str,
    bench: Bench | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    context: Context | None = None,
    **inputs: Any,
) -> Outcome:
    bench = bench or fake_bench()
    return run_plan(make_plan(parse_recipe(text), bench, values), inputs or {"image": picture()}, bench, context)


def test_the_whole_recipe() -> None:
    before, mask = picture(), half_mask()
    outcome = run(GOOD, image=before, mask=mask)
    assert outcome.status == "passed"
    assert outcome.mask is mask
    found, inverted, big = outcome.steps
    assert (found.status, inverted.status, big.status) == ("done", "done", "done")
    assert [v.gate for v in inverted.verdicts] == ["brightness", "changed", "inside"]
    assert inverted.inputs == {"image": before.sha256, "where": mask_hash(before)}
    assert inverted.params["image"] == {"$picture": before.sha256} and inverted.params["amount"] == 0.5
    assert [e.id for e in big.engines] == ["repeat"] and inverted.engines == ()
    assert [n.code for n in found.notices] == ["looked"] and [a.what for a in found.attempts] == ["looked"]
    image = outcome.image
    assert image is not None and image.size == (48, 32)
    assert outcome.provenance.output_sha256 == image.sha256 == big.outputs["image"]
    assert np.array_equal(image.pixels[::2, 24::2], before.pixels[:, 12:])  # outside `where`: byte-identical
    assert not np.array_equal(image.pixels[::2, :24:2], before.pixels[:, :12])


def mask_hash(before: Any) -> str:
    return half_mask(before.width, before.height).sha256


def test_the_record_is_complete() -> None:
    before, mask = picture(), half_mask()
    record = run(GOOD, image=before, mask=mask, values={"amount": 0.75}).provenance
    assert record.recipe == GOOD and record.recipe_name == "good"
    assert record.values == {"amount": 0.75, "limit": 250, "enlarged": True}
    assert [(i.name, i.kind, i.pixels_sha256) for i in record.inputs] == [
        ("image", "picture", before.sha256),
        ("mask", "mask", mask.sha256),
    ]
    assert record.inputs[0].file_sha256 == before.origin.sha256
    assert record.environment == {"python": "3.11", "numpy": "2"}
    assert record.created.endswith("+00:00")
    assert type(record).model_validate_json(record.model_dump_json()) == record


def test_inputs_are_never_changed() -> None:
    before = picture()
    pixels = before.pixels.copy()
    run(GOOD, image=before, mask=half_mask())
    assert np.array_equal(before.pixels, pixels)


def test_a_list_of_pictures() -> None:
    text = recipe(
        "{id: a, use: invert, with: {image: $image}}",
        "{id: last, use: stack, with: {images: [$image, $a.image]}}",
    )
    outcome = run(text)
    assert outcome.image is not None and outcome.image.size == (24, 32)
    assert set(outcome.steps[1].inputs) == {"images.0", "images.1"}


GATED = "{{id: last, use: invert, with: {{image: $image, amount: 0}}, gates: {{changed: 0.5}}, on_fail: {}{}}}"
TRIES = ", retry: [{amount: 0.001}, {amount: 1}]"
VAIN = ", retry: [{amount: 0.001}, {amount: 0.002}]"


@pytest.mark.parametrize("policy", ["retry", "rollback", "stop", "accept"])
def test_a_further_try_repairs(policy: str) -> None:
    outcome = run(recipe(GATED.format(policy, TRIES)))
    (step,) = outcome.steps
    assert (outcome.status, step.status, step.on_fail) == ("repaired", "repaired", policy)
    assert step.params["amount"] == 1.0
    assert [(a.accepted, a.details.get("params")) for a in step.attempts] == [
        (False, None),
        (False, {"amount": 0.001}),
        (True, {"amount": 1.0}),
    ]
    assert [a.verdicts[0].passed for a in step.attempts] == [False, False, True]
    assert "changed" in step.reason and step.verdicts[0].passed


@pytest.mark.parametrize(("policy", "extra", "tries"), [("stop", "", 1), ("stop", VAIN, 3), ("retry", VAIN, 3)])
def test_stop(policy: str, extra: str, tries: int) -> None:
    calls = Calls()
    with pytest.raises(GateFailed) as caught:
        run(recipe(GATED.format(policy, extra)), fake_bench(calls=calls))
    assert calls.counts == {"invert": tries}
    assert "changed" in caught.value.message and caught.value.field == "last"
    assert caught.value.__notes__ == ["in step last of recipe t"]


@pytest.mark.parametrize(("extra", "tries"), [("", 1), (VAIN, 3)])
def test_rollback_returns_the_input_with_the_reason(extra: str, tries: int) -> None:
    before = picture()
    outcome = run(recipe(GATED.format("rollback", extra)), image=before)
    (step,) = outcome.steps
    assert outcome.image == before
    assert (outcome.status, step.status) == ("rolled_back", "rolled_back")
    assert "changed" in step.reason and outcome.reason == step.reason
    assert len(step.attempts) == tries and not any(a.accepted for a in step.attempts)
    assert step.outputs == {"image": before.sha256}


def test_accept_keeps_the_best_try_and_says_so() -> None:
    outcome = run(recipe(GATED.format("accept", VAIN)))
    (step,) = outcome.steps
    assert outcome.status == "passed"
    assert [n.code for n in step.notices] == ["gate_accepted"]
    assert step.params["amount"] == 0.0 and not step.verdicts[0].passed


def test_retry_without_a_list_takes_the_next_seeds() -> None:
    line = "{id: last, use: add-noise, with: {image: $image, seed: 41}, gates: {brightness: 1}, on_fail: retry}"
    calls = Calls()
    with pytest.raises(GateFailed):
        run(recipe(line), fake_bench(calls=calls))
    assert calls.counts == {"add-noise": 3}
    accepted = run(recipe(line.replace("retry}", "accept, retry: [{seed: 42}]}")))
    assert [a.details["seed"] for a in accepted.steps[0].attempts] == [41, 42]


def test_verdicts_of_the_operation_count() -> None:
    line = "{id: last, use: judge, with: {image: $image, limit: 1}}"
    with pytest.raises(GateFailed, match="brightness"):
        run(recipe(line, output="{level: $last.brightness}"))
    accepted = run(recipe(line.replace("1}}", "1}, on_fail: accept}"), output="{level: $last.brightness}"))
    assert accepted.fields["level"] > 1 and accepted.image is None
    assert accepted.status == "passed" and not accepted.verdicts[0].passed


def test_a_gate_that_does_not_apply_is_a_notice() -> None:
    line = "{id: last, use: enlarge, with: {image: $image}, gates: {changed: 0.5}}"
    (step,) = run(recipe(line)).steps
    assert step.verdicts == () and [n.code for n in step.notices] == ["gate_not_applicable"]


@pytest.mark.parametrize(
    ("how", "error", "code"),
    [
        ("value", EngineFailed, "broken"),
        ("memory", OutOfMemory, "out_of_memory"),
        ("image", BadImage, "too_small_picture"),
        ("engine", EngineFailed, "engine_failed"),
    ],
)
def test_errors_of_a_step(how: str, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        run(recipe(f"{{id: last, use: break, with: {{image: $image, how: {how}}}}}"))
    assert getattr(caught.value, "code") == code  # noqa: B009
    if how in ("value", "memory"):
        assert isinstance(caught.value.__cause__, ValueError | MemoryError)


def test_a_broken_engine_is_a_failing_try() -> None:
    line = "{id: last, use: break, with: {image: $image, how: engine}, on_fail: POLICY, retry: [{how: never}]}"
    outcome = run(recipe(line.replace("POLICY", "stop")))
    assert outcome.status == "repaired"
    assert outcome.steps[0].attempts[0].details["wrong"] == "the engine gave up"
    back = run(recipe(line.replace("POLICY", "rollback").replace("never", "engine")))
    assert back.status == "rolled_back" and back.image == picture()


def test_what_a_broken_engine_leaves_is_not_kept_for_reuse() -> None:
    store = DictStore()
    line = "{id: last, use: break, with: {image: $image, how: engine}, on_fail: rollback, retry: [{how: engine}]}"
    run(recipe(line), fake_bench(store=store))
    run(recipe(line.replace("retry: [{how: engine}]", "retry: [{how: never}]")), fake_bench(store=store))
    assert store.entries == {}


def test_rolling_back_without_any_result() -> None:
    line = "{id: last, use: shatter, with: {image: $image}, on_fail: rollback}"
    outcome = run(recipe(line, output="{image: $last.image, mask: $last.mask}"))
    assert outcome.image == picture() and outcome.mask is not None and outcome.mask.is_empty
    with pytest.raises(BadInput) as caught:
        run(recipe(line, output="{image: $last.image, level: $last.level}"))
    assert caught.value.code == "reference_empty"


def test_a_fault_of_gesso_is_not_retried_and_keeps_its_cause() -> None:
    calls = Calls()
    with pytest.raises(EngineFailed) as caught:
        run(
            recipe("{id: last, use: break, with: {image: $image}, retry: [{how: never}], on_fail: rollback}"),
            fake_bench(calls=calls),
        )
    assert calls.counts == {"break": 1}
    assert isinstance(caught.value.__cause__, ValueError) and str(caught.value.__cause__) == "secret"


def test_out_of_memory_is_never_retried() -> None:
    calls = Calls()
    line = "{id: last, use: break, with: {image: $image, how: memory}, on_fail: rollback, retry: [{how: never}]}"
    with pytest.raises(OutOfMemory):
        run(recipe(line), fake_bench(calls=calls))
    assert calls.counts == {"break": 1}


def test_a_broken_gate_is_an_engine_failure() -> None:
    with pytest.raises(EngineFailed) as caught:
        run(recipe("{id: last, use: invert, with: {image: $image}, gates: {raises: 1}}"))
    assert caught.value.code == "broken" and isinstance(caught.value.__cause__, ZeroDivisionError)


def test_left_out_steps_pass_their_picture_through() -> None:
    lines = (
        "{id: f, use: find, with: {image: $image, nothing: $values.nothing}}",
        "{id: last, use: fill, with: {image: $f.image, mask: $f.mask}, when: $f.found}",
    )
    text = recipe(*lines, values="{nothing: false}")
    assert run(text).image != picture()
    left = run(text, values={"nothing": True})
    assert left.image == picture() and left.status == "passed"
    assert left.steps[1].status == "unchanged" and left.steps[1].reason == "left out, because $f.found is false"
    assert [n.code for n in left.steps[1].notices] == ["left_out"] and left.reason == ""
    with pytest.raises(BadInput) as caught:
        run(text.replace(", when: $f.found", ""), values={"nothing": True})
    assert caught.value.code == "reference_empty"


def test_a_mask_that_is_missing_this_time() -> None:
    text = recipe(
        "{id: f, use: find, with: {image: $image, nothing: true}}",
        "{id: last, use: invert, with: {image: $image}, where: $f.mask}",
    )
    with pytest.raises(BadInput) as caught:
        run(text)
    assert caught.value.code == "reference_empty"


def test_where_and_another_size() -> None:
    line = "{id: last, use: enlarge, with: {image: $image}, where: $mask}"
    with pytest.raises(BadInput) as caught:
        run(recipe(line, inputs="{image: picture, mask: mask}"), image=picture(), mask=half_mask())
    assert caught.value.code == "where_mismatch"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({}, "input_missing"),
        ({"image": picture(), "mask": half_mask()}, "input_unknown"),
        ({"image": 5}, "not_an_image"),
    ],
)
def test_inputs_are_checked(inputs: dict[str, Any], code: str) -> None:
    bench = fake_bench()
    plan = make_plan(parse_recipe(recipe("{id: last, use: find, with: {image: $image}}")), bench)
    with pytest.raises(BadInput) as caught:
        run_plan(plan, inputs, bench)
    assert caught.value.code == code


def test_b3_row_29_minus_one_draws_a_seed_and_records_it() -> None:
    text = recipe("{id: last, use: add-noise, with: {image: $image, seed: $values.seed}}", values="{seed: -1}")
    first, second = run(text), run(text)
    seeds = [o.steps[0].params["seed"] for o in (first, second)]
    assert seeds[0] != seeds[1] and all(0 <= seed < 2**63 for seed in seeds)
    again = run(text, values={"seed": seeds[0]})
    assert again.image == first.image != second.image


def test_progress_names_steps_and_never_goes_back() -> None:
    seen: list[tuple[float, str]] = []
    run(GOOD, image=picture(), mask=half_mask(), context=Context(on_progress=lambda f, m: seen.append((f, m))))
    fractions = [f for f, _ in seen]
    assert fractions == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] == 1.0
    messages = [m for _, m in seen]
    assert messages[0] == "found" and "inverted: half way" in messages and messages[-1] == "big"


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4])
def test_cancellation_between_and_inside_steps(after: int) -> None:
    count = 0

    def cancelled() -> bool:
        nonlocal count
        count += 1
        return count > after

    store = DictStore()
    with pytest.raises(Cancelled):
        run(GOOD, fake_bench(store=store), image=picture(), mask=half_mask(), context=Context(cancelled=cancelled))
    assert len(store.entries) < 3


def test_finished_steps_are_not_run_again() -> None:
    store, calls = DictStore(), Calls()
    bench = fake_bench(store=store, calls=calls)
    first = run(GOOD, bench, image=picture(), mask=half_mask())
    assert calls.counts == {"find": 1, "invert": 1, "enlarge": 1}
    second = run(GOOD, bench, image=picture(), mask=half_mask())
    assert calls.counts == {"find": 1, "invert": 1, "enlarge": 1}
    assert [s.reused for s in first.steps] == [False] * 3 and [s.reused for s in second.steps] == [True] * 3
    assert second.image == first.image
    assert [s.model_copy(update={"reused": False}) for s in second.steps] == list(first.steps)


def test_a_changed_value_runs_only_what_depends_on_it() -> None:
    calls = Calls()
    bench = fake_bench(store=DictStore(), calls=calls)
    run(GOOD, bench, image=picture(), mask=half_mask())
    run(GOOD, bench, image=picture(), mask=half_mask(), values={"amount": 0.9})
    assert calls.counts == {"find": 1, "invert": 2, "enlarge": 2}
    run(GOOD, bench, image=picture(), mask=half_mask(), values={"limit": 251})
    assert calls.counts == {"find": 1, "invert": 3, "enlarge": 2}
    run(GOOD, bench, image=picture(5), mask=half_mask())
    assert calls.counts == {"find": 2, "invert": 4, "enlarge": 3}


def test_what_would_be_reused_is_known_beforehand() -> None:
    calls = Calls()
    bench = fake_bench(store=DictStore(), calls=calls)
    given = {"image": picture(), "mask": half_mask()}
    plan = make_plan(parse_recipe(GOOD), bench)
    assert reusable(plan, given, bench) == ()
    run(GOOD, bench, **given)
    before = dict(calls.counts)
    assert reusable(plan, given, bench) == ("found", "inverted", "big")
    changed = make_plan(parse_recipe(GOOD), bench, {"amount": 0.1})
    assert reusable(changed, given, bench) == ("found",)
    assert calls.counts == before


def test_another_environment_is_another_step() -> None:
    calls = Calls()
    bench = fake_bench(store=DictStore(), calls=calls)
    text = recipe("{id: last, use: invert, with: {image: $image}}")
    run(text, bench)
    run(text, replace(bench, environment={"python": "3.14"}))
    assert calls.counts == {"invert": 2}


def test_another_engine_version_is_another_step() -> None:
    store, calls = DictStore(), Calls()
    text = recipe("{id: last, use: enlarge, with: {image: $image}}")
    run(text, fake_bench(store=store, calls=calls))
    run(text, fake_bench(store=store, calls=calls))
    assert calls.counts == {"enlarge": 1}
    run(text, fake_bench(store=store, calls=calls, engine_version=2))
    assert calls.counts == {"enlarge": 2}


def test_a_renamed_step_is_found_under_its_new_name() -> None:
    bench = fake_bench(store=DictStore())
    run(recipe("{id: last, use: invert, with: {image: $image}}"), bench)
    renamed = run(recipe("{id: other, use: invert, with: {image: $image}}", output="{image: $other.image}"), bench)
    assert renamed.steps[0].reused and renamed.steps[0].id == "other"


def test_a_run_that_stopped_goes_on_where_it_stopped() -> None:
    calls = Calls()
    bench = fake_bench(store=DictStore(), calls=calls)
    lines = ["{id: a, use: invert, with: {image: $image}}", "{id: last, use: break, with: {image: $a.image}}"]
    with pytest.raises(EngineFailed):
        run(recipe(*lines), bench)
    lines[1] = "{id: last, use: find, with: {image: $a.image}}"
    assert run(recipe(*lines), bench).steps[0].reused
    assert calls.counts["invert"] == 1


def test_a_failing_store_never_fails_the_run() -> None:
    outcome = run(GOOD, fake_bench(store=DictStore(full=True)), image=picture(), mask=half_mask())
    assert outcome.image is not None
    assert [n.code for s in outcome.steps for n in s.notices if n.code != "looked"] == ["storage_full"] * 3


@pytest.mark.parametrize("entry", [{}, {"result": {}, "record": {}}, {"result": {"image": 5}, "record": None}])
def test_an_entry_that_does_not_fit_is_run_again(entry: dict[str, Any]) -> None:
    store, calls = DictStore(), Calls()
    bench = fake_bench(store=store, calls=calls)
    text = recipe("{id: last, use: invert, with: {image: $image}}")
    first = run(text, bench)
    store.entries = dict.fromkeys(store.entries, entry)
    assert run(text, bench).image == first.image
    assert calls.counts == {"invert": 2}


def test_the_store_on_disk_gives_back_the_same(tmp_path: Path) -> None:
    calls = Calls()
    bench = fake_bench(store=FileStepStore(tmp_path), calls=calls)
    first = run(GOOD, bench, image=picture(alpha=True), mask=half_mask())
    second = run(GOOD, bench, image=picture(alpha=True), mask=half_mask())
    assert all(s.reused for s in second.steps) and second.image == first.image
    assert sum(calls.counts.values()) == 3


def test_many_threads_on_one_bench_and_plan(tmp_path: Path) -> None:
    bench = fake_bench(store=FileStepStore(tmp_path))
    plan = make_plan(parse_recipe(GOOD), bench)
    expected = {n: run(GOOD, image=picture(n), mask=half_mask()).provenance.output_sha256 for n in range(4)}
    wrong: list[int] = []

    def work(offset: int) -> None:
        for index in range(8):
            number = (index + offset) % 4
            outcome = run_plan(plan, {"image": picture(number), "mask": half_mask()}, bench)
            if outcome.provenance.output_sha256 != expected[number] or len(outcome.steps) != 3:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


WORKER = """
import sys
from pathlib import Path
from gesso.storage.steps import FileStepStore
from tests.recipes.bench import fake_bench, half_mask, picture
from tests.recipes.test_run import GOOD, run
bench = fake_bench(store=FileStepStore(Path(sys.argv[1])))
for number in range(12):
    sys.stdout.write(run(GOOD, bench, image=picture(number), mask=half_mask()).provenance.output_sha256 + "\\n")
"""


def test_two_processes_on_one_store(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    root = Path(__file__).parents[2]
    pair = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(2)]
    outputs = [process.communicate()[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert outputs[0] == outputs[1] and len(outputs[0].split()) == 12


def test_pictures_nobody_needs_any_more_are_let_go() -> None:
    from gesso.recipes.run import used_after

    parsed = parse_recipe(GOOD)
    assert used_after(parsed, 0) == {"found", "inverted", "values", "big", "mask"}
    assert used_after(parsed, 1) == {"inverted", "values", "big", "mask"}
    assert used_after(parsed, 2) == {"big", "mask"}
