"""Encoded bytes to a normalised array: the work inside the decoder child."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import BITSPERSAMPLE, TiffImageFile

from gesso.contracts.errors import BadImage
from gesso.imaging import deep
from gesso.imaging.normalise import Array, finished, normalised, orientation_of, upright
from gesso.imaging.notes import Notes

PILLOW_NAMES = {
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "avif": "AVIF",
    "gif": "GIF",
    "tiff": "TIFF",
    "heic": "HEIF",
}
"""Our formats → Pillow's; no other is ever opened."""


CODEC_ERRORS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Warning,
    Image.DecompressionBombError,
)
"""What Pillow's plugins are known to raise on damaged files."""


SRGB_GAMMA = 0.45455
SRGB_CHROMATICITY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""What PNG's gAMA and cHRM say of sRGB (PNG specification, third edition, 11.3.2.5: white, red, green, blue)."""
GAMMA_TOLERANCE = 0.01
CHROMATICITY_TOLERANCE = 0.005


@dataclass(frozen=True)
class Order:
    """What to decode: ``format`` as sniffed, ``page`` in the decoder's count, and the limits that the decoder keeps."""

    format: str
    page: int
    width: int
    height: int
    max_frames: int
    max_pixels: int
    animation: bool
    as_mask: bool = False


def decode_image(image: Image.Image, frame: int | None, as_mask: bool) -> tuple[Array, tuple[tuple[str, str], ...]]:
    """An image that its owner opened, or `frame` of it, as `decode` gives it; the image is left as it was."""
    notes = Notes()
    place = image.tell()
    try:
        frames = int(getattr(image, "n_frames", 1))
        if frames > 1 and frame is None and image.format != "MPO":
            raise animated((image.format or "").lower(), frames)
        _seek(image, frame)
        turn = 1 if image.format == "TIFF" else orientation_of(image, notes)
        pixels = upright(normalised(image.copy(), notes, as_mask=as_mask), turn)
    except CODEC_ERRORS as error:
        raise translated(error) from error
    finally:
        if frame is not None:
            with contextlib.suppress(*CODEC_ERRORS):
                image.seek(place)
    if turn != 1:
        notes.add("orientation_applied", f"the picture was turned upright (EXIF orientation {turn})")
    return np.array(pixels, order="C"), notes.items


def _seek(image: Image.Image, frame: int | None) -> None:
    try:
        if frame is not None:
            image.seek(frame)
    except EOFError as error:
        raise BadImage(f"the picture has no frame {frame}", code="frame_not_found", field="frame") from error


def decode(data: bytes, order: Order) -> tuple[Array, tuple[tuple[str, str], ...]]:
    """The picture in `data` as a C-contiguous H×W×C array, and notes on what was changed.

    Raises `BadImage`, and whatever the codec raises, for which see `translated`.
    """
    notes = Notes()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        pixels = _decoded(data, order, notes)
    for warning in heard:
        notes.add("decoder_warning", str(warning.message)[:200])
    return np.ascontiguousarray(pixels), notes.items


def _decoded(data: bytes, order: Order, notes: Notes) -> Array:
    with Image.open(io.BytesIO(data), formats=[PILLOW_NAMES[order.format]]) as image:
        frames = int(getattr(image, "n_frames", 1))
        _check_frames(frames, order, image.format or "", notes)
        if order.page:
            image.seek(order.page)
        if image.width * image.height > order.max_pixels:
            raise BadImage("the picture has too many pixels", code="too_many_pixels", limit=order.max_pixels)
        turn = orientation_of(image, notes)
        pixels = _deep(image, data, order)
        if pixels is None:
            image.load()
            pixels = normalised(image, notes, as_mask=order.as_mask)
            _note_reduction(image, pixels, notes)
        else:
            icc = None if order.as_mask else image.info.get("icc_profile")
            pixels = finished(pixels, icc, notes, order.as_mask)
        if not order.as_mask:
            _note_ignored_colour(image, notes)
        if turn != 1:
            notes.add("orientation_applied", f"the picture was turned upright (EXIF orientation {turn})")
    # Pillow turns TIFF pages itself while loading.
    return pixels if order.format == "tiff" else upright(pixels, turn)


def _deep(image: Image.Image, data: bytes, order: Order) -> Array | None:
    """The samples of 16-bit colour that Pillow itself would reduce, else None."""
    if order.format == "png" and order.page == 0 and deep.png_is_deep(data):
        image.load()
        return deep.decode_png(data)
    if order.format == "tiff" and deep.tiff_is_deep(image):
        return deep.decode_tiff(data, order.page)
    return None


def _note_reduction(image: Image.Image, pixels: Array, notes: Notes) -> None:
    if isinstance(image, TiffImageFile) and pixels.dtype == np.uint8:
        bits = image.tag_v2.get(BITSPERSAMPLE, 8)
        if max(bits if isinstance(bits, tuple) else (bits,)) > 8:
            notes.add("bit_depth_reduced", "more than 8 bits a channel were reduced to 8")


def _note_ignored_colour(image: Image.Image, notes: Notes) -> None:
    """Note PNG's gAMA and cHRM where they tell of other colours than sRGB and nothing stronger (iCCP, sRGB) is there."""
    info = image.info
    if image.format != "PNG" or "icc_profile" in info or "srgb" in info:
        return
    gamma, primaries = info.get("gamma", SRGB_GAMMA), info.get("chromaticity", SRGB_CHROMATICITY)
    far = any(abs(a - b) > CHROMATICITY_TOLERANCE for a, b in zip(primaries, SRGB_CHROMATICITY, strict=False))
    if abs(gamma - SRGB_GAMMA) > GAMMA_TOLERANCE or far:
        notes.add(
            "gamma_ignored", f"the PNG's gamma ({gamma:g}) and primaries were ignored; the colours were taken as sRGB"
        )


def _check_frames(frames: int, order: Order, format: str, notes: Notes) -> None:
    if frames > order.max_frames:
        raise BadImage(
            f"the file holds {frames} frames; at most {order.max_frames} are taken",
            code="too_many_frames",
            limit=order.max_frames,
        )
    if format == "MPO":
        notes.add(
            "extra_pictures_ignored",
            "the JPEG carries further pictures (depth, gain map, stereo); the main one was taken",
        )
        return
    if frames > 1 and not order.animation:
        raise animated(order.format, frames)


def animated(format: str, frames: int) -> BadImage:
    """The refusal of an animation or of several pages where one picture is wanted."""
    what = "pages" if format == "tiff" else "frames"
    return BadImage(
        f"the {format.upper()} file holds {frames} {what}; one picture is wanted",
        code="animated_input",
        hint="choose one with frame=0",
        field="frame",
        limit=1,
    )


def translated(error: Exception) -> BadImage:
    """What a codec raised, as the refusal of the file."""
    if isinstance(error, MemoryError):
        return BadImage("decoding needs more memory than the decoder may use", code="decode_memory")
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return BadImage("the picture has too many pixels", code="too_many_pixels")
    text = str(error).lower()
    if isinstance(error, EOFError) or any(
        word in text for word in ("truncated", "not enough image data", "unexpected end")
    ):
        return BadImage(
            "the file ends before its picture does",
            code="image_truncated",
            hint="the file may not have been copied completely",
        )
    if isinstance(error, UnidentifiedImageError):
        return BadImage("the file's content cannot be read as its format", code="image_corrupt")
    return BadImage("the file is damaged: its picture cannot be decoded", code="image_corrupt")
