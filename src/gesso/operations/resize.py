"""Brings a picture to a size: shrinks by area, enlarges by the installed upscaler, crops or pads to the proportions."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

import cv2
import numpy as np
from pydantic import Field, model_validator

from gesso.contracts.capabilities import Upscaler
from gesso.contracts.context import Context
from gesso.contracts.fields import UI, Colour, Fraction
from gesso.contracts.geometry import Box, Point
from gesso.contracts.limits import Limits
from gesso.contracts.model import FieldError, Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture, Pixels
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Attempt, Notice
from gesso.imaging.alpha import over
from gesso.imaging.enlarging import check_size, colours, enlarge, with_enlarged_alpha
from gesso.imaging.framing import cover_box, focus
from gesso.imaging.resize import Floats, premultiplied, resize_planes, straightened

SHARPEN_FROM = 1.25
"""Pictures shrunk by less than this have lost no crispness worth giving back."""

SHARPEN_SIGMA = 0.7
"""Pixels of the result: finest detail only."""

Side = Annotated[int, Field(ge=1, le=Limits().max_side), UI(unit="px")]


class ResizeParams(Params):
    """The frame, and how the picture meets it."""

    image: Picture
    width: Side | None = Field(default=None, description="of the result; with height only: in proportion")
    height: Side | None = Field(default=None, description="of the result; with width only: in proportion")
    fit: Literal["cover", "contain", "pad", "stretch"] = Field(
        default="contain",
        description="cover fills the frame and crops, contain fits inside it, pad fits inside and fills up, stretch distorts",
    )
    focus: Literal["auto", "centre", "point"] = Field(
        default="auto", description="what a crop keeps: what catches the eye, the middle, or a point"
    )
    point: Point | None = Field(default=None, description="the pixel a crop is to keep in the middle, for focus: point")
    background: Colour | None = Field(
        default=None, description="fills up and goes below transparency; unset: transparent, or white without alpha"
    )
    sharpen: Fraction = Field(default=0.3, description="crispness given back after shrinking; never overshoots")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.width is None and self.height is None:
            raise FieldError("missing_field", "give a width, a height, or both")
        if (self.focus == "point") != (self.point is not None):
            raise FieldError("point_without_focus", "a point goes with focus: point, and focus: point needs one")
        return self


class ResizeResult(Result):
    """The resized picture; ``kept`` is the part of the input that it shows."""

    image: Picture
    kept: Box


def run(params: ResizeParams, tools: Tools, context: Context) -> ResizeResult:
    """Resize; raises `BadInput` (too_many_pixels, point_outside) before any work."""
    picture = params.image
    frame = _frame(params)
    check_size(*frame, "width")
    kept, inner = _placed(params, frame)
    whole = kept.width == picture.width and kept.height == picture.height
    if whole and inner == frame == picture.size and not (params.background and picture.has_alpha):
        return ResizeResult(status="unchanged", reason="it already has this size", image=picture, kept=kept)
    context.progress(0.1, "resizing")
    part: Pixels = picture.pixels[kept.slices]
    cropped = picture if whole else picture.with_pixels(part)
    image, attempts, notices = _scaled(cropped, inner, params.sharpen, tools, context.part(0.1, 0.9))
    if params.fit == "pad" or params.background:
        image = _on_ground(image, frame, params.background)
    context.progress(1.0, "done")
    return ResizeResult(image=image, kept=kept, attempts=attempts, notices=notices)


def _frame(params: ResizeParams) -> tuple[int, int]:
    """(width, height) of the result; `contain` makes it as large as the picture gets within what was asked for."""
    width, height = params.image.size
    across = math.inf if params.width is None else params.width / width
    down = math.inf if params.height is None else params.height / height
    if params.width is not None and params.height is not None and params.fit != "contain":
        return params.width, params.height
    return _in_proportion(params.image.size, min(across, down))


def _in_proportion(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _placed(params: ResizeParams, frame: tuple[int, int]) -> tuple[Box, tuple[int, int]]:
    """(part of the input to show, its size in the result)."""
    picture = params.image
    width, height = picture.size
    everything = Box(x0=0, y0=0, x1=width, y1=height)
    if params.fit == "pad":
        inner = _in_proportion(picture.size, min(frame[0] / width, frame[1] / height))
        return everything, (min(inner[0], frame[0]), min(inner[1], frame[1]))
    if params.fit != "cover":
        return everything, frame
    centre = (width / 2, height / 2)
    if params.point is not None:
        point = params.point.inside(width, height)
        centre = (point.x + 0.5, point.y + 0.5)
    elif params.focus == "auto" and cover_box(picture.size, frame, centre) != everything:
        centre = focus(picture, frame)
    return cover_box(picture.size, frame, centre), frame


def _scaled(
    picture: Picture, size: tuple[int, int], sharpen: float, tools: Tools, context: Context
) -> tuple[Picture, tuple[Attempt, ...], tuple[Notice, ...]]:
    """`picture` at `size`: enlarged by the upscaler first if any side grows, then brought to size by area means."""
    growth = max(size[0] / picture.width, size[1] / picture.height)
    shrink = min(picture.width / size[0], picture.height / size[1])
    attempts: tuple[Attempt, ...] = ()
    notices: tuple[Notice, ...] = ()
    if growth > 1.0:
        engine = next((e for e in tools.all(Upscaler) if not e.is_model), None)
        if engine is None:
            notices = (
                Notice(
                    code="no_upscaler", message="no upscaler is installed; the picture was enlarged by cubic kernels"
                ),
            )
        else:
            scale = next((s for s in sorted(engine.scales) if s >= growth), max(engine.scales))
            check_size(picture.width * scale, picture.height * scale, "width")
            large = enlarge(engine, colours(picture), scale, context.part(0.0, 0.7))
            if picture.has_alpha:
                large = with_enlarged_alpha(large, picture, engine, scale, context.part(0.7, 1.0))
            picture = large
            attempts = (
                Attempt(what=f"enlarge ×{scale}", engine=engine.info.id, chosen_because=f"it grows {growth:.2f}×"),
            )
    if picture.size == size:
        return picture, attempts, notices
    planes = resize_planes(premultiplied(picture.pixels), size, "cubic")
    if shrink >= SHARPEN_FROM and sharpen > 0.0:
        planes = crisper(planes, sharpen)
    return picture.with_pixels(straightened(planes, picture.pixels.dtype)), attempts, notices


def crisper(planes: Floats, amount: float) -> Floats:
    """H×W×C `planes` with their finest detail raised by `amount` (0…1), held inside the range of the 3×3 neighbours."""
    around = np.ones((3, 3), np.uint8)
    fine = planes - cv2.GaussianBlur(planes, (0, 0), SHARPEN_SIGMA).reshape(planes.shape)
    low, high = cv2.erode(planes, around).reshape(planes.shape), cv2.dilate(planes, around).reshape(planes.shape)
    out: Floats = np.clip(planes + np.float32(2.0 * amount) * fine, low, high)
    return out


def _on_ground(image: Picture, frame: tuple[int, int], background: str | None) -> Picture:
    """`image` in the middle of `frame` on the background; transparent where none was given and the picture has alpha."""
    top = np.iinfo(image.pixels.dtype).max
    x, y = (frame[0] - image.width) // 2, (frame[1] - image.height) // 2
    place = (slice(y, y + image.height), slice(x, x + image.width))
    if background is None and image.has_alpha:
        ground = np.zeros((frame[1], frame[0], 4), image.pixels.dtype)
        ground[place] = image.pixels
        return image.with_pixels(ground)
    code = background or "#ffffff"
    colour = [int(code[i : i + 2], 16) * top // 255 for i in (1, 3, 5)]
    ground = np.empty((frame[1], frame[0], 3), image.pixels.dtype)
    ground[:] = colour
    ground[place] = over(image.pixels, ground[place]) if image.has_alpha else image.pixels
    return image.with_pixels(ground)


RESIZE = Operation(
    id="resize",
    version=1,
    title="Resize",
    summary="Bring a picture to a size: fit, fill with a crop that keeps the subject, pad, or stretch.",
    params=ResizeParams,
    result=ResizeResult,
    run=run,
    wants=(Upscaler,),
)
