"""Puts a cut-out on a colour, a gradient or another picture, on a canvas of the wanted shape."""

from __future__ import annotations

import math
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput
from gesso.contracts.fields import UI, Colour, Fraction
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask
from gesso.contracts.model import Model, Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture, Pixels
from gesso.contracts.tools import Tools
from gesso.imaging.alpha import alpha_plane, bleed, over, peak
from gesso.imaging.compose import box_of

MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384
"""Largest canvas, as contracts.limits admits no larger picture either."""
SUBJECT_ALPHA = 0.5
"""Pixels below this share of the highest alpha are shadow or haze when the subject is placed."""
WRAP_SHARE = 0.012
"""Reach of the light wrap as a share of the canvas's shorter side."""


class Gradient(Model):
    """A linear gradient from one colour to another; ``angle`` in degrees, 0 = left to right, 90 = top to bottom."""

    start: Colour
    end: Colour
    angle: float = Field(default=90.0, ge=-360, le=360)


class ReplaceBackgroundParams(Params):
    """What goes behind the subject, and how the subject stands on it."""

    image: Picture = Field(description="a cut-out: a picture with transparency")
    colour: Colour | None = Field(default=None, description="one colour; white if nothing else is given")
    gradient: Gradient | None = Field(default=None, description="two colours and an angle")
    background: Picture | None = Field(default=None, description="a picture, scaled and cropped to cover the canvas")
    aspect: Annotated[str, Field(pattern=r"^[1-9]\d{0,4}:[1-9]\d{0,4}$")] | None = Field(
        default=None, description="shape of the canvas as width:height; without it the picture's own"
    )
    cover: Annotated[float, Field(gt=0.05, le=1)] | None = Field(
        default=None, description="the subject fills this share of the canvas, centred; without it it stays where it is"
    )
    light_wrap: Annotated[Fraction, UI(advanced=True)] = Field(
        default=0.0, description="how much of the background's light spills over the subject's edges"
    )


class ReplaceBackgroundResult(Result):
    """The opaque picture (H×W×3) and the subject's alpha on its canvas."""

    image: Picture
    mask: Mask


def run(params: ReplaceBackgroundParams, tools: Tools, context: Context) -> ReplaceBackgroundResult:
    """See the module. The subject is never resampled: the canvas is chosen around it.

    Raises `BadInput` (alpha_missing, background_ambiguous, subject_empty, canvas_too_large).
    """
    image = params.image
    if not image.has_alpha:
        raise BadInput(
            "the picture has no transparency, so that its background is not known",
            code="alpha_missing",
            field="image",
            hint="cutout first",
        )
    if sum(given is not None for given in (params.colour, params.gradient, params.background)) > 1:
        raise BadInput(
            "more than one background is given",
            code="background_ambiguous",
            hint="give only one of colour, gradient and background",
        )
    context.progress(0.1, "background")
    frame = _frame(params)
    top = _on_canvas(bleed(image.pixels), frame)
    ground = _ground(params, frame.width, frame.height, image.pixels.dtype)
    context.progress(0.5, "compositing")
    if params.light_wrap > 0:
        top = _wrapped(top, ground, params.light_wrap)
    mask = Mask.of(alpha_plane(top), made_by="replace-background 1", lineage=(image.sha256,))
    return ReplaceBackgroundResult(image=image.with_pixels(over(top, ground)), mask=mask)


def _frame(params: ReplaceBackgroundParams) -> Box:
    """The canvas in the picture's coordinates; it may reach outside the picture on any side."""
    image = params.image
    width, height = image.size
    ratio = width / height
    if params.aspect is not None:
        across, down = (int(part) for part in params.aspect.split(":"))
        ratio = across / down
    if params.cover is not None:
        subject = _subject(image)
        wide = max(subject.width / params.cover, subject.height / params.cover * ratio)
        size = max(1, round(wide)), max(1, round(wide / ratio))
        middle = (subject.x0 + subject.x1) / 2, (subject.y0 + subject.y1) / 2
    elif params.aspect is not None:
        size = (
            (width, max(1, round(width / ratio)))
            if width / ratio >= height
            else (max(1, round(height * ratio)), height)
        )
        middle = width / 2, height / 2
    else:
        return Box(x0=0, y0=0, x1=width, y1=height)
    if max(size) > MAX_SIDE or size[0] * size[1] > MAX_PIXELS:
        raise BadInput(
            f"the canvas would be {size[0]}×{size[1]} pixels",
            code="canvas_too_large",
            limit=MAX_PIXELS,
            hint="choose a larger cover or an aspect nearer to the picture's",
        )
    x0, y0 = round(middle[0] - size[0] / 2), round(middle[1] - size[1] / 2)
    return Box(x0=x0, y0=y0, x1=x0 + size[0], y1=y0 + size[1])


def _subject(image: Picture) -> Box:
    plane = alpha_plane(image.pixels)
    box = box_of(np.where(plane >= SUBJECT_ALPHA * plane.max(), plane, np.float32(0.0)))
    if box is None:
        raise BadInput(
            "the picture is transparent everywhere: there is no subject to place",
            code="subject_empty",
            field="image",
            hint="give a cut-out with a subject",
        )
    return box


def _on_canvas(pixels: Pixels, frame: Box) -> Pixels:
    """`pixels` (H×W×4) on the frame's canvas, transparent where the picture does not reach."""
    height, width = pixels.shape[:2]
    if (frame.x0, frame.y0, frame.x1, frame.y1) == (0, 0, width, height):
        return pixels
    out: Any = np.zeros((frame.height, frame.width, 4), pixels.dtype)
    x0, x1 = max(0, frame.x0), min(width, frame.x1)
    y0, y1 = max(0, frame.y0), min(height, frame.y1)
    if x0 < x1 and y0 < y1:
        out[y0 - frame.y0 : y1 - frame.y0, x0 - frame.x0 : x1 - frame.x0] = pixels[y0:y1, x0:x1]
    return out  # type: ignore[no-any-return]


def _ground(params: ReplaceBackgroundParams, width: int, height: int, dtype: Any) -> Pixels:
    """The opaque background, H×W×3."""
    top = np.iinfo(dtype).max
    if params.background is not None:
        return _covering(params.background, width, height, dtype)
    if params.gradient is not None:
        return _graded(params.gradient, width, height, dtype)
    flat: Any = np.empty((height, width, 3), dtype)
    flat[...] = np.rint(_rgb(params.colour or "#ffffff") * top).astype(dtype)
    return flat  # type: ignore[no-any-return]


def _graded(gradient: Gradient, width: int, height: int, dtype: Any) -> Pixels:
    """The gradient with ordered dithering of half a step, so that long ramps show no bands; the same every time."""
    angle = math.radians(gradient.angle)
    across, down = math.cos(angle), math.sin(angle)
    x = (np.arange(width, dtype=np.float32) + 0.5) - width / 2
    y = (np.arange(height, dtype=np.float32) + 0.5) - height / 2
    reach = abs(across) * width + abs(down) * height
    t = np.clip((x[None, :] * across + y[:, None] * down) / np.float32(reach) + 0.5, 0.0, 1.0).astype(np.float32)
    start, end = _rgb(gradient.start), _rgb(gradient.end)
    top = np.iinfo(dtype).max
    values = (start + (end - start) * t[:, :, None]) * top
    tile = (np.array(((0, 8, 2, 10), (12, 4, 14, 6), (3, 11, 1, 9), (15, 7, 13, 5)), np.float32) - 7.5) / 16.0
    dither = np.tile(tile, (-(-height // 4), -(-width // 4)))[:height, :width, None]
    graded: Any = np.clip(np.rint(values + dither), 0, top).astype(dtype)
    return graded  # type: ignore[no-any-return]


def _covering(background: Picture, width: int, height: int, dtype: Any) -> Pixels:
    """The picture scaled evenly and cropped about its middle to width×height; its own transparency falls on white."""
    pixels: Any = background.pixels
    if background.has_alpha:
        white: Any = np.full((*pixels.shape[:2], 3), peak(pixels), pixels.dtype)
        pixels = over(pixels, white)
    scale = max(width / background.width, height / background.height)
    crop_w, crop_h = min(background.width, round(width / scale)), min(background.height, round(height / scale))
    x, y = (background.width - crop_w) // 2, (background.height - crop_h) // 2
    crop = np.ascontiguousarray(pixels[y : y + max(1, crop_h), x : x + max(1, crop_w)])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    fitted: Any = cv2.resize(crop, (width, height), interpolation=method)
    if fitted.dtype == dtype:
        return fitted  # type: ignore[no-any-return]
    deep: Any = fitted.astype(np.uint16) * 257 if dtype == np.uint16 else np.rint(fitted / 257.0).astype(np.uint8)
    return deep  # type: ignore[no-any-return]


def _wrapped(top: Pixels, ground: Pixels, strength: float) -> Pixels:
    """The subject's edge pixels tinted by the blurred background, as light from behind spills around an object."""
    sigma = max(1.0, WRAP_SHARE * min(ground.shape[:2]))
    behind = cv2.GaussianBlur((1.0 - alpha_plane(top)), (0, 0), sigma)
    share = (np.clip(behind, 0.0, 1.0) * np.float32(strength))[:, :, None]
    light = cv2.GaussianBlur(ground, (0, 0), sigma).astype(np.float32)
    out = top.copy()
    base = top[:, :, :3].astype(np.float32)
    out[:, :, :3] = np.rint(base + (np.maximum(light, base) - base) * share).astype(top.dtype)
    return out


def _rgb(colour: str) -> NDArray[np.float32]:
    """#rrggbb as three float32 in 0…1."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255.0)


REPLACE_BACKGROUND = Operation(
    id="replace-background",
    version=1,
    title="Replace the background",
    summary="Puts a cut-out on a colour, a gradient or a picture, and shapes the canvas around the subject.",
    params=ReplaceBackgroundParams,
    result=ReplaceBackgroundResult,
    run=run,
)
