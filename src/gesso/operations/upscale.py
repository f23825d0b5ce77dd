"""Enlarges a picture ×2, ×3 or ×4 in stages, each of which must prove itself.

enhance (the embedded engine) → edge-aware denoise, where noise was measured → a model, where one is installed and asked
for or needed → perceptual alignment of the low frequencies with the input. Every stage is measured against the input and
taken back when it makes things worse.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gesso.contracts.capabilities import Upscaler
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, EngineFailed, OutOfMemory
from gesso.contracts.fields import UI, Fraction
from gesso.contracts.gate import Evidence, Gate
from gesso.contracts.mask import Mask
from gesso.contracts.model import Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture, Pixels
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Attempt, Notice, Verdict
from gesso.imaging.alpha import peak
from gesso.imaging.enlarged import add_enlarged
from gesso.imaging.enlarging import check_size, colours, enlarge, painted, with_enlarged_alpha
from gesso.imaging.resize import area_mean
from gesso.quality.halo import HALO
from gesso.quality.planes import luma
from gesso.quality.reference import DRIFT, DRIFT_SIGMA, PSNR
from gesso.quality.regions import need
from gesso.quality.signal import WHITE, Grain, grain

GATES: tuple[Gate, ...] = (HALO, DRIFT, PSNR)

FIDELITY_DB = 28.0
"""PSNR that the result, averaged down, must keep to the input. Below the gate's own 30: where the input is aliased, no
smooth picture averages to it exactly."""

LEAST_NOISE = 4.0
"""Standard deviation, on a scale of 0…255, from which noise is removed unasked."""

AUTO_STRENGTH = 0.5
"""What unset `denoise` means where there is noise: smoothing of contrasts up to 1.5 deviations."""

DENOISE_RADIUS = 2
"""Pixels of the input; of the guided filter."""

NOISE_TOLERANCE = 1.25
"""Denoising may take away at most this many deviations of the measured noise: more is texture."""

DRIFT_WORTH = 0.5
"""Low-frequency drift, on a scale of 0…255, from which alignment is worth doing."""

Scale = Literal[2, 3, 4]


class UpscaleParams(Params):
    """How much larger, and where a model may help."""

    image: Picture
    scale: Scale = Field(default=2, description="how many times as wide and high")
    where: Literal["auto", "all"] = Field(
        default="auto",
        description="where an installed model works: only where the picture is blurred or noisy, or all over",
    )
    mask: Mask | None = Field(default=None, description="an installed model works only here")
    denoise: Annotated[Fraction | None, UI(widget="slider")] = Field(
        default=None, description="0 off … 1 strong; unset: as much as the measured noise asks for"
    )


class UpscaleResult(Result):
    """The enlarged picture; ``mask`` covers where a model worked, at the input's size, if one did."""

    image: Picture
    mask: Mask | None = None
    noise: float = Field(default=0.0, description="measured noise of the input, 1/255")


@dataclass(frozen=True)
class Stages:
    """What the stages share: the input's colours, its grain, and the record so far."""

    colour: Picture
    grain: Grain
    limits: tuple[float, ...]
    attempts: tuple[Attempt, ...] = ()
    notices: tuple[Notice, ...] = ()
    verdicts: tuple[Verdict, ...] = field(default=())
    rolled_back: bool = False

    def judged(self, candidate: Picture) -> tuple[Verdict, ...]:
        """Verdicts on an enlarged `candidate` against the input."""
        evidence = Evidence(after=candidate, before=self.colour)
        found = (gate.judge(evidence, limit) for gate, limit in zip(GATES, self.limits, strict=True))
        return tuple(verdict for verdict in found if verdict is not None)


def run(params: UpscaleParams, tools: Tools, context: Context) -> UpscaleResult:
    """Enlarge; raises `BadInput` (too_many_pixels, mask_size) before any work."""
    picture, scale = params.image, params.scale
    check_size(picture.width * scale, picture.height * scale, "scale")
    if params.mask is not None and (params.mask.width, params.mask.height) != picture.size:
        raise BadInput(
            f"the mask is {params.mask.width}×{params.mask.height}, the picture {picture.width}×{picture.height}",
            code="mask_size",
            field="mask",
        )
    engines = tools.all(Upscaler)
    plain = next((engine for engine in engines if not engine.is_model), None) or tools.one(Upscaler)
    model = next((engine for engine in engines if engine.is_model), None)
    colour = colours(picture)
    found = _grain(colour)
    stages = Stages(colour, found, (HALO.limit, DRIFT.limit, _fidelity(params.denoise, found)))
    image, stages = _enhanced(stages, plain, scale, context.part(0.0, 0.35))
    image, stages = _denoised(stages, image, plain, params, context.part(0.35, 0.6))
    image, where, stages = _modelled(stages, image, model, params, context.part(0.6, 0.8))
    image, stages = _aligned(stages, image)
    if picture.has_alpha:
        image = with_enlarged_alpha(image, picture, plain, scale, context.part(0.85, 0.95))
        stages = replace(stages, verdicts=replace(stages, colour=picture).judged(image))
    context.progress(1.0, "done")
    return UpscaleResult(
        status="repaired" if stages.rolled_back else "done",
        reason="a stage made the picture worse and was taken back" if stages.rolled_back else "",
        image=image,
        mask=where,
        noise=found.deviation,
        verdicts=stages.verdicts,
        attempts=stages.attempts,
        notices=stages.notices,
    )


def _grain(colour: Picture) -> Grain:
    """The grain of a colour channel on a scale of 0…255: medians over the channels."""
    factor = np.float32(255.0 / peak(colour.pixels))
    found = [grain(colour.pixels[:, :, c].astype(np.float32) * factor) for c in range(3)]
    return Grain(float(np.median([g.deviation for g in found])), float(np.median([g.whiteness for g in found])))


def _strength(denoise: float | None, found: Grain) -> float:
    """0…1: how strongly to denoise; unasked only what looks like noise, never texture."""
    if denoise is not None:
        return denoise
    return AUTO_STRENGTH if found.deviation >= LEAST_NOISE and found.whiteness >= WHITE else 0.0


def _fidelity(denoise: float | None, found: Grain) -> float:
    """PSNR to keep to the input, allowing for the noise that is to be removed."""
    if _strength(denoise, found) == 0.0:
        return FIDELITY_DB
    return min(FIDELITY_DB, 20.0 * math.log10(255.0 / (NOISE_TOLERANCE * max(found.deviation, 1.0))))


def _enhanced(stages: Stages, plain: Upscaler, scale: int, context: Context) -> tuple[Picture, Stages]:
    began = time.perf_counter()
    image = enlarge(plain, stages.colour, scale, context)
    verdicts = stages.judged(image)
    attempt = Attempt(
        what="enhance",
        engine=plain.info.id,
        chosen_because="the embedded engine enlarges every picture",
        seconds=time.perf_counter() - began,
        verdicts=verdicts,
    )
    return image, replace(stages, attempts=(*stages.attempts, attempt), verdicts=verdicts)


def _denoised(
    stages: Stages, image: Picture, plain: Upscaler, params: UpscaleParams, context: Context
) -> tuple[Picture, Stages]:
    """The enlargement of the denoised input, if there is noise and taking it away does no harm."""
    strength, sigma = _strength(params.denoise, stages.grain), stages.grain.deviation
    measured = {"noise": round(sigma, 2), "whiteness": round(stages.grain.whiteness, 2)}
    if strength == 0.0:
        why = "switched off" if params.denoise == 0.0 else f"noise {sigma:.1f} is below {LEAST_NOISE}"
        if params.denoise is None and sigma >= LEAST_NOISE:
            why = f"grain {sigma:.1f} is texture: whiteness {stages.grain.whiteness:.2f} is below {WHITE}"
        skipped = Attempt(what="denoise: skipped", chosen_because=why, accepted=False, details=measured)
        return image, replace(stages, attempts=(*stages.attempts, skipped))
    began = time.perf_counter()
    pixels = stages.colour.pixels
    factor = np.float32(255.0 / peak(pixels))
    plane = pixels.astype(np.float32) * factor
    reach = 3.0 * strength * max(sigma, 1.0)
    calm = cv2.ximgproc.guidedFilter(plane, plane, DENOISE_RADIUS, reach * reach)
    removed = float(np.sqrt(np.mean(np.square(plane - calm), dtype=np.float64)))
    because = f"noise {sigma:.1f}" if params.denoise is None else f"strength {strength:g} was asked for"
    details = {**measured, "strength": strength, "removed": round(removed, 2)}
    if removed > NOISE_TOLERANCE * max(sigma, 1.0):
        spoilt = Attempt(what="denoise: rolled back", chosen_because=because, accepted=False, details=details)
        return image, replace(stages, attempts=(*stages.attempts, spoilt), rolled_back=True)
    rounded: Pixels = np.clip(np.rint(calm / factor), 0, peak(pixels)).astype(pixels.dtype)
    candidate = enlarge(plain, stages.colour.with_pixels(rounded), params.scale, context)
    return _kept(stages, image, candidate, "denoise", plain.info.id, because, began, details)


def _modelled(
    stages: Stages, image: Picture, model: Upscaler | None, params: UpscaleParams, context: Context
) -> tuple[Picture, Mask | None, Stages]:
    """The model's work blended in where it was asked for, or where the picture needs it."""
    if model is None:
        if params.mask is None and params.where == "auto":
            return image, None, stages
        notice = Notice(
            code="no_model", message="no upscaling model is installed; the embedded engine worked everywhere"
        )
        return image, None, replace(stages, notices=(*stages.notices, notice))
    where, because = _region(params, stages.colour)
    if where.is_empty:
        skipped = Attempt(what="model: skipped", engine=model.info.id, chosen_because=because, accepted=False)
        return image, None, replace(stages, attempts=(*stages.attempts, skipped))
    began = time.perf_counter()
    try:
        candidate = painted(model, stages.colour, image, where, params.scale, context)
    except (EngineFailed, OutOfMemory) as error:
        failed = Attempt(
            what="model: failed",
            engine=model.info.id,
            chosen_because=because,
            seconds=time.perf_counter() - began,
            accepted=False,
            details={"error": error.as_json()},
        )
        notice = Notice(
            code="model_failed", message=f"the model failed, the embedded engine's result stands: {error.message}"
        )
        return (
            image,
            None,
            replace(stages, attempts=(*stages.attempts, failed), notices=(*stages.notices, notice), rolled_back=True),
        )
    details: dict[str, object] = {"area": round(where.area, 4)}
    kept, after = _kept(stages, image, candidate, "model", model.info.id, because, began, details)
    return kept, where if kept is candidate else None, after


def _region(params: UpscaleParams, colour: Picture) -> tuple[Mask, str]:
    if params.mask is not None:
        return params.mask, "the mask asked for it"
    if params.where == "all":
        return Mask.of(np.ones((colour.height, colour.width), np.float32), made_by="upscale 1"), "asked for everywhere"
    found = need(luma(colour))
    share = float(np.count_nonzero(found)) / found.size
    because = f"{share:.0%} of the picture is blurred or noisy" if share else "the picture is crisp and clean"
    return Mask.of(found, made_by="upscale 1", lineage=(colour.sha256,)), because


def _aligned(stages: Stages, image: Picture) -> tuple[Picture, Stages]:
    """Tone, contrast and low frequencies brought back to the input's, when they drifted."""
    drifted = next((v.value for v in stages.verdicts if v.gate == DRIFT.id), 0.0)
    if drifted < DRIFT_WORTH:
        why = f"drift {drifted:.2f} is below {DRIFT_WORTH}"
        skipped = Attempt(what="align: skipped", chosen_because=why, accepted=False)
        return image, replace(stages, attempts=(*stages.attempts, skipped))
    began = time.perf_counter()
    before = stages.colour.pixels.astype(np.float32)
    factor = np.float32(peak(stages.colour.pixels) / 65535.0)
    wide = image.pixels if image.bit_depth == 16 else image.pixels.astype(np.uint16) * np.uint16(257)
    lost = before - area_mean(wide, stages.colour.size).astype(np.float32) * factor
    layer: NDArray[np.float32] = cv2.GaussianBlur(lost, (0, 0), DRIFT_SIGMA, borderType=cv2.BORDER_REFLECT)
    candidate = image.with_pixels(add_enlarged(image.pixels, layer))
    return _kept(stages, image, candidate, "align", "", f"drift {drifted:.2f}", began, {})


def _kept(
    stages: Stages,
    image: Picture,
    candidate: Picture,
    what: str,
    engine: str,
    because: str,
    began: float,
    details: dict[str, object] | dict[str, float],
) -> tuple[Picture, Stages]:
    """`candidate` if every verdict passes or is no worse than that of `image`, else `image`; recorded either way."""
    verdicts = stages.judged(candidate)
    good = all(_no_worse(after, before) for after, before in zip(verdicts, stages.verdicts, strict=True))
    attempt = Attempt(
        what=what if good else f"{what}: rolled back",
        engine=engine,
        chosen_because=because,
        seconds=time.perf_counter() - began,
        accepted=good,
        verdicts=verdicts,
        details=dict(details),
    )
    stages = replace(stages, attempts=(*stages.attempts, attempt))
    if not good:
        return image, replace(stages, rolled_back=True)
    return candidate, replace(stages, verdicts=verdicts)


def _no_worse(after: Verdict, before: Verdict) -> bool:
    if after.passed:
        return True
    return after.value >= before.value if after.gate == PSNR.id else after.value <= before.value


UPSCALE = Operation(
    id="upscale",
    version=1,
    title="Upscale",
    summary="Enlarge ×2, ×3 or ×4 without halos, in stages that are each checked against the input.",
    params=UpscaleParams,
    result=UpscaleResult,
    run=run,
    needs=(Upscaler,),
    gates=tuple(gate.id for gate in GATES),
)
