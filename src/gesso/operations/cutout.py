"""Cuts the subject out of its background: straight alpha, and edge colours without the old background in them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from gesso.contracts.capabilities import Matte, Matter, Subject, SubjectFinder
from gesso.contracts.context import Context
from gesso.contracts.errors import EngineFailed
from gesso.contracts.fields import UI, Fraction
from gesso.contracts.geometry import Box, Point
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.model import Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Attempt, Notice
from gesso.imaging.alpha import alpha_plane, bleed, with_alpha
from gesso.imaging.compose import dilate, erode, text_of

MADE_BY = "cutout 1"
MAX_POINTS = 256
AGREEMENT = 0.75
"""A refined alpha that shares less than this with the coarse mask (intersection over union) has gone astray."""


class CutoutParams(Params):
    """What to cut out."""

    image: Picture
    box: Box | None = Field(default=None, description="the subject is inside this box, and fills it")
    points: tuple[Point, ...] = Field(
        default=(), max_length=MAX_POINTS, description="label 1: belongs to the subject; label 0: does not"
    )
    refine: bool = Field(default=True, description="refine hair and soft edges by matting")
    decontaminate: bool = Field(default=True, description="take the old background's colour out of the edges")
    edge_px: Annotated[float, Field(ge=-50, le=50), UI(unit="px", advanced=True)] = Field(
        default=0.0, description="move the outline outwards, or inwards if negative"
    )
    min_confidence: Fraction = Field(default=0.3, description="below this, unguided, the answer is: nothing found")


class CutoutResult(Result):
    """The cut-out (H×W×4), its alpha as a mask, and how sure the finder was. Nothing found: the picture as it was."""

    image: Picture
    mask: Mask
    confidence: float


def run(params: CutoutParams, tools: Tools, context: Context) -> CutoutResult:
    """See the module. Raises `Unavailable` without a finder, `BadInput` for a box or points outside the picture."""
    image = params.image
    given = alpha_plane(image.pixels)
    guided = params.box is not None or any(p.label for p in params.points)
    if not guided and bool((given < 1.0).any()):
        mask = Mask.of(given, made_by=MADE_BY, lineage=(image.sha256,))
        return CutoutResult(
            image=image, mask=mask, confidence=1.0, status="unchanged", reason="the picture is already cut out"
        )
    box, notices = _clipped(params)
    context.progress(0.0, "looking for the subject")
    colours: Any = np.ascontiguousarray(image.rgb)
    opaque = Picture(colours)
    subject = tools.one(SubjectFinder).find_subject(opaque, box=box, points=params.points)
    if subject is None or subject.mask.is_empty or (not guided and subject.confidence < params.min_confidence):
        return _nothing(image, notices)
    context.progress(0.4, "refining the edge")
    matte, attempts, more = _matte(params, opaque, subject, tools, context.part(0.4, 0.95))
    alpha = _moved(matte.alpha.coverage, params.edge_px) * given
    source: Any = matte.foreground.pixels if params.decontaminate else colours
    pixels = with_alpha(source, alpha)
    if params.decontaminate:
        pixels = bleed(pixels)
    return CutoutResult(
        image=image.with_pixels(pixels),
        mask=Mask(alpha, matte.alpha.confidence, MADE_BY, (image.sha256, subject.mask.sha256)),
        confidence=round(subject.confidence, 4),
        attempts=attempts,
        notices=notices + more,
    )


def _clipped(params: CutoutParams) -> tuple[Box | None, tuple[Notice, ...]]:
    image, box = params.image, params.box
    for point in params.points:
        point.inside(image.width, image.height)
    if box is None:
        return None, ()
    inside = box.clipped(image.width, image.height)
    if inside == box:
        return box, ()
    text = text_of(inside)
    return inside, (
        Notice(code="box_clipped", message=f"the box reached outside the picture and was clipped to {text}"),
    )


def _matte(
    params: CutoutParams, picture: Picture, subject: Subject, tools: Tools, context: Context
) -> tuple[Matte, tuple[Attempt, ...], tuple[Notice, ...]]:
    """The refined matte, or the coarse mask where refinement is not wanted, not possible or went astray."""
    coarse = Matte(subject.mask, picture)
    if not params.refine:
        return coarse, (), ()
    matter = tools.find(Matter)
    if matter is None:
        notice = Notice(
            code="not_refined", message="no matting engine is installed: the edge is that of the coarse mask"
        )
        return coarse, (), (notice,)
    started = time.perf_counter()
    reason, found, shared = "", coarse, 0.0
    try:
        found = matter.matte(picture, subject.mask, context=context)
        shared = _agreement(found.alpha.coverage, subject.mask.coverage)
        reason = "" if shared >= AGREEMENT else f"shares only {shared:.0%} with the coarse mask"
    except EngineFailed as error:
        reason = error.message
    attempt = Attempt(
        what="refine the edge",
        engine=matter.info.id,
        seconds=round(time.perf_counter() - started, 4),
        accepted=not reason,
        details={"agreement": round(shared, 4)} | ({"reason": reason} if reason else {}),
    )
    if reason:
        return coarse, (attempt,), (Notice(code="not_refined", message=f"the coarse edge was kept: {reason}"),)
    return found, (attempt,), ()


def _agreement(first: Plane, second: Plane) -> float:
    union = float(np.maximum(first, second).sum())
    return float(np.minimum(first, second).sum()) / union if union else 1.0


def _moved(alpha: Plane, edge_px: float) -> Plane:
    if edge_px > 0:
        return dilate(alpha, edge_px)
    return erode(alpha, -edge_px) if edge_px < 0 else alpha


def _nothing(image: Picture, notices: tuple[Notice, ...]) -> CutoutResult:
    empty = np.zeros((image.height, image.width), np.float32)
    notice = Notice(code="nothing_found", message="no subject stands out; a box or points on it would help")
    return CutoutResult(
        image=image,
        mask=Mask(empty, empty, MADE_BY, (image.sha256,)),
        confidence=0.0,
        status="unchanged",
        reason="nothing found",
        notices=(*notices, notice),
    )


CUTOUT = Operation(
    id="cutout",
    version=1,
    title="Cut out the subject",
    summary="Removes the background: straight alpha, refined edges, no colour fringe. Finding nothing is an answer.",
    params=CutoutParams,
    result=CutoutResult,
    run=run,
    needs=(SubjectFinder,),
    wants=(Matter,),
)
