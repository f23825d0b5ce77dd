"""Gives a cut-out a soft shadow: of contact with the ground it stands on, or cast on a wall behind it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Field

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput
from gesso.contracts.fields import UI, Colour, Fraction
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask, Plane
from gesso.contracts.model import Params
from gesso.contracts.operation import Operation, Result
from gesso.contracts.picture import Picture, Pixels
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Notice
from gesso.imaging.alpha import alpha_plane, over, with_alpha
from gesso.imaging.compose import box_of

VISIBLE = 0.004
"""Alpha below one 8-bit step is nothing."""
DROP_BLUR_SHARE = 0.035
CONTACT_BLUR_SHARE = 0.03
"""Automatic blur as a share of the subject's width."""
LYING = 0.10
"""Seen from a little above, as products are photographed, the ground's depth shows foreshortened to about this share of
the subject's width."""
HEIGHT_FADE = 0.35
"""What stands higher above the ground than this share of the subject's height no longer darkens the ground beneath."""
CORE_ROWS = 0.06
"""The lowest share of the subject, which touches the ground and makes the shadow's dark core."""


class ShadowParams(Params):
    """Which shadow."""

    image: Picture = Field(description="a cut-out: a picture with transparency")
    kind: Literal["contact", "drop"] = Field(
        default="contact", description="on the ground beneath, or on a wall behind"
    )
    strength: Fraction = Field(default=0.5, description="opacity where the shadow is darkest")
    blur_px: Annotated[float, Field(ge=0, le=1000), UI(unit="px")] | None = Field(
        default=None, description="softness; without it chosen by the subject's size"
    )
    offset_x: Annotated[int, Field(ge=-4096, le=4096), UI(unit="px")] | None = Field(
        default=None, description="shift to the right; without it 0 for contact and a little for drop"
    )
    offset_y: Annotated[int, Field(ge=-4096, le=4096), UI(unit="px")] | None = Field(
        default=None, description="shift downwards; without it 0 for contact and a little for drop"
    )
    colour: Colour = "#000000"


class ShadowResult(Result):
    """The cut-out with its shadow beneath (H×W×4), and the shadow alone as a mask."""

    image: Picture
    mask: Mask


def run(params: ShadowParams, tools: Tools, context: Context) -> ShadowResult:
    """See the module. Enlarges the canvas where the shadow needs it and says so (notice canvas_enlarged).

    The subject's opaque pixels keep their bytes. Raises `BadInput` (alpha_missing).
    """
    image = params.image
    alpha = alpha_plane(image.pixels)
    box = box_of(np.where(alpha >= VISIBLE, alpha, np.float32(0.0)))
    if not image.has_alpha or bool((alpha >= 1.0).all()):
        raise BadInput(
            "the picture has no transparency, so that its subject is not known",
            code="alpha_missing",
            field="image",
            hint="cutout first",
        )
    if box is None or params.strength == 0:
        empty = Mask.of(np.zeros_like(alpha), made_by="shadow 1", lineage=(image.sha256,))
        return ShadowResult(
            image=image, mask=empty, status="unchanged", reason="there is no subject or no shadow to draw"
        )
    context.progress(0.1, "shadow")
    blur = params.blur_px
    if blur is None:
        blur = max(1.0, (CONTACT_BLUR_SHARE if params.kind == "contact" else DROP_BLUR_SHARE) * box.width)
    reach = int(np.ceil(3.5 * max(blur, 1.0))) + round(LYING * box.width)
    subject = np.ascontiguousarray(np.pad(alpha[box.slices], reach))
    drawn = _contact(subject, box, reach, blur) if params.kind == "contact" else _dropped(subject, blur)
    drawn = drawn * np.float32(params.strength)
    dx, dy = _offset(params, box)
    place = Box(x0=box.x0 - reach + dx, y0=box.y0 - reach + dy, x1=box.x1 + reach + dx, y1=box.y1 + reach + dy)
    return _composed(params, drawn, place)


def _offset(params: ShadowParams, box: Box) -> tuple[int, int]:
    auto = round(0.03 * box.width) if params.kind == "drop" else 0
    return (
        auto if params.offset_x is None else params.offset_x,
        (auto * 4 // 3 if params.kind == "drop" else 0) if params.offset_y is None else params.offset_y,
    )


def _dropped(subject: Plane, blur: float) -> Plane:
    """The subject's own shape, blurred: a wall close behind."""
    return _blurred(subject, blur)


def _contact(subject: Plane, box: Box, reach: int, blur: float) -> Plane:
    """A lying shadow: the subject pressed flat onto its base line, dark where it touches, wide and faint further off.

    Two layers are united: a wide one from all of the subject's lower part, weighted down with height, and a narrow dark
    core from the rows that touch the ground.
    """
    base = reach + box.height
    columns = subject[reach:base, :]
    above = (box.height - 0.5 - np.arange(box.height, dtype=np.float32)) / np.float32(box.height)
    low = np.clip(1.0 - above / HEIGHT_FADE, 0.0, 1.0) ** 1.5
    occlusion = (columns * low[:, None]).max(axis=0)
    rows = max(1, round(CORE_ROWS * box.height))
    touching = columns[-rows:].mean(axis=0)
    depth = max(2.0, LYING * box.width)
    wide = _lying(occlusion, subject.shape[0], base - 0.25 * depth, depth)
    core = _lying(touching, subject.shape[0], base - 0.12 * depth, 0.4 * depth)
    wide = _blurred(wide, blur)
    core = _blurred(core, 0.3 * blur)
    united: Plane = (1.0 - (1.0 - 0.6 * wide) * (1.0 - 0.75 * core)).astype(np.float32)
    return united / np.float32(max(float(united.max()), 1e-3))


def _lying(profile: Plane, height: int, middle: float, depth: float) -> Plane:
    """The profile (by column) spread over rows as an ellipse's depth: full in the middle, round at both ends."""
    width = profile.size
    thick: Plane = cv2.GaussianBlur(profile[None, :], (0, 0), max(0.5, 0.25 * depth))[0]
    half = 0.5 * depth * np.sqrt(np.clip(thick, 0.0, 1.0))
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5 - np.float32(middle)
    plane: Plane = (profile[None, :] * np.clip(half[None, :] + 0.5 - np.abs(y), 0.0, 1.0)).astype(np.float32)
    assert plane.shape == (height, width)
    return plane


def _blurred(plane: Plane, sigma: float) -> Plane:
    """Gaussian, at reduced size where sigma is large: the result is smooth anyway."""
    if sigma <= 0.3:
        return plane
    factor = max(1, int(sigma // 6))
    if factor == 1:
        soft: Plane = cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        return soft
    size = (max(2, plane.shape[1] // factor), max(2, plane.shape[0] // factor))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_CONSTANT)
    wide: Plane = cv2.resize(small, (plane.shape[1], plane.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip(wide, 0.0, 1.0)


def _composed(params: ShadowParams, drawn: Plane, place: Box) -> ShadowResult:
    """The shadow under the subject, on a canvas that holds both. `place` is where `drawn` lies in the picture."""
    image = params.image
    seen = box_of(np.where(drawn >= VISIBLE, drawn, np.float32(0.0)))
    left = top = right = bottom = 0
    if seen is not None:
        left, top = max(0, -(place.x0 + seen.x0)), max(0, -(place.y0 + seen.y0))
        right, bottom = max(0, place.x0 + seen.x1 - image.width), max(0, place.y0 + seen.y1 - image.height)
    width, height = image.width + left + right, image.height + top + bottom
    shade = np.zeros((height, width), np.float32)
    _put(shade, drawn, place.x0 + left, place.y0 + top)
    upper: Any = np.zeros((height, width, 4), image.pixels.dtype)
    upper[top : top + image.height, left : left + image.width] = image.pixels
    pixels = over(upper, _tinted(params.colour, shade, image.pixels.dtype))
    notices: tuple[Notice, ...] = ()
    if left or top or right or bottom:
        text = f"the canvas grew by {left}, {top}, {right}, {bottom} px (left, top, right, bottom) to hold the shadow"
        notices = (Notice(code="canvas_enlarged", message=text),)
    mask = Mask.of(shade, made_by="shadow 1", lineage=(image.sha256,))
    return ShadowResult(image=image.with_pixels(pixels), mask=mask, notices=notices)


def _put(target: Plane, part: Plane, x: int, y: int) -> None:
    """Lay `part` on `target` with its corner at x, y; what reaches outside is cut off."""
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(target.shape[1], x + part.shape[1]), min(target.shape[0], y + part.shape[0])
    if x0 < x1 and y0 < y1:
        target[y0:y1, x0:x1] = part[y0 - y : y1 - y, x0 - x : x1 - x]


def _tinted(colour: str, shade: Plane, dtype: Any) -> Pixels:
    levels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255.0)
    flat: Any = np.empty((*shade.shape, 3), dtype)
    flat[...] = np.rint(levels * np.iinfo(dtype).max).astype(dtype)
    return with_alpha(flat, shade)


SHADOW = Operation(
    id="shadow",
    version=1,
    title="Add a shadow",
    summary="Puts a soft contact or drop shadow beneath a cut-out.",
    params=ShadowParams,
    result=ShadowResult,
    run=run,
)
