"""Matrix-and-curve ICC profiles in full precision, for 16-bit pictures: LittleCMS is offered 8 bits only by Pillow.

Source: ICC.1:2022, sections 9.2 (tags), 10.6 (curveType), 10.18 (parametricCurveType), 10.31 (XYZType), F.3 (the model).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float32]
Matrix = NDArray[np.float64]

_STEPS = 65536
_MAX_TAGS = 100
_CHUNK = 1 << 20
"""Samples converted at a time, which bounds the float intermediates."""


@dataclass(frozen=True)
class MatrixProfile:
    """``curves``: per channel a table from 16-bit sample to linear light; ``matrix``: linear RGB to XYZ (D50), or None for gray."""

    curves: tuple[Curve, ...]
    matrix: Matrix | None


def read_profile(icc: bytes) -> MatrixProfile | None:
    """The profile if it is of the matrix or gray kind and sound, else None (a table-based or broken one)."""
    try:
        tags = _tags(icc)
        if icc[16:20] == b"GRAY" and b"kTRC" in tags:
            return MatrixProfile((_curve(tags[b"kTRC"]),), None)
        if b"A2B0" in tags or icc[16:20] != b"RGB " or icc[20:24] != b"XYZ ":
            return None
        columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    except (struct.error, KeyError, ValueError, ArithmeticError):
        return None
    return MatrixProfile(curves, np.array(columns, np.float64).T / 65536)


def converted(pixels: NDArray[np.uint16], source: MatrixProfile, target: MatrixProfile) -> NDArray[np.uint16]:
    """H×W×1 (gray) or H×W×3 samples of `source` as sRGB samples; colours outside sRGB are clipped.

    `target` is the sRGB profile as read from its bytes: only its matrix is used.
    """
    flat = pixels.reshape(-1, pixels.shape[2])
    out = np.empty_like(flat)
    matrix: Any = None
    if source.matrix is not None and target.matrix is not None:
        matrix = (np.linalg.inv(target.matrix) @ source.matrix).astype(np.float32)
    for at in range(0, len(flat), _CHUNK):
        part = flat[at : at + _CHUNK]
        linear = np.stack([curve[part[:, i]] for i, curve in enumerate(source.curves)], axis=1)
        if matrix is not None:
            linear = linear @ matrix.T
        out[at : at + _CHUNK] = np.rint(_encoded(np.clip(linear, 0, 1)) * np.float32(65535)).astype(np.uint16)
    return out.reshape(pixels.shape)


def _encoded(linear: Curve) -> Curve:
    """Linear light 0…1 in sRGB's transfer curve (IEC 61966-2-1)."""
    bright = np.float32(1.055) * np.power(linear, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(linear <= np.float32(0.0031308), linear * np.float32(12.92), bright)


def _tags(icc: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", icc, 128)
    if count > _MAX_TAGS:
        raise ValueError
    found = {}
    for i in range(count):
        name, offset, size = struct.unpack_from(">4sII", icc, 132 + 12 * i)
        found[name] = icc[offset : offset + size]
    return found


def _curve(tag: bytes) -> Curve:
    """A tone curve as a table over all 16-bit samples."""
    x = np.linspace(0, 1, _STEPS)
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            y = x
        elif count == 1:
            y = x ** (struct.unpack_from(">H", tag, 12)[0] / 256)
        elif 12 + 2 * count > len(tag):
            raise ValueError
        else:
            table = np.frombuffer(tag, ">u2", count, 12) / 65535
            y = np.interp(x, np.linspace(0, 1, count), table)
    elif kind == b"para":
        y = _parametric(x, tag)
    else:
        raise ValueError
    if not np.isfinite(y).all():
        raise ValueError
    return np.asarray(np.clip(y, 0, 1), np.float32)


def _parametric(x: Any, tag: bytes) -> Any:
    (form,) = struct.unpack_from(">H", tag, 8)
    count = (1, 3, 4, 5, 7)[form] if form < 5 else 0
    if not count:
        raise ValueError
    values = [v / 65536 for v in struct.unpack_from(f">{count}i", tag, 12)]
    values += [0.0] * (7 - count)
    g, a, b, c, d, e, f = values
    if form == 0:
        return x**g
    power = np.maximum(a * x + b, 0) ** g
    if form == 1:
        return np.where(x >= -b / a, power, 0)
    if form == 2:
        return np.where(x >= -b / a, power + c, c)
    return np.where(x >= d, power + e, c * x + f)
