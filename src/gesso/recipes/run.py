"""Run a plan on inputs: admit them, run step after step, assemble the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, EngineFailed, GessoError, OutOfMemory
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench, Codec, Source
from gesso.contracts.provenance import Input, Provenance, StepRecord, without_pictures
from gesso.contracts.version import VERSION
from gesso.recipes.model import Recipe, Reference
from gesso.recipes.outcome import Outcome, status_of
from gesso.recipes.plan import Plan
from gesso.recipes.step import Frame, frame_value, run_step, stored_step
from gesso.recipes.suggest import did_you_mean
from gesso.recipes.tries import BROKEN


def run_plan(
    plan: Plan,
    inputs: Mapping[str, Source],
    bench: Bench,
    context: Context | None = None,
    *,
    seeds: Mapping[str, int] | None = None,
) -> Outcome:
    """The plan's outputs and their record; raises `GessoError` only.

    Guarantees: inputs are never mutated; steps found in ``bench.store`` are not run again (``reused`` in the record); the
    same plan may run in several threads at once; cancellation works between and inside steps. `seeds` maps
    "step/try" to the seed to use where the parameters say -1, for reproduction; otherwise seeds are drawn and recorded.
    Raises `Unavailable`, `BadInput`/`BadImage` for inputs, `GateFailed` (on_fail: stop), `EngineFailed`, `Cancelled`.
    """
    plan.require()
    context = context or Context()
    frame = Frame(bench, guarded, plan.values, admitted(plan.recipe, inputs, bench.codec), dict(seeds or {}))
    records: list[StepRecord] = []
    for index, planned in enumerate(plan.steps):
        part = _named(context.part(index / len(plan.steps), (index + 1) / len(plan.steps)), planned.id)
        part.progress(0.0)
        try:
            frame.results[planned.id], record = run_step(planned, frame, part)
        except GessoError as error:
            error.add_note(f"in step {planned.id} of recipe {plan.recipe.name}")
            raise
        records.append(record)
        for name in set(frame.results) - used_after(plan.recipe, index):
            del frame.results[name]
        part.progress(1.0)
    outputs = {name: frame_value(reference, frame) for name, reference in plan.recipe.output.items()}
    record_of_all = _provenance(plan, frame, tuple(records), outputs)
    return Outcome(outputs, record_of_all, status_of(tuple(records)))


def reusable(plan: Plan, inputs: Mapping[str, Source], bench: Bench) -> tuple[str, ...]:
    """The ids of the first steps that a run would not have to run, because they are in the store or left out.

    Stops at the first step that has to run: what follows depends on its result. Raises `BadInput` for inputs.
    """
    frame = Frame(bench, guarded, plan.values, admitted(plan.recipe, inputs, bench.codec))
    found: list[str] = []
    for planned in plan.steps:
        stored = None if planned.missing else stored_step(planned, frame)
        if stored is None:
            break
        frame.results[planned.id] = stored[0]
        found.append(planned.id)
    return tuple(found)


def guarded(what: str, call: Callable[[], Any]) -> Any:
    """The boundary to operations and gates: what they raise that is not ours arrives as `EngineFailed` (broken) with its
    cause, exhausted memory as `OutOfMemory`.
    """
    try:
        return call()
    except GessoError:
        raise
    except MemoryError as error:
        hint = "use a smaller picture, or give the process more memory"
        raise OutOfMemory(f"not enough memory for {what}", hint=hint) from error
    except Exception as error:
        said = f"{what} broke: {type(error).__name__}"
        raise EngineFailed(said, code=BROKEN, hint="this is a fault of Gesso; please report it") from error


def admitted(recipe: Recipe, inputs: Mapping[str, Source], codec: Codec) -> dict[str, Picture | Mask]:
    """The recipe's inputs as pictures and masks; raises `BadInput` (input_missing, input_unknown) or `BadImage`."""
    for name in inputs:
        if name not in recipe.inputs:
            hint = did_you_mean(name, recipe.inputs)
            raise BadInput(f"{recipe.name} takes no input {name!r}", code="input_unknown", hint=hint, field=name)
    out: dict[str, Picture | Mask] = {}
    for name, kind in recipe.inputs.items():
        if name not in inputs:
            raise BadInput(f"{recipe.name} needs the {kind} {name!r}", code="input_missing", field=name)
        source = inputs[name]
        if kind == "picture":
            out[name] = source if isinstance(source, Picture) else codec.picture(source)
        else:
            out[name] = source if isinstance(source, Mask) else codec.mask(source)
    return out


def used_after(recipe: Recipe, index: int) -> frozenset[str]:
    """The names that steps after number `index`, or the output, refer to; the pictures of others can be let go."""
    later = recipe.steps[index + 1 :]
    found = [*recipe.output.values(), *(r for step in later for r in (step.where, step.when))]
    for step in later:
        for argument in (a for params in (step.params, *step.retry) for a in params.values()):
            found += argument if isinstance(argument, tuple) else [argument]
    return frozenset(reference.name for reference in found if isinstance(reference, Reference))


def _named(context: Context, step: str) -> Context:
    """The context with the step's name before every message."""

    def report(fraction: float, message: str) -> None:
        context.on_progress(fraction, f"{step}: {message}" if message else step)

    return replace(context, on_progress=report)


def _provenance(plan: Plan, frame: Frame, steps: tuple[StepRecord, ...], outputs: Mapping[str, Any]) -> Provenance:
    published = outputs.get("image")
    if not isinstance(published, Picture):
        published = next((value for value in outputs.values() if isinstance(value, Picture)), None)
    return Provenance(
        gesso=VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        recipe=plan.recipe.text,
        recipe_name=plan.recipe.name,
        values=without_pictures(plan.values),
        inputs=tuple(_input(name, value) for name, value in frame.inputs.items()),
        steps=steps,
        output_sha256=published.sha256 if published else "",
        environment=dict(frame.bench.environment),
    )


def _input(name: str, value: Picture | Mask) -> Input:
    if isinstance(value, Mask):
        return Input(name=name, kind="mask", pixels_sha256=value.sha256, width=value.width, height=value.height)
    return Input(
        name=name,
        file_sha256=value.origin.sha256,
        pixels_sha256=value.sha256,
        width=value.width,
        height=value.height,
        changes=tuple(change.code for change in value.changes),
    )
