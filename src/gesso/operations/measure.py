"""Measures a picture, alone or against the one it was made from. Nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, BadParams, Fault
from gesso.contracts.gate import Evidence, Gate
from gesso.contracts.mask import Mask
from gesso.contracts.model import Model, Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Notice
from gesso.quality.catalogue import GATES
from gesso.quality.evidence import missing_for

if TYPE_CHECKING:
    Measure = str
else:
    Measure = Literal[tuple(gate.id for gate in GATES)]


class MeasureParams(Params):
    """What to measure, and against what."""

    image: Picture
    reference: Picture | None = Field(
        default=None, description="the picture before; an enlargement may be larger than it"
    )
    mask: Mask | None = Field(default=None, description="where the picture was edited, at its size")
    measures: tuple[Measure, ...] = Field(default=(), description="which measures; none named: all that apply")


class Figure(Model):
    """One measured figure; ``passed`` is whether it keeps the measure's usual ``limit``."""

    id: str
    title: str
    value: float
    unit: str
    limit: float
    better: Literal["lower", "higher"]
    passed: bool
    detail: str


class MeasureResult(Result):
    """The figures in the order of the catalogue, and all of them in one line."""

    summary: str
    figures: tuple[Figure, ...]


def run(params: MeasureParams, tools: Tools, context: Context) -> MeasureResult:
    """Measure. A measure asked for by name that lacks its evidence is refused (measure_not_applicable); a mask that does
    not fit the picture too (mask_size)."""
    evidence = Evidence(params.image, params.reference, params.mask, tools)
    if params.mask is not None and (params.mask.width, params.mask.height) != params.image.size:
        raise BadInput(
            f"the mask is {params.mask.width}×{params.mask.height}, the picture {params.image.width}×{params.image.height}",
            code="mask_size",
            field="mask",
        )
    chosen = tuple(gate for gate in GATES if not params.measures or gate.id in params.measures)
    figures: list[Figure] = []
    skipped: list[str] = []
    for number, gate in enumerate(chosen):
        context.progress(number / len(chosen), gate.title)
        figure = _figure(gate, evidence)
        if figure is not None:
            figures.append(figure)
        elif params.measures:
            missing = missing_for(gate, evidence, before="reference")
            reason = f"{gate.id} cannot be measured: {missing}"
            raise BadParams(
                (Fault(field="measures", code="measure_not_applicable", message=reason),),
                hint="give what is missing, or leave the measure out",
            )
        else:
            skipped.append(f"{gate.id} ({missing_for(gate, evidence, before='reference')})")
    notices = (Notice(code="not_measured", message="not measured: " + "; ".join(skipped)),) if skipped else ()
    summary = " · ".join(f"{f.id} {f.value:.4g} {f.unit}".rstrip() for f in figures)
    return MeasureResult(figures=tuple(figures), summary=summary, notices=notices)


def _figure(gate: Gate, evidence: Evidence) -> Figure | None:
    verdict = gate.judge(evidence)
    if verdict is None:
        return None
    return Figure(
        id=gate.id,
        title=gate.title,
        value=verdict.value,
        unit=gate.unit,
        limit=verdict.limit,
        better=gate.better,
        passed=verdict.passed,
        detail=verdict.detail,
    )


MEASURE = Operation(
    id="measure",
    version=1,
    title="Measure",
    summary="Measure a picture: sharpness, noise, halos, blocking, and against a reference PSNR, SSIM, seams and more.",
    params=MeasureParams,
    result=MeasureResult,
    run=run,
    wants=tuple(dict.fromkeys(need for gate in GATES for need in gate.needs)),
)
