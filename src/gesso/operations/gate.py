"""Judges a picture by limits: the step in a recipe, or in somebody's build, that says yes or no."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import Field, create_model

from gesso.contracts.context import Context
from gesso.contracts.errors import BadParams, Fault
from gesso.contracts.fields import UI
from gesso.contracts.gate import Evidence, Gate
from gesso.contracts.mask import Mask
from gesso.contracts.model import Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Verdict
from gesso.quality.catalogue import GATES
from gesso.quality.evidence import missing_for


class GateInputs(Params):
    """What every gate judges; `GateParams` adds one limit per gate."""

    image: Picture
    before: Picture | None = Field(default=None, description="the picture the edit started from")
    mask: Mask | None = Field(default=None, description="where the picture was edited, at its size")


def field_of(gate: Gate) -> str:
    """The parameter that holds a gate's limit: ``max_halo``, ``min_psnr``."""
    return f"{'max' if gate.better == 'lower' else 'min'}_{gate.id}"


def _limit(gate: Gate) -> Any:
    unit = f" in {gate.unit}" if gate.unit else ""
    description = f"{gate.title}{unit}; usual limit {gate.limit:g}. {gate.summary}"
    return Annotated[float | None, UI(unit=gate.unit), Field(default=None, description=description)]


GateParams = cast(
    "type[GateInputs]",
    create_model(
        "GateParams",
        __base__=GateInputs,
        __doc__="The picture, its evidence, and one optional limit for every gate of the catalogue.",
        **cast("Any", {field_of(gate): (_limit(gate), None) for gate in GATES}),
    ),
)


class GateResult(Result):
    """Whether all limits that were given are kept; ``verdicts`` holds one entry for each of them."""

    passed: bool


def run(params: GateInputs, tools: Tools, context: Context) -> GateResult:
    """Judge. Raises `BadParams`: no_limits without any limit, gate_not_applicable when the evidence for one is missing."""
    limits = {gate: limit for gate in GATES if (limit := getattr(params, field_of(gate))) is not None}
    if not limits:
        known = ", ".join(field_of(gate) for gate in GATES)
        raise BadParams(
            (Fault(field="", code="no_limits", message="give at least one limit to judge by"),), hint=f"limits: {known}"
        )
    evidence = Evidence(params.image, params.before, params.mask, tools)
    verdicts: list[Verdict] = []
    for number, (gate, limit) in enumerate(limits.items()):
        context.progress(number / len(limits), gate.title)
        verdict = gate.judge(evidence, limit)
        if verdict is None:
            reason = f"cannot be judged: {missing_for(gate, evidence)}"
            raise BadParams(
                (Fault(field=field_of(gate), code="gate_not_applicable", message=reason),),
                hint="give what is missing, or leave the limit out",
            )
        verdicts.append(verdict)
    passed = all(verdict.passed for verdict in verdicts)
    return GateResult(passed=passed, verdicts=tuple(verdicts))


GATE = Operation(
    id="gate",
    version=1,
    title="Gate",
    summary="Judge a picture by limits, such as a largest halo or a least PSNR; passes only when all are kept.",
    params=GateParams,
    result=GateResult,
    run=run,
    wants=tuple(dict.fromkeys(need for gate in GATES for need in gate.needs)),
)
