"""Run one step: resolve its parameters, look into the store, try, judge, and do what `on_fail` says."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import BadInput, StorageError
from gesso.contracts.mask import Mask
from gesso.contracts.model import Params, validated
from gesso.contracts.operation import Result
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench
from gesso.contracts.provenance import StepRecord, without_pictures
from gesso.contracts.verdict import Notice
from gesso.contracts.version import VERSION
from gesso.recipes.model import Reference
from gesso.recipes.outcome import LEFT_OUT
from gesso.recipes.plan import RESEEDED_TRIES, PlannedStep
from gesso.recipes.stored import restored, to_store
from gesso.recipes.tries import Guard, Kept, run_tries

SEED_SPAN = 2**63
"""Seeds lie in 0 … SEED_SPAN − 1 (contracts.fields.Seed)."""


@dataclass(frozen=True)
class Frame:
    """What steps of one run share. ``results`` grows by one entry per finished step; ``seeds`` are those to use again;
    ``guard`` is the boundary to foreign exceptions.
    """

    bench: Bench
    guard: Guard
    values: Mapping[str, Any]
    inputs: Mapping[str, Picture | Mask]
    seeds: Mapping[str, int] = field(default_factory=dict)
    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def run_step(planned: PlannedStep, frame: Frame, context: Context) -> tuple[Mapping[str, Any], StepRecord]:
    """The step's result fields and its record; raises `GessoError` only.

    Guarantees: a finished step whose key is in the store is not run again; a failing store never fails the step; foreign
    exceptions of the operation arrive as `EngineFailed` with their cause.
    """
    if _is_left_out(planned, frame):
        return _passed_through(planned, frame)
    tries, where, key = _ready(planned, frame)
    stored = _from_store(planned, frame.bench, key)
    if stored is not None:
        context.progress(1.0, "reused")
        return stored
    began = time.perf_counter()
    tools = frame.bench.tools.recording()
    kept = run_tries(planned, tries, where, tools, context, frame.guard)
    record = _record(planned, kept, where, tools.used, time.perf_counter() - began)
    if kept.lasting:
        record = _into_store(frame.bench, key, kept.result, record)
    return fields(kept.result), record


def stored_step(planned: PlannedStep, frame: Frame) -> tuple[Mapping[str, Any], StepRecord] | None:
    """What `run_step` would give without running anything, or None where it would have to run."""
    if _is_left_out(planned, frame):
        return _passed_through(planned, frame)
    return _from_store(planned, frame.bench, _ready(planned, frame)[2])


def _is_left_out(planned: PlannedStep, frame: Frame) -> bool:
    when = planned.checked.step.when
    return planned.left_out or (when is not None and frame_value(when, frame) is False)


def _ready(planned: PlannedStep, frame: Frame) -> tuple[tuple[Params, ...], Mask | None, str]:
    """The parameters of every try, the mask of `where`, and the step's key."""
    step = planned.checked.step
    where = frame_value(step.where, frame) if step.where else None
    if step.where and not isinstance(where, Mask):
        raise BadInput(f"step {step.id}: {step.where} is no mask this time", code="reference_empty")
    tries = _tries(planned, frame)
    return tries, where, step_key(planned, tries, where, frame.bench)


def frame_value(reference: Reference, frame: Frame) -> Any:
    """What `reference` stands for in this run."""
    if reference.is_value:
        return frame.values[reference.field]
    if reference.name in frame.inputs:
        return frame.inputs[reference.name]
    found = frame.results[reference.name]
    if reference.field not in found:
        raise BadInput(f"there is no {reference} this time: the step was rolled back", code="reference_empty")
    return found[reference.field]


def fields(model: BaseModel) -> dict[str, Any]:
    """The model's fields by name, pictures and masks as they are; without those that a rollback left open."""
    return {name: getattr(model, name) for name in type(model).model_fields if hasattr(model, name)}


def step_key(planned: PlannedStep, tries: tuple[Params, ...], where: Mask | None, bench: Bench) -> str:
    """SHA-256 over all that decides the result: operation and version, the resolved parameters of every try (pictures by
    hash), gates with limits, policy, mask, every engine that the step may use, and the environment.
    """
    checked = planned.checked
    capabilities = (*checked.operation.needs, *checked.operation.wants, *(c for g in checked.gates for c in g.needs))
    engines = [
        engine.info.model_dump(mode="json") for c in dict.fromkeys(capabilities) for engine in bench.tools.all(c)
    ]
    content = {
        "gesso": VERSION,
        "operation": [checked.operation.id, checked.operation.version],
        "tries": [without_pictures(params) for params in tries],
        "gates": [[g.gate.id, g.limit] for g in planned.gates],
        "on_fail": checked.step.on_fail,
        "where": where.sha256 if where else "",
        "engines": engines,
        "environment": dict(bench.environment),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _tries(planned: PlannedStep, frame: Frame) -> tuple[Params, ...]:
    """The parameters of every try, resolved once: references replaced, seeds drawn."""
    step, operation = planned.checked.step, planned.checked.operation
    out: list[Params] = []
    for number, extra in enumerate(({}, *step.retry)):
        values = {name: _argument(value, frame) for name, value in {**step.params, **extra}.items()}
        _refuse_empty(planned, {**step.params, **extra}, values)
        out.append(_seeded(validated(operation.params, values), frame.seeds.get(f"{step.id}/{number}")))
    if step.on_fail == "retry" and not step.retry:
        first: Any = out[0]
        out += [first.model_copy(update={"seed": (first.seed + n) % SEED_SPAN}) for n in range(1, RESEEDED_TRIES + 1)]
    return tuple(out)


def _refuse_empty(planned: PlannedStep, written: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is None and isinstance(written[name], Reference) and not planned.checked.params[name].optional:
            raise BadInput(
                f"step {planned.id}: {name} is {written[name]}, and there is none this time",
                code="reference_empty",
                hint="give the step a `when`",
                field=name,
            )


def _argument(value: Any, frame: Frame) -> Any:
    if isinstance(value, Reference):
        return frame_value(value, frame)
    if isinstance(value, tuple):
        return tuple(_argument(item, frame) for item in value)
    return value


def _seeded(params: Params, seed: int | None) -> Params:
    if getattr(params, "seed", None) != -1:
        return params
    return params.model_copy(update={"seed": secrets.randbelow(SEED_SPAN) if seed is None else seed})


def _passed_through(planned: PlannedStep, frame: Frame) -> tuple[Mapping[str, Any], StepRecord]:
    """The input picture as the image of a step that does not run, and the record that says so."""
    step, operation = planned.checked.step, planned.checked.operation
    given = {name: _argument(value, frame) for name, value in step.params.items()}
    picture = given.get(planned.checked.source or "")
    if not isinstance(picture, Picture):
        raise BadInput(f"step {step.id} is left out and has no picture to pass through", code="reference_empty")
    reason = f"left out, because {step.when} is false"
    record = StepRecord(
        id=step.id,
        operation=operation.id,
        version=operation.version,
        params=without_pictures(given),
        inputs=dict(_hashes(given)),
        outputs={"image": picture.sha256},
        status="unchanged",
        reason=reason,
        notices=(Notice(code=LEFT_OUT, message=f"step {step.id} was {reason}"),),
    )
    return {"image": picture, "status": "unchanged", "reason": reason}, record


def _record(
    planned: PlannedStep, kept: Kept, where: Mask | None, engines: tuple[EngineInfo, ...], seconds: float
) -> StepRecord:
    step, operation, result = planned.checked.step, planned.checked.operation, kept.result
    inputs = dict(_hashes(fields(kept.params)))
    if where is not None:
        inputs["where"] = where.sha256
    return StepRecord(
        id=step.id,
        operation=operation.id,
        version=operation.version,
        params=without_pictures(kept.params),
        inputs=inputs,
        outputs=dict(_hashes(fields(result))),
        status=result.status,
        reason=result.reason,
        on_fail=step.on_fail if step.gates or step.retry or step.on_fail != "stop" else "",
        engines=engines,
        verdicts=result.verdicts,
        attempts=result.attempts,
        notices=result.notices,
        seconds=round(seconds, 4),
    )


def _hashes(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Picture | Mask):
            yield name, value.sha256
        elif isinstance(value, tuple):
            yield from _hashes({f"{name}.{index}": item for index, item in enumerate(value)})


def _from_store(planned: PlannedStep, bench: Bench, key: str) -> tuple[Mapping[str, Any], StepRecord] | None:
    if bench.store is None:
        return None
    try:
        entry = bench.store.get(key)
    except StorageError:
        return None
    found = restored(planned.checked.operation.result, entry) if entry is not None else None
    if found is None:
        return None
    result, record = found
    return fields(result), record.model_copy(update={"id": planned.id, "reused": True})


def _into_store(bench: Bench, key: str, result: Result, record: StepRecord) -> StepRecord:
    """The record, with a notice where storing failed."""
    if bench.store is None:
        return record
    try:
        bench.store.put(key, to_store(result, record))
    except StorageError as error:
        said = f"the finished step could not be kept for reuse: {error.message}"
        return record.model_copy(update={"notices": (*record.notices, Notice(code=error.code, message=said))})
    return record
