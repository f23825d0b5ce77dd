"""A single operation is a recipe of one step: the same checks, the same path, the same record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput
from gesso.contracts.fields import FieldSpec, fields_of
from gesso.contracts.mask import Mask
from gesso.contracts.model import validated
from gesso.contracts.operation import AnyOperation
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench, Source
from gesso.contracts.provenance import without_pictures
from gesso.recipes.model import RECIPE_SCHEMA, Recipe
from gesso.recipes.outcome import Outcome
from gesso.recipes.parse import recipe_of, written
from gesso.recipes.plan import make_plan
from gesso.recipes.run import run_plan
from gesso.recipes.suggest import did_you_mean
from gesso.recipes.yaml_nodes import nodes_of, write_yaml

STEP = "step"
"""The one step's name."""


def operation_of(operation_id: str, bench: Bench) -> AnyOperation:
    """The operation; raises `BadInput` (unknown_operation) with a hint."""
    if operation_id not in bench.operations:
        hint = did_you_mean(operation_id, bench.operations)
        raise BadInput(f"there is no operation {operation_id!r}", code="unknown_operation", hint=hint)
    return bench.operations[operation_id]


def single(operation_id: str, values: Mapping[str, Any], bench: Bench, context: Context | None = None) -> Outcome:
    """Run one operation. ``Outcome.fields`` are the operation's result fields by name.

    `values` are its parameters; pictures and masks may be any `Source`. Raises `BadParams` with every fault at once
    before anything runs, `Unavailable`, `BadImage`, and what the operation raises. Failing verdicts do not raise: they
    stand in the outcome.
    """
    operation = operation_of(operation_id, bench)
    given = _admitted(operation, values, bench)
    validated(operation.params, given)
    recipe, inputs = one_step_recipe(operation, given)
    return run_plan(make_plan(recipe, bench), inputs, bench, context)


def one_step_recipe(operation: AnyOperation, values: Mapping[str, Any]) -> tuple[Recipe, dict[str, Picture | Mask]]:
    """The recipe that does what calling `operation` with `values` does, and its inputs."""
    inputs: dict[str, Picture | Mask] = {}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Picture | Mask):
            inputs[name] = value
            arguments[name] = f"${name}"
        elif isinstance(value, tuple | list) and value and all(isinstance(v, Picture | Mask) for v in value):
            named = {f"{name}-{index}": item for index, item in enumerate(value, 1)}
            inputs.update(named)
            arguments[name] = [f"${key}" for key in named]
        else:
            arguments[name] = written(without_pictures(value))
    step: dict[str, Any] = {"id": STEP, "use": f"{operation.id}@{operation.version}", "on_fail": "accept"}
    if arguments:
        step["with"] = arguments
    data = {
        "gesso": RECIPE_SCHEMA,
        "name": operation.id,
        "inputs": {name: "mask" if isinstance(value, Mask) else "picture" for name, value in inputs.items()},
        "steps": [step],
        "output": {spec.name: f"${STEP}.{spec.name}" for spec in fields_of(operation.result)},
    }
    return recipe_of(nodes_of(data), write_yaml(data)), inputs


def _admitted(operation: AnyOperation, values: Mapping[str, Any], bench: Bench) -> dict[str, Any]:
    """`values` with every source of a picture or mask admitted."""
    specs = {spec.name: spec for spec in fields_of(operation.params)}
    return {name: _value(specs.get(name), value, bench) for name, value in values.items()}


def _value(spec: FieldSpec | None, value: Any, bench: Bench) -> Any:
    if spec is None or spec.kind not in ("picture", "mask") or value is None:
        return value
    if spec.many and isinstance(value, tuple | list):
        return tuple(_one(spec, item, bench) for item in value)
    return _one(spec, value, bench)


def _one(spec: FieldSpec, value: Source, bench: Bench) -> Picture | Mask:
    if isinstance(value, Picture | Mask):
        return value
    admit: Any = bench.codec.picture if spec.kind == "picture" else bench.codec.mask
    admitted: Picture | Mask = admit(value)
    return admitted
