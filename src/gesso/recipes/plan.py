"""Recipe + bench → plan: what will run, with which engines, under which gates. A value that can be shown and refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gesso.contracts.errors import Unavailable
from gesso.contracts.gate import Gate
from gesso.contracts.ports import Bench
from gesso.contracts.provenance import without_pictures
from gesso.contracts.tools import Tools
from gesso.recipes.check import Checked, CheckedStep, check
from gesso.recipes.model import Recipe, Reference

RESEEDED_TRIES = 2
"""Further tries of `on_fail: retry` without a `retry` list: the same parameters with the next seeds."""


@dataclass(frozen=True)
class EngineChoice:
    """One engine that serves a capability of a step; the first usable one is preferred. ``why`` says why not, if not."""

    capability: str
    engine: str
    usable: bool
    needed: bool
    why: str = ""


@dataclass(frozen=True)
class PlannedGate:
    """A gate with the limit that will be applied."""

    gate: Gate
    limit: float


@dataclass(frozen=True)
class PlannedStep:
    """One step ready to run. ``left_out`` when a value switches it off; its picture then passes through."""

    checked: CheckedStep
    engines: tuple[EngineChoice, ...]
    gates: tuple[PlannedGate, ...]
    missing: tuple[str, ...]
    left_out: bool = False

    @property
    def id(self) -> str:
        """Its name in the recipe."""
        return self.checked.step.id

    @property
    def tries(self) -> int:
        """How often its operation runs at most."""
        step = self.checked.step
        return 1 + (len(step.retry) or (RESEEDED_TRIES if step.on_fail == "retry" else 0))

    def as_json(self) -> dict[str, Any]:
        """Plain data for `--dry-run --json`."""
        step, operation = self.checked.step, self.checked.operation
        return {
            "id": step.id,
            "operation": operation.id,
            "version": operation.version,
            "title": operation.title,
            "params": _shown(step.params),
            "engines": [vars(choice) for choice in self.engines],
            "gates": [
                {"gate": g.gate.id, "limit": g.limit, "unit": g.gate.unit, "better": g.gate.better} for g in self.gates
            ],
            "on_fail": step.on_fail,
            "tries": self.tries,
            "retry": [_shown(extra) for extra in step.retry],
            "where": str(step.where) if step.where else "",
            "when": str(step.when) if step.when else "",
            "left_out": self.left_out,
            "missing": list(self.missing),
        }


@dataclass(frozen=True)
class Plan:
    """What a run will do. Immutable; one plan serves any number of inputs, at the same time, too."""

    checked: Checked
    steps: tuple[PlannedStep, ...]

    @property
    def recipe(self) -> Recipe:
        """The recipe it was made from."""
        return self.checked.recipe

    @property
    def values(self) -> Mapping[str, Any]:
        """The recipe's values, the caller's laid over the defaults."""
        return self.checked.values

    @property
    def missing(self) -> tuple[str, ...]:
        """One sentence for each capability that is needed and that no engine offers; empty when the plan can run."""
        return tuple(sentence for step in self.steps for sentence in step.missing)

    def require(self) -> None:
        """Raise `Unavailable` (capability_unavailable) when the plan cannot run."""
        if self.missing:
            raise Unavailable(
                "; ".join(self.missing),
                code="capability_unavailable",
                hint="run `gesso doctor` to see what is installed",
            )

    def as_json(self) -> dict[str, Any]:
        """Plain data for `--dry-run --json`."""
        return {
            "recipe": self.recipe.name,
            "title": self.recipe.title,
            "inputs": dict(self.recipe.inputs),
            "values": without_pictures(self.values),
            "steps": [step.as_json() for step in self.steps],
            "output": {name: str(reference) for name, reference in self.recipe.output.items()},
            "missing": list(self.missing),
        }


def make_plan(recipe: Recipe, bench: Bench, values: Mapping[str, Any] | None = None) -> Plan:
    """The plan for `recipe` with the caller's `values`. Builds no engine and runs nothing.

    Raises `BadRecipe` for faults of the recipe and `BadParams` for faults of `values`. What is not installed is no error
    here: see `Plan.missing` and `Plan.require`.
    """
    checked = check(recipe, bench.operations, bench.gates, values)
    return Plan(checked, tuple(_planned(step, checked.values, bench.tools) for step in checked.steps))


def _planned(checked: CheckedStep, values: Mapping[str, Any], tools: Tools) -> PlannedStep:
    step, operation = checked.step, checked.operation
    off = step.when is not None and step.when.is_value and values[step.when.field] is False
    by_id = {gate.id: gate for gate in checked.gates}
    gates = tuple(
        PlannedGate(by_id[g.gate], _limit(g.limit, by_id[g.gate], values)) for g in step.gates if g.gate in by_id
    )
    needed = tuple(dict.fromkeys((*operation.needs, *(c for gate in checked.gates for c in gate.needs))))
    wanted = tuple(c for c in operation.wants if c not in needed)
    choices = [choice for c in needed for choice in _offers(c, tools, True)]
    choices += [choice for c in wanted for choice in _offers(c, tools, False)]
    missing = tuple(
        f"step {step.id}: {sentence}" for c in needed if not off and (sentence := _missing(c.__name__, choices))
    )
    return PlannedStep(checked, tuple(choices), gates, missing, off)


def _limit(limit: float | Reference | None, gate: Gate, values: Mapping[str, Any]) -> float:
    if isinstance(limit, Reference):
        return float(values[limit.field])
    return gate.limit if limit is None else limit


def _offers(capability: type[Any], tools: Tools, needed: bool) -> list[EngineChoice]:
    out = []
    for offer in tools.offers:
        if offer.capability is capability:
            why = offer.missing()
            out.append(EngineChoice(capability.__name__, offer.id, not why, needed, why))
    return out


def _missing(capability: str, choices: list[EngineChoice]) -> str:
    own = [choice for choice in choices if choice.capability == capability]
    if any(choice.usable for choice in own):
        return ""
    reasons = "; ".join(f"{choice.engine}: {choice.why}" for choice in own)
    return f"no engine offers {capability}" + (f" ({reasons})" if reasons else "")


def _shown(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _argument(value) for name, value in params.items()}


def _argument(value: Any) -> Any:
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, tuple) and any(isinstance(item, Reference) for item in value):
        return [str(item) for item in value]
    return without_pictures(value)
