"""Removes burnt-in text: captions, watermarks, date stamps, with their outlines, shadows and plates.

Detect → mask the strokes of every line → choose a synthesis for its ground → fill → look again at that place only →
retry with a larger mask or another synthesis, or give that line back untouched. A line that cannot be removed is never
returned as removed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gesso.contracts.capabilities import Corners, Ground, Inpainter, Synthesis, TextDetector, TextRegion, fills_for
from gesso.contracts.context import Context
from gesso.contracts.errors import EngineFailed
from gesso.contracts.fields import UI, Fraction, PixelCount, Seed
from gesso.contracts.gate import Evidence
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.model import Model, Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Attempt, Notice, Status, Verdict
from gesso.imaging.allowed import allowed_area, share_inside
from gesso.imaging.compose import paste_back
from gesso.imaging.lettering import Group, Spot, groups_of, united
from gesso.imaging.repair import Repair, Scene, colours_of, repair_of, scene_of, stored_as
from gesso.quality.outside import OUTSIDE_MASK
from gesso.quality.seam import SEAM
from gesso.quality.text import RESIDUAL_TEXT, residual_lines, surest_at

MADE_BY = "remove-text 1"
LOOK_AGAIN_HEIGHTS = 0.5
LOOK_WIDER_HEIGHTS = 2.0
"""How much around a line is searched again; more where the first search was unsure and may have seen a part only."""
STRICTER = 0.6
"""What is left is judged by a lower confidence than what was found: a ghost of text is text."""
SURE = 0.9
STROKE_SEAM = 3.0
"""Strokes are thin and cross every edge of the ground, so their seam reads higher than a patch's (limit 2.5) at equal looks."""
MOSTLY = 0.5
"""A line belongs to an area when this part of it lies inside."""

Fate = Literal["removed", "rolled_back", "kept", "uncertain", "outside"]


class RemoveTextParams(Params):
    """What to remove, and how."""

    image: Picture
    where: Mask | None = Field(default=None, description="remove text only here; nothing outside is touched")
    min_confidence: Fraction = Field(
        default=0.5, description="lines the detector is less sure of are reported, not removed"
    )
    keep: tuple[Box, ...] = Field(default=(), max_length=1000, description="areas that are never touched")
    dilate: Annotated[float, Field(ge=0.25, le=4), UI(advanced=True)] = Field(
        default=1.0, description="factor on the margin around the strokes"
    )
    feather_px: PixelCount = Field(default=2, description="width of the soft rim around what is replaced")
    max_retries: Annotated[int, Field(ge=0, le=5), UI(advanced=True)] = Field(
        default=2, description="further tries per line, each with another margin or synthesis"
    )
    synthesis: Synthesis = Field(default="auto", description="how to fill; auto decides line by line")
    seed: Seed = 0


class RegionReport(Model):
    """What became of one line."""

    corners: Corners
    confidence: float
    height_px: float
    fate: Fate
    ground: Ground | None = None
    mask: str = ""
    synthesis: str = ""
    tries: int = 0
    reason: str = ""


class RemoveTextResult(Result):
    """The picture without the text, and the soft mask of what was replaced."""

    image: Picture
    mask: Mask
    regions: tuple[RegionReport, ...] = ()


@dataclass
class _Job:
    """A line on its way: the only mutable state, local to one run."""

    spot: Spot
    number: int
    tries: int = 0
    fate: Fate | None = None
    reason: str = ""
    engine: str = ""
    repair: Repair | None = None
    attempts: list[Attempt] = field(default_factory=list)


def run(params: RemoveTextParams, tools: Tools, context: Context) -> RemoveTextResult:
    """See the module. Raises `Unavailable` without a detector or a fill."""
    detector, fills = tools.one(TextDetector), tools.all(Inpainter) or (tools.one(Inpainter),)
    context.progress(0.0, "looking for text")
    search = params.where.box if params.where else None
    found = () if params.where and search is None else detector.detect_text(params.image, within=search)
    allowed = allowed_area(params.image.size, params.where, params.keep)
    targets, skipped = _sorted_out(found, params, allowed)
    if not targets:
        return _unchanged(params.image, skipped)
    jobs = [_Job(Spot(r.corners, r.confidence), i + 1) for i, r in enumerate(targets)]
    work = _Work(params, detector, fills, allowed, params.image.pixels.copy())
    groups = groups_of(tuple(job.spot for job in jobs), *params.image.size)
    for index, group in enumerate(groups):
        context.part(0.5 + 0.4 * index / len(groups), 0.9).progress(0.0, f"{len(jobs)} lines of text")
        _clean(work, [jobs[i] for i in group.members], group, context)
    return _result(work, jobs, skipped)


@dataclass
class _Work:
    """What the groups of one run share. `out` is the picture in the making."""

    params: RemoveTextParams
    detector: TextDetector
    fills: tuple[Inpainter, ...]
    allowed: Plane | None
    out: NDArray[Any]
    cover: Plane = field(init=False)
    sure: Plane = field(init=False)

    def __post_init__(self) -> None:
        self.cover = np.zeros(self.out.shape[:2], np.float32)
        self.sure = np.zeros(self.out.shape[:2], np.float32)


def _clean(work: _Work, jobs: list[_Job], group: Group, context: Context) -> None:
    """Remove one group's lines from `work.out`, retrying or giving back each line on its own."""
    crop = Picture(work.params.image.pixels[group.box.slices])
    spots = tuple(job.spot for job in jobs)
    scene = scene_of(colours_of(crop), spots, group.box)
    pending = jobs
    while pending:
        context.check()
        started = time.perf_counter()
        for job in pending:
            _plan(work, job, scene, group.box, spots, jobs.index(job))
        try:
            _fill(work, jobs, group.box, crop, context)
        except EngineFailed as error:
            for job in jobs:
                job.fate, job.reason = "rolled_back", error.message
            break
        left = _look_again(work, pending)
        seconds = (time.perf_counter() - started) / len(pending)
        for job in pending:
            _judge(work.params, job, left.get(job.number), seconds)
        pending = [job for job in pending if job.fate is None]
    if any(job.fate == "rolled_back" for job in jobs):
        _give_back_plates(jobs, scene)
        _fill(work, jobs, group.box, crop, context)
    _keep_masks(work, jobs, group.box)


def _plan(work: _Work, job: _Job, scene: Scene, box: Box, spots: tuple[Spot, ...], index: int) -> None:
    """Decide the line's repair and synthesis for its next try."""
    params = work.params
    repair = repair_of(
        scene,
        box,
        spots,
        index,
        attempt=job.tries,
        last=job.tries == params.max_retries,
        dilate=params.dilate,
        feather_px=float(params.feather_px),
    )
    if work.allowed is not None:
        allowed = work.allowed[box.slices]
        repair = replace(repair, hole=repair.hole * allowed, undone=repair.undone & (allowed > 0))
    job.repair = repair
    swap = job.tries >= 2 and params.synthesis == "auto"
    ranked = fills_for(work.fills, params.synthesis, repair.stats.ground)
    job.engine = ranked[1 if swap and len(ranked) > 1 else 0].info.id


def _fill(work: _Work, jobs: list[_Job], box: Box, crop: Picture, context: Context) -> None:
    """Write the crop into `work.out`: every line not given back is undone or replaced by its own synthesis."""
    live = [(job, job.repair) for job in jobs if job.fate != "rolled_back" and job.repair is not None]
    pixels = crop.pixels.copy()
    for _, repair in live:
        pixels[:, :, :3][repair.undone] = stored_as(repair.colours[repair.undone], crop)
    base = crop.with_pixels(pixels)
    hole = np.zeros((box.height, box.width), np.float32)
    for job in jobs:
        if job.repair is not None:
            np.maximum(hole, job.repair.hole, out=hole)
    result = base.pixels
    for engine in dict.fromkeys(job.engine for job, _ in live):
        own = np.max([repair.hole for job, repair in live if job.engine == engine], axis=0)
        if own.any():
            fill = next(f for f in work.fills if f.info.id == engine)
            filled = fill.fill(base, Mask.of(hole, made_by=MADE_BY), seed=max(0, work.params.seed), context=context)
            result = paste_back(result, filled.pixels, own)
    work.out[box.slices] = result


def _give_back_plates(jobs: list[_Job], scene: Scene) -> None:
    """Lines on one plate share its fate: it cannot be removed under one and left under the other."""
    lost = [plate for job, plate in zip(jobs, scene.plates, strict=True) if plate and job.fate == "rolled_back"]
    for job, plate in zip(jobs, scene.plates, strict=True):
        if job.fate == "removed" and any(plate is other for other in lost):
            job.fate, job.reason = "rolled_back", "text is left on the plate it shares with another line"


def _look_again(work: _Work, jobs: list[_Job]) -> dict[int, TextRegion]:
    """The surest text still found at each of the lines, by line number."""
    width, height = work.params.image.size
    boxes = []
    for job in jobs:
        reach = LOOK_AGAIN_HEIGHTS if job.spot.confidence >= SURE else LOOK_WIDER_HEIGHTS
        boxes.append(job.spot.box(reach * job.spot.height, width, height))
    picture = work.params.image.with_pixels(work.out)
    confidence = STRICTER * work.params.min_confidence
    found = residual_lines(work.detector, picture, within=united(boxes), confidence=confidence)
    return surest_at(found, {job.number: job.spot.corners for job in jobs})


def _judge(params: RemoveTextParams, job: _Job, left: TextRegion | None, seconds: float) -> None:
    """Accept the line, send it round again, or give it back; the try is recorded either way."""
    assert job.repair is not None
    repair, stats = job.repair, job.repair.stats
    detail = "" if left is None else f"text is still found, confidence {left.confidence:.2f}"
    value = float(left is not None)
    verdict = Verdict(gate=RESIDUAL_TEXT.id, passed=left is None, value=value, limit=0.0, unit="lines", detail=detail)
    ground = f"the ground is {stats.ground} (detail {stats.ordinary:.1f}, strongest {stats.strongest:.1f})"
    job.attempts.append(
        Attempt(
            what=f"line {job.number}: {_synthesis(job)}, {repair.kind}, try {job.tries + 1}",
            engine=job.engine,
            chosen_because=f"{ground}; {repair.reason}".rstrip("; "),
            seconds=round(seconds, 4),
            accepted=left is None,
            verdicts=(verdict,),
            details={
                "mask": repair.kind,
                "reliability": round(repair.reliability, 3),
                "noise": round(stats.noise, 2),
                "synthesised_px": int(np.count_nonzero(repair.hole)),
                "undone_px": int(np.count_nonzero(repair.undone)),
            },
        )
    )
    if left is None:
        job.fate = "removed"
    elif job.tries >= params.max_retries:
        job.fate, job.reason = "rolled_back", detail
    job.tries += 1


def _synthesis(job: _Job) -> str:
    """What made the pixels: the fill's id, after "unblend" where a layer was undone."""
    is_undone = job.repair is not None and job.repair.undone.any()
    return f"unblend+{job.engine}" if is_undone else job.engine


def _keep_masks(work: _Work, jobs: list[_Job], box: Box) -> None:
    rows, columns = box.slices
    for job in jobs:
        if job.fate != "removed" or job.repair is None:
            continue
        target, sure, cover = work.cover[rows, columns], work.sure[rows, columns], job.repair.cover
        certainty = job.spot.confidence * (0.5 + 0.5 * job.repair.reliability)
        np.copyto(sure, np.maximum(sure, np.float32(certainty)), where=cover > 0)
        np.maximum(target, cover, out=target)


def _sorted_out(
    found: tuple[TextRegion, ...], params: RemoveTextParams, allowed: Plane | None
) -> tuple[list[TextRegion], list[RegionReport]]:
    """Lines to remove, and reports on those that stay."""
    targets, skipped = [], []
    for region in found:
        spot = Spot(region.corners, region.confidence)
        fate: Fate | None = None
        if region.confidence < params.min_confidence:
            fate, reason = "uncertain", f"confidence {region.confidence:.2f} is below {params.min_confidence:.2f}"
        elif allowed is not None and (share := share_inside(spot.points, allowed)) < MOSTLY:
            fate, reason = ("outside", f"{share:.0%} of the line lies where the picture may be touched")
        if fate is None:
            targets.append(region)
        else:
            skipped.append(_report(spot, fate, reason))
    return targets, skipped


def _report(spot: Spot, fate: Fate, reason: str) -> RegionReport:
    return RegionReport(
        corners=spot.corners, confidence=spot.confidence, height_px=round(spot.height, 1), fate=fate, reason=reason
    )


def _unchanged(image: Picture, skipped: list[RegionReport]) -> RemoveTextResult:
    """The input as it is, with the verdict "no text" (or that what there is was not to be removed)."""
    detail = (
        f"{len(skipped)} lines left alone: {', '.join(sorted({r.fate for r in skipped}))}" if skipped else "no text"
    )
    empty = np.zeros((image.height, image.width), np.float32)
    verdicts = (
        Verdict(gate=RESIDUAL_TEXT.id, passed=True, value=0.0, limit=0.0, unit="lines", detail=detail),
        Verdict(gate=OUTSIDE_MASK.id, passed=True, value=0.0, limit=0.0, unit="px", detail="nothing changed"),
    )
    return RemoveTextResult(
        image=image,
        mask=Mask(empty, empty, MADE_BY, (image.sha256,)),
        status="unchanged",
        reason=detail,
        verdicts=verdicts,
        notices=_notices(skipped),
        regions=tuple(skipped),
    )


def _result(work: _Work, jobs: list[_Job], skipped: list[RegionReport]) -> RemoveTextResult:
    image = work.params.image
    failed = [job for job in jobs if job.fate == "rolled_back"]
    mask = Mask(work.cover, work.sure, MADE_BY, (image.sha256,))
    reports = [*(_full_report(job) for job in jobs), *skipped]
    attempts = tuple(attempt for job in jobs for attempt in job.attempts)
    residual = Verdict(
        gate=RESIDUAL_TEXT.id,
        passed=not failed,
        value=float(len(failed)),
        limit=0.0,
        unit="lines",
        detail=f"{len(jobs) - len(failed)} of {len(jobs)} lines removed",
    )
    reason = f"{len(failed)} of {len(jobs)} lines could not be removed and were given back" if failed else ""
    verdicts: tuple[Verdict, ...] = (residual,)
    if len(failed) == len(jobs):
        status: Status = "rolled_back"
        after = image
    else:
        status = "repaired" if any(job.tries > 1 for job in jobs) else "done"
        after = image.with_pixels(work.out)
        evidence = Evidence(after=after, before=image, mask=mask)
        judged = (OUTSIDE_MASK.judge(evidence), SEAM.judge(evidence, limit=STROKE_SEAM))
        verdicts += tuple(v for v in judged if v is not None)
    return RemoveTextResult(
        image=after,
        mask=mask,
        status=status,
        reason=reason,
        verdicts=verdicts,
        attempts=attempts,
        notices=_notices(reports),
        regions=tuple(reports),
    )


def _full_report(job: _Job) -> RegionReport:
    assert job.fate is not None and job.repair is not None
    repair = job.repair
    update = {"ground": repair.stats.ground, "mask": repair.kind, "synthesis": _synthesis(job), "tries": job.tries}
    return _report(job.spot, job.fate, job.reason).model_copy(update=update)


def _notices(reports: list[RegionReport]) -> tuple[Notice, ...]:
    sentences = {
        "rolled_back": "could not be removed without a trace of text and was given back",
        "uncertain": "may be text, but the detector is not sure enough; lower min_confidence to remove it",
    }
    out = []
    for fate, sentence in sentences.items():
        count = sum(report.fate == fate for report in reports)
        if count:
            out.append(Notice(code=f"text_{fate}", message=f"{count} line{'s' * (count > 1)} {sentence}"))
    return tuple(out)


REMOVE_TEXT: Operation[RemoveTextParams, RemoveTextResult] = Operation(
    id="remove-text",
    version=1,
    title="Remove text",
    summary="Takes captions, watermarks and date stamps out of a photograph, and says where it could not.",
    params=RemoveTextParams,
    result=RemoveTextResult,
    run=run,
    needs=(TextDetector, Inpainter),
    gates=(RESIDUAL_TEXT.id, OUTSIDE_MASK.id, SEAM.id),
)
