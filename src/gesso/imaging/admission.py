"""Any source to the bytes of a file or to an array that Gesso can trust."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gesso.contracts.errors import BadImage
from gesso.contracts.limits import Limits
from gesso.contracts.picture import Change, Origin
from gesso.imaging.decoding import decode_image
from gesso.imaging.headers import check_size
from gesso.imaging.normalise import Array

EXACT = 1e-3
"""A float picture whose values lie within this of whole 8-bit levels (in units of a level) is an 8-bit picture."""


@dataclass(frozen=True)
class Admitted:
    """An array H×W×C (C 1…4, uint8 or uint16) with what was changed and where it came from."""

    pixels: Array
    changes: tuple[Change, ...]
    origin: Origin


def read_source(path: str | os.PathLike[str], limits: Limits) -> bytes:
    """The bytes of a file, at most ``limits.max_bytes``.

    Raises `BadImage`: file_not_found, not_a_file, file_unreadable, too_many_bytes.
    """
    name = Path(path).name or str(path)
    try:
        # Non-blocking, so that a pipe without a writer is refused instead of waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadImage(f"{name} is not a regular file", code="not_a_file", hint="give the path of a picture")
            data = file.read(limits.max_bytes + 1)
    except FileNotFoundError as error:
        raise BadImage(f"{name} does not exist", code="file_not_found", hint="check the path") from error
    except IsADirectoryError as error:
        raise BadImage(f"{name} is a folder", code="not_a_file", hint="give the path of a picture") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a usable path"
        raise BadImage(f"{name} cannot be read: {reason}", code="file_unreadable") from error
    return capped(data, limits)


def capped(data: bytes, limits: Limits) -> bytes:
    """`data` itself; raises `BadImage` (too_many_bytes) when it is longer than the limit."""
    if len(data) > limits.max_bytes:
        raise BadImage(
            f"the file is larger than {limits.max_bytes / 2**20:g} MiB",
            code="too_many_bytes",
            hint="reduce the file, or raise the limit max_bytes",
            limit=limits.max_bytes,
        )
    return data


def file_origin(data: bytes, name: str, format: str) -> Origin:
    """The origin of a picture decoded from `data`."""
    return Origin(Path(name).name, format, hashlib.sha256(data).hexdigest(), len(data))


def from_array(array: Array, limits: Limits, name: str) -> Admitted:
    """A numpy array (H×W, H×W×1, ×3 or ×4; bool, uint8, uint16 or float 0…1) as an own copy in H×W×C.

    Floats become uint8 when they lie on 8-bit levels, otherwise uint16, so that nothing is lost.
    Raises `BadImage`: shape_not_allowed, dtype_not_allowed, not_finite, value_range, too_many_pixels, side_too_long.
    """
    array = np.asarray(array)  # subclasses (masked arrays, matrices) have an arithmetic of their own
    pixels = array[:, :, None] if array.ndim == 2 else array
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        raise BadImage(
            f"an array of shape {array.shape} is not a picture",
            code="shape_not_allowed",
            hint="use H×W (gray), H×W×3 (RGB) or H×W×4 (RGBA)",
        )
    check_size(pixels.shape[1], pixels.shape[0], limits)
    kind = pixels.dtype.kind
    if kind == "b":
        out: Array = pixels.astype(np.uint8) * np.uint8(255)
    elif kind == "f":
        out = _from_float(pixels)
    elif kind == "u" and pixels.dtype.itemsize in (1, 2):
        out = np.array(pixels, dtype=pixels.dtype.newbyteorder("="), order="C")
    else:
        raise BadImage(
            f"an array of {pixels.dtype} is not a picture",
            code="dtype_not_allowed",
            hint="use uint8, uint16, bool, or float from 0 to 1",
        )
    return Admitted(out, (), Origin(name=Path(name).name, format="array"))


def _from_float(pixels: Array) -> Array:
    if not np.isfinite(pixels).all():
        raise BadImage("the array holds NaN or infinite values", code="not_finite")
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > 1:
        raise BadImage(
            f"the array's values run from {low:g} to {high:g}; floats run from 0 to 1",
            code="value_range",
            hint="divide by the largest possible value, or convert to uint8",
            limit="0…1",
        )
    values = pixels.astype(np.float32)
    levels = values * np.float32(255)
    nearest = np.rint(levels)
    if float(np.abs(levels - nearest).max()) < EXACT:
        levels = nearest
    else:
        levels = np.rint(values.astype(np.float64) * 65535)
    out: Array = levels.astype(np.uint8 if levels is nearest else np.uint16)
    return out


def from_pil(image: Image.Image, limits: Limits, name: str, frame: int | None, as_mask: bool) -> Admitted:
    """A PIL image, which its owner has opened, through the same normaliser as files; it is not changed."""
    check_size(image.width, image.height, limits)
    format = (image.format or "").lower()
    pixels, notes = decode_image(image, frame, as_mask)
    return Admitted(pixels, changes_of(notes), Origin(name=Path(name).name, format=format or "pil"))


def changes_of(notes: tuple[tuple[str, str], ...]) -> tuple[Change, ...]:
    """Notes as the changes of a picture."""
    return tuple(Change(code, detail) for code, detail in notes)


def is_path(source: Any) -> bool:
    """Whether `source` names a file."""
    return isinstance(source, str | os.PathLike)
