"""Erases objects: a mask, boxes or points in, a continued background out, at full resolution.

Every separate area is worked on in a crop of its own: choose a synthesis for its ground → fill → blend back softly →
check the seam → try another synthesis, or give that area back untouched. Nothing outside the area changes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gesso.contracts.capabilities import Ground, Inpainter, SubjectFinder, Synthesis, fills_for
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, EngineFailed
from gesso.contracts.fields import UI, PixelCount, Seed
from gesso.contracts.gate import Evidence
from gesso.contracts.geometry import Box, Point
from gesso.contracts.hint import FillHint
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.model import Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Attempt, Notice, Status, Verdict
from gesso.imaging.bands import detail_of, enlarged, joined, likeness, reduced, scaled
from gesso.imaging.compose import check_size, crop_for, dilate, feather, paste_back, regions_of, relative, text_of
from gesso.imaging.ground import ring_stats
from gesso.imaging.hints import with_source, within
from gesso.imaging.morphology import grown
from gesso.quality.outside import OUTSIDE_MASK
from gesso.quality.seam import SEAM

MADE_BY = "erase 1"
MAX_BOXES = 64
MAX_POINTS = 10_000
MAX_REGIONS = 128
"""More separate areas than this are merged, so that specks do not cost a crop each."""
POINTED_GROW_SHARE = 0.02
"""What points select is a guess at an outline: it is widened by this share of the object's longer side."""
KEPT_TONE = 14.0
"""Where, in the rim, the original's local mean strays further than this (0…255) from the fill's, it is the object's."""
STRUCTURE_SIDE = 160
"""The structure pass works on a crop reduced to about this longer side."""
RING_PX = 24


class EraseParams(Params):
    """What to erase, and how."""

    image: Picture
    mask: Mask | None = Field(default=None, description="erase what this covers; nothing outside it is touched")
    boxes: tuple[Box, ...] = Field(default=(), max_length=MAX_BOXES, description="erase what is inside these")
    points: tuple[Point, ...] = Field(
        default=(),
        max_length=MAX_POINTS,
        description="erase the object under these; label 0 marks what is not part of it",
    )
    grow_px: PixelCount = Field(default=0, description="widen the area by so many pixels before erasing")
    feather_px: PixelCount = Field(default=4, description="width of the soft rim inside the area")
    hint: FillHint | None = Field(default=None, description="what is known about the ground behind the object")
    synthesis: Synthesis = Field(default="auto", description="how to fill; auto decides area by area")
    two_pass: bool = Field(default=True, description="also try a structure pass at low resolution, then texture on top")
    max_seam: Annotated[float, Field(ge=1, le=100, description="seam limit, 1 = unseen"), UI(advanced=True)] = (
        SEAM.limit
    )
    keep_best: bool = Field(
        default=False, description="keep the best fill even if its seam is seen, instead of giving the area back"
    )
    seed: Seed = 0


class EraseResult(Result):
    """The picture without the object, and the soft mask of what was replaced."""

    image: Picture
    mask: Mask


@dataclass(frozen=True)
class _Plan:
    """One way to fill an area: an engine alone, or one for the structure and another for the texture."""

    engine: Inpainter
    structure: Inpainter | None
    because: str

    @property
    def name(self) -> str:
        """For the record."""
        return self.engine.info.id if self.structure is None else f"{self.structure.info.id} + {self.engine.info.id}"


@dataclass(frozen=True)
class _Try:
    """What one plan gave: the filled crop, its coverage and verdicts, or why it failed."""

    plan: _Plan
    filled: Picture | None
    cover: Plane
    verdicts: tuple[Verdict, ...]
    seconds: float
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether it can be taken."""
        return self.filled is not None and all(v.passed for v in self.verdicts)


@dataclass
class _Work:
    """What the areas of one run share; `out` is the picture in the making, `cover` what was replaced so far."""

    params: EraseParams
    fills: tuple[Inpainter, ...]
    wanted: Plane
    out: NDArray[Any]
    cover: Plane
    attempts: list[Attempt] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    retried: bool = False


def run(params: EraseParams, tools: Tools, context: Context) -> EraseResult:
    """See the module. Raises `BadInput` (nothing_to_erase, nothing_known, mask_size, box_outside) and `Unavailable`."""
    image = params.image
    wanted, notices = _area(params, tools)
    if not wanted.any():
        return _untouched(image, "unchanged", "the area to erase is empty", notices)
    if bool((wanted > 0).all()):
        raise BadInput(
            "the area covers the whole picture, so that nothing is known to continue",
            code="nothing_known",
            hint="leave a part of the picture outside the area",
        )
    tools.one(Inpainter)
    fills = tools.all(Inpainter)
    work = _Work(params, fills, wanted, image.pixels.copy(), np.zeros_like(wanted))
    regions = regions_of(wanted, RING_PX, most=MAX_REGIONS)
    for index, region in enumerate(regions):
        part = context.part(0.1 + 0.85 * index / len(regions), 0.1 + 0.85 * (index + 1) / len(regions))
        part.progress(0.0, f"area {index + 1} of {len(regions)}")
        _erase_region(work, region, index + 1, part)
    return _result(work, len(regions), notices + _hint_notices(params, work))


def _area(params: EraseParams, tools: Tools) -> tuple[Plane, tuple[Notice, ...]]:
    """The coverage to replace, before feathering, and what to tell about it."""
    image, notices = params.image, []
    if params.mask is None and not params.boxes and not any(p.label for p in params.points):
        raise BadInput(
            "there is nothing to erase: no mask, no box and no point that belongs to an object",
            code="nothing_to_erase",
            hint="give --mask, --boxes x0,y0,x1,y1 or --points x,y",
        )
    plane = np.zeros((image.height, image.width), np.float32)
    if params.mask is not None:
        check_size(params.mask, *image.size, "mask")
        np.maximum(plane, params.mask.coverage, out=plane)
    for box in params.boxes:
        inside = box.clipped(image.width, image.height)
        if inside != box:
            notices.append(Notice(code="box_clipped", message=f"box {text_of(box)} was clipped to {text_of(inside)}"))
        plane[inside.slices] = 1.0
    if params.points:
        np.maximum(plane, _pointed(params, tools), out=plane)
    return dilate(plane, params.grow_px), tuple(notices)


def _pointed(params: EraseParams, tools: Tools) -> Plane:
    found = tools.one(SubjectFinder).find_subject(params.image, points=params.points)
    if found is None or found.mask.is_empty:
        raise BadInput(
            "no object stands out at the points",
            code="nothing_to_erase",
            field="points",
            hint="add points on the object, or give a box or a mask",
        )
    box = found.mask.box
    assert box is not None
    sure = np.where(found.mask.coverage > 0.3, np.float32(1.0), np.float32(0.0))
    return dilate(sure, max(2.0, POINTED_GROW_SHARE * max(box.width, box.height)))


def _erase_region(work: _Work, region: Box, number: int, context: Context) -> None:
    """Fill one area with the first plan whose seam is not seen; give it back when there is none."""
    params = work.params
    crop = with_source(crop_for(region, *params.image.size, context=1.0), params.hint, *params.image.size)
    picture = Picture(params.image.pixels[crop.slices])
    holes = np.ascontiguousarray(work.wanted[crop.slices])
    own = np.zeros_like(holes)
    inner = relative(region, crop)
    own[inner.slices] = holes[inner.slices]
    ring = grown(holes > 0, RING_PX) & (holes == 0)
    ground = ring_stats(scaled(picture.rgb), ring).ground
    plans = _plans(work.fills, params, ground)
    tries: list[_Try] = []
    for index, plan in enumerate(plans):
        part = context.part(index / len(plans), (index + 1) / len(plans))
        tries.append(_attempt(picture, holes, own, plan, params, crop, part))
        if tries[-1].passed:
            break
    keep = tries[-1] if tries[-1].passed else None
    if keep is None and params.keep_best:
        keep = min((t for t in tries if t.filled is not None), key=lambda t: _seam_of(t.verdicts), default=None)
    work.attempts += [
        Attempt(
            what=f"area {number}: {one.plan.name}",
            engine=one.plan.name,
            chosen_because=one.plan.because,
            seconds=one.seconds,
            accepted=one is keep,
            verdicts=one.verdicts,
            details={"ground": ground, "box": text_of(region)} | ({"error": one.error} if one.error else {}),
        )
        for one in tries
    ]
    if keep is None or keep.filled is None:
        seams = [_seam_of(t.verdicts) for t in tries if t.filled is not None]
        best = f"the best fill shows a seam of {min(seams):.1f}× (limit {params.max_seam:.1f}×)" if seams else ""
        work.failed.append(f"area {number}: {best or tries[-1].error}")
        return
    target = work.out[crop.slices]
    target[...] = paste_back(target, keep.filled.pixels, keep.cover)
    np.maximum(work.cover[crop.slices], keep.cover, out=work.cover[crop.slices])
    work.retried |= len(tries) > 1


def _attempt(
    picture: Picture, holes: Plane, own: Plane, plan: _Plan, params: EraseParams, crop: Box, context: Context
) -> _Try:
    started = time.perf_counter()
    try:
        filled = _filled(picture, holes, plan, params, crop, context)
    except EngineFailed as error:
        return _Try(plan, None, own, (), round(time.perf_counter() - started, 4), error.message)
    cover, verdicts = _laid(own, picture, filled, params)
    return _Try(plan, filled, cover, verdicts, round(time.perf_counter() - started, 4))


def _plans(fills: tuple[Inpainter, ...], params: EraseParams, ground: Ground) -> tuple[_Plan, ...]:
    """Ways to fill, best first, each once. A hint puts the engines that honour it first."""
    smooth = next((f for f in fills if "smooth" in f.serves), None)
    texture = next((f for f in fills if "texture" in f.serves), None)
    models = tuple(f for f in fills if f.info.weights)
    if params.synthesis != "auto":
        return (_Plan(fills_for(fills, params.synthesis, ground)[0], None, "asked for"),)
    plans, layered = list[_Plan](), list[_Plan]()
    kind = params.hint.kind if params.hint is not None else ""
    if smooth is not None and texture is not None and smooth is not texture and params.two_pass:
        layered.append(_Plan(texture, smooth, "structure at low resolution, then texture"))
    plans += [_Plan(f, None, f"honours the hint {kind}") for f in fills if kind and kind in f.honours]
    first: dict[Ground, tuple[Inpainter | None, ...]] = {
        "smooth": (smooth, texture),
        "texture": (texture,),
        "structure": (*models, texture),
    }
    plans += [_Plan(f, None, f"{ground} ground") for f in first[ground] if f is not None]
    plans += [*layered, *(_Plan(f, None, "what is left to try") for f in fills)]
    once = {plan.name: plan for plan in reversed(plans)}
    return tuple(once[name] for name in dict.fromkeys(plan.name for plan in plans))


def _filled(picture: Picture, holes: Plane, plan: _Plan, params: EraseParams, crop: Box, context: Context) -> Picture:
    mask = Mask.of(np.where(holes > 0, np.float32(1.0), np.float32(0.0)), made_by=MADE_BY)
    seed = max(0, params.seed)
    kind = params.hint.kind if params.hint is not None else ""
    if plan.structure is None:
        hint = within(params.hint, crop) if kind in plan.engine.honours else None
        return plan.engine.fill(picture, mask, hint=hint, seed=seed, context=context)
    hint = within(params.hint, crop) if kind in plan.structure.honours and kind == "gradient" else None
    return _two_passes(picture, mask, plan.structure, plan.engine, hint, seed, context)


def _two_passes(
    picture: Picture,
    mask: Mask,
    structure: Inpainter,
    texture: Inpainter,
    hint: FillHint | None,
    seed: int,
    context: Context,
) -> Picture:
    """Low frequencies filled at low resolution, the detail that is left filled at full resolution, and both added."""
    unknown = mask.touched
    small, hole = reduced(picture.pixels, unknown, STRUCTURE_SIDE)
    rough = Picture(small)
    if hole.any() and not hole.all():
        rough = structure.fill(rough, Mask.of(hole), hint=hint, seed=seed, context=context.part(0.0, 0.3))
    low = enlarged(rough.pixels, picture.width, picture.height)
    detail = Picture(detail_of(picture.pixels, low, unknown))
    grain: Any = texture.fill(detail, mask, seed=seed, context=context.part(0.3, 1.0)).pixels
    return picture.with_pixels(joined(picture.pixels, low, grain, unknown))


def _laid(own: Plane, before: Picture, filled: Picture, params: EraseParams) -> tuple[Plane, tuple[Verdict, ...]]:
    """The coverage under which the fill joins with the less visible seam, and the verdicts on it.

    Two are tried: feathered inwards everywhere, which suits loose areas, and feathered only where the original fits the
    fill, which leaves no ghost of an object that reaches up to the area's border.
    """
    best: tuple[Plane, tuple[Verdict, ...]] | None = None
    ramp = feather(own, params.feather_px)
    for cover in (ramp, own - (own - ramp) * likeness(before.pixels, filled.pixels, KEPT_TONE)):
        after = Picture(paste_back(before.pixels, filled.pixels, cover))
        evidence = Evidence(after=after, before=before, mask=Mask.of(cover, made_by=MADE_BY))
        judged = (OUTSIDE_MASK.judge(evidence), SEAM.judge(evidence, params.max_seam))
        verdicts = tuple(v for v in judged if v is not None)
        if best is None or _seam_of(verdicts) < _seam_of(best[1]):
            best = cover, verdicts
        if params.feather_px == 0:
            break
    assert best is not None
    return best


def _seam_of(verdicts: tuple[Verdict, ...]) -> float:
    return next((v.value for v in verdicts if v.gate == SEAM.id), 0.0)


def _hint_notices(params: EraseParams, work: _Work) -> tuple[Notice, ...]:
    if params.hint is None:
        return ()
    kind = params.hint.kind
    able = [f.info.id for f in work.fills if kind in f.honours]
    used = {part for a in work.attempts if a.accepted for part in a.engine.split(" + ")}
    if used & set(able):
        return ()
    why = f"{', '.join(able)} could follow it but gave no clean seam" if able else "no installed engine can follow it"
    return (Notice(code="hint_not_honoured", message=f"the hint {kind!r} had no effect: {why}"),)


def _result(work: _Work, count: int, notices: tuple[Notice, ...]) -> EraseResult:
    image = work.params.image
    mask = Mask.of(work.cover, made_by=MADE_BY, lineage=(image.sha256,))
    reason = "; ".join(work.failed)
    if len(work.failed) == count:
        return _untouched(image, "rolled_back", reason, notices, tuple(work.attempts))
    status: Status = "repaired" if work.retried or work.failed else "done"
    after = image.with_pixels(work.out)
    # The seam was judged area by area, in crops; judging it again over a box around all areas would cost far more.
    seams = [v for a in work.attempts if a.accepted for v in a.verdicts if v.gate == SEAM.id]
    outside = OUTSIDE_MASK.judge(Evidence(after=after, before=image, mask=mask))
    verdicts = tuple(v for v in (outside, max(seams, key=lambda v: v.value, default=None)) if v is not None)
    return EraseResult(
        image=after,
        mask=mask,
        status=status,
        reason=reason,
        verdicts=verdicts,
        attempts=tuple(work.attempts),
        notices=notices,
    )


def _untouched(
    image: Picture, status: Status, reason: str, notices: tuple[Notice, ...], attempts: tuple[Attempt, ...] = ()
) -> EraseResult:
    """The input as it is, and an empty mask."""
    empty = np.zeros((image.height, image.width), np.float32)
    mask = Mask(empty, empty, MADE_BY, (image.sha256,))
    verdict = OUTSIDE_MASK.judge(Evidence(after=image, before=image, mask=mask))
    return EraseResult(
        image=image,
        mask=mask,
        status=status,
        reason=reason,
        verdicts=() if verdict is None else (verdict,),
        attempts=attempts,
        notices=notices,
    )


ERASE = Operation(
    id="erase",
    version=1,
    title="Erase an object",
    summary="Removes what a mask, boxes or points cover and continues the background, at full resolution.",
    params=EraseParams,
    result=EraseResult,
    run=run,
    needs=(Inpainter,),
    wants=(SubjectFinder,),
    gates=(OUTSIDE_MASK.id, SEAM.id),
)
