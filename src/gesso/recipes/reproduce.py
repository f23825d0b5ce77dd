"""Make a picture again from its record, say beforehand how close it will come, and prove it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import BadInput, GessoError
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench, Source
from gesso.contracts.provenance import Provenance, StepRecord
from gesso.contracts.version import VERSION
from gesso.recipes.outcome import Outcome
from gesso.recipes.parse import parse_recipe
from gesso.recipes.plan import Plan, make_plan
from gesso.recipes.run import admitted, run_plan

Level = Literal["identical", "close", "replay_only"]
"""identical: nothing differs, the pixel hash must match · close: something differs, similar pixels are expected ·
replay_only: something that was used is missing or has another version (research A4)."""

Find = Callable[[str, str], Source | None]
"""(input name, pixel hash) → where that input is, or None."""


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was: ``what``, as it stands in the record, and as it is here ("" = absent)."""

    what: str
    recorded: str
    here: str

    def __str__(self) -> str:
        return f"{self.what}: {self.recorded or 'none'} then, {self.here or 'none'} now"


@dataclass(frozen=True)
class Expectation:
    """What can be promised before the run. ``obstacles`` are reasons for which it cannot run at all."""

    level: Level
    differences: tuple[Difference, ...] = ()
    missing: tuple[Difference, ...] = ()
    obstacles: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "level": self.level,
            "differences": [str(d) for d in self.differences],
            "missing": [str(d) for d in self.missing],
            "obstacles": list(self.obstacles),
        }


@dataclass(frozen=True)
class Reproduction:
    """What came out: whether the pixel hash equals the record's, else how far off and from which step on.

    ``psnr`` in dB against the published picture where that was given and has the same size; None otherwise.
    """

    expectation: Expectation
    identical: bool
    outcome: Outcome
    psnr: float | None = None
    first_difference: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **self.expectation.as_json(),
            "identical": self.identical,
            "psnr": self.psnr,
            "first_difference": self.first_difference,
            "output_sha256": self.outcome.provenance.output_sha256,
        }


def expectation(record: Provenance, bench: Bench, find: Find) -> Expectation:
    """The level that can be promised here for `record`, with the list of all that differs or is missing. Runs nothing.

    What is compared: the version of Gesso, of every operation, every engine that was used (version, device, weights,
    libraries) and every entry of the environment.
    """
    missing = [d for step in record.steps for d in _step_gaps(step, bench)]
    obstacles = [
        f"the input {i.name or 'picture'} is not at hand ({i.pixels_sha256[:12]})"
        for i in record.inputs
        if find(i.name, i.pixels_sha256) is None
    ]
    try:
        plan = _plan(record, bench)
        obstacles += plan.missing
    except GessoError as error:
        obstacles.append(error.message)
    differences = [d for step in record.steps for d in _engine_changes(step, bench)]
    if record.gesso != VERSION:
        differences.insert(0, Difference("gesso", record.gesso, VERSION))
    differences += _mapping_changes(record.environment, bench.environment)
    level: Level = "replay_only" if missing or obstacles else "close" if differences else "identical"
    return Expectation(level, tuple(dict.fromkeys(differences)), tuple(dict.fromkeys(missing)), tuple(obstacles))


def reproduce(
    record: Provenance,
    bench: Bench,
    find: Find,
    context: Context | None = None,
    *,
    published: Picture | None = None,
) -> Reproduction:
    """Run the record's recipe again, without the step store, with the recorded values and seeds, and compare.

    Raises `BadInput` (cannot_reproduce) with the obstacles, or (input_changed) when an input's pixels are not the recorded
    ones, and what `run_plan` raises.
    """
    expected = expectation(record, bench, find)
    if expected.obstacles:
        raise BadInput("cannot be made again: " + "; ".join(expected.obstacles), code="cannot_reproduce")
    plan = _plan(record, bench)
    sources = {item.name: find(item.name, item.pixels_sha256) for item in record.inputs}
    inputs = admitted(plan.recipe, sources, bench.codec)
    for item in record.inputs:
        if inputs[item.name].sha256 != item.pixels_sha256:
            said = f"the input {item.name!r} has other pixels than the recorded ones"
            raise BadInput(said, code="input_changed", field=item.name)
    outcome = run_plan(plan, inputs, replace(bench, store=None), context, seeds=seeds_of(record))
    identical = bool(record.output_sha256) and outcome.provenance.output_sha256 == record.output_sha256
    first = "" if identical else first_difference(record, outcome.provenance)
    psnr = None if identical else _psnr(published, outcome)
    return Reproduction(expected, identical, outcome, psnr, first)


def seeds_of(record: Provenance) -> dict[str, int]:
    """The seeds of every try of every step, as `run_plan` takes them."""
    seeds: dict[str, int] = {}
    for step in record.steps:
        if isinstance(step.params.get("seed"), int):
            seeds[f"{step.id}/0"] = step.params["seed"]
        for attempt in step.attempts:
            number, seed = attempt.details.get("recipe_try"), attempt.details.get("seed")
            if isinstance(number, int) and isinstance(seed, int):
                seeds[f"{step.id}/{number}"] = seed
    return seeds


def first_difference(then: Provenance, now: Provenance) -> str:
    """Where two runs of one recipe part: "step.field" of the first output with another hash, or ""."""
    for old, new in zip(then.steps, now.steps, strict=False):
        if old.id != new.id or old.operation != new.operation:
            return old.id
        for name, value in old.outputs.items():
            if new.outputs.get(name) != value:
                return f"{old.id}.{name}"
    return "" if len(then.steps) == len(now.steps) else "the number of steps"


@dataclass(frozen=True)
class Verification:
    """Whether a file still is what its record says."""

    pixels_match: bool
    problems: tuple[str, ...] = field(default=())

    @property
    def intact(self) -> bool:
        """Pixels match and the record does not contradict itself."""
        return self.pixels_match and not self.problems

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"intact": self.intact, "pixels_match": self.pixels_match, "problems": list(self.problems)}


def verify(picture: Picture, record: Provenance) -> Verification:
    """Compare `picture` with `record`, and the record with itself: every step's pictures must come from inputs or earlier
    steps, the published one from a step or input, and the steps must be those of the recipe.

    This finds damage and mistakes; the record is not signed, so it does not find forgery.
    """
    matches = bool(record.output_sha256) and picture.sha256 == record.output_sha256
    return Verification(matches, tuple(_contradictions(record)))


def _contradictions(record: Provenance) -> Iterator[str]:
    known = {item.pixels_sha256 for item in record.inputs}
    for step in record.steps:
        for name, value in step.inputs.items():
            if value not in known:
                yield f"step {step.id} used a {name} that nothing before it made"
        known |= set(step.outputs.values())
        if step.status in ("rolled_back", "unchanged") and "image" in step.outputs:
            sources = step.inputs.values()
            if sources and step.outputs["image"] not in sources:
                yield f"step {step.id} is {step.status.replace('_', ' ')}, yet its image is not its input"
    if record.output_sha256 and record.output_sha256 not in known:
        yield "the published picture comes from no step"
    if not record.recipe:
        yield "the recipe is missing"
        return
    try:
        recipe = parse_recipe(record.recipe)
    except GessoError as error:
        yield f"the recipe cannot be read: {error.message}"
        return
    if [(s.id, s.use) for s in recipe.steps] != [(s.id, s.operation) for s in record.steps]:
        yield "the steps are not those of the recipe"
    if set(recipe.inputs) != {item.name for item in record.inputs}:
        yield "the inputs are not those of the recipe"


def _plan(record: Provenance, bench: Bench) -> Plan:
    if not record.recipe:
        raise BadInput("the record holds no recipe", code="cannot_reproduce")
    recipe = parse_recipe(record.recipe)
    unpinned = tuple(replace(step, version=None) for step in recipe.steps)
    return make_plan(replace(recipe, steps=unpinned), bench, record.values)


def _step_gaps(step: StepRecord, bench: Bench) -> Iterator[Difference]:
    operation = bench.operations.get(step.operation)
    if operation is None:
        yield Difference(f"operation {step.operation}", f"version {step.version}", "")
    elif operation.version != step.version:
        yield Difference(f"operation {step.operation}", f"version {step.version}", f"version {operation.version}")
    for engine in step.engines:
        if not _engines(engine.id, bench):
            yield Difference(f"engine {engine.id}", _described(engine), "")


def _engine_changes(step: StepRecord, bench: Bench) -> Iterator[Difference]:
    for engine in step.engines:
        here = _engines(engine.id, bench)
        if here and engine not in here:
            yield Difference(f"engine {engine.id}", _described(engine), _described(here[0]))
        if not engine.deterministic:
            yield Difference(f"engine {engine.id}", "not deterministic", "not deterministic")


def _engines(engine_id: str, bench: Bench) -> list[EngineInfo]:
    capabilities = dict.fromkeys(offer.capability for offer in bench.tools.offers if not offer.missing())
    infos = (engine.info for capability in capabilities for engine in bench.tools.all(capability))
    return [info for info in infos if info.id == engine_id]


def _described(engine: EngineInfo) -> str:
    weights = [f"{w.id} {w.revision or w.sha256[:12]} {w.dtype}".strip() for w in engine.weights]
    return ", ".join((f"version {engine.version}", engine.device, *weights, *engine.libraries))


def _mapping_changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys((*then, *now))
    return [Difference(n, then.get(n, ""), now.get(n, "")) for n in names if then.get(n, "") != now.get(n, "")]


def _psnr(published: Picture | None, outcome: Outcome) -> float | None:
    """Peak signal-to-noise ratio in dB over all channels, peak = the bit depth's maximum; None where it has no meaning."""
    made = outcome.image
    if published is None or made is None or published.pixels.shape != made.pixels.shape:
        return None
    if published.pixels.dtype != made.pixels.dtype:
        return None
    error = float(np.mean((published.pixels.astype(np.float64) - made.pixels) ** 2))
    peak = float(np.iinfo(made.pixels.dtype).max)
    return None if error == 0 else round(10 * float(np.log10(peak * peak / error)), 2)
