"""The one representation of a still image inside Gesso."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import CoreSchema, core_schema

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Change:
    """Something that was altered while an input was admitted: a stable ``code`` and a sentence."""

    code: str
    detail: str


@dataclass(frozen=True)
class Origin:
    """Where a picture came from: file ``name`` (no folder), ``format``, SHA-256 and size of the encoded bytes."""

    name: str = ""
    format: str = ""
    sha256: str = ""
    bytes: int = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded still image.

    Guarantees: ``pixels`` is H×W×3 (RGB) or H×W×4 (RGB and *straight* alpha), uint8 or uint16, sRGB, upright, C-contiguous
    and read-only. What was changed on the way in is listed in ``changes``. Two pictures are equal when their pixels are.
    """

    pixels: Pixels
    changes: tuple[Change, ...] = ()
    origin: Origin = Origin()

    def __post_init__(self) -> None:
        array: Any = self.pixels
        assert isinstance(array, np.ndarray) and array.ndim == 3 and array.shape[2] in (3, 4), "H×W×3 or H×W×4"
        assert array.dtype in (np.uint8, np.uint16), f"uint8 or uint16, not {array.dtype}"
        assert array.shape[0] > 0 and array.shape[1] > 0, "empty picture"
        array = np.ascontiguousarray(array).view()
        array.flags.writeable = False
        object.__setattr__(self, "pixels", array)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @property
    def has_alpha(self) -> bool:
        """Whether a fourth, straight alpha channel is present."""
        return int(self.pixels.shape[2]) == 4

    @property
    def bit_depth(self) -> int:
        """8 or 16 bits a channel."""
        return 8 if self.pixels.dtype == np.uint8 else 16

    @property
    def rgb(self) -> Pixels:
        """The colour channels, H×W×3, a read-only view."""
        return self.pixels[:, :, :3]

    @property
    def alpha(self) -> Pixels | None:
        """The alpha channel, H×W, or None."""
        return self.pixels[:, :, 3] if self.has_alpha else None

    @cached_property
    def sha256(self) -> str:
        """Hash of shape, depth and pixel values: the identity of the picture, whatever file it came from."""
        digest = hashlib.sha256(f"{self.pixels.shape}{self.pixels.dtype}".encode())
        digest.update(self.pixels.data.cast("B"))
        return digest.hexdigest()

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Lets `numpy.asarray(picture)` and `PIL.Image.fromarray(picture)` read the pixels without a copy."""
        interface: dict[str, Any] = self.pixels.__array_interface__
        return interface

    def with_pixels(self, pixels: Pixels) -> Picture:
        """A picture of the same origin with other pixels."""
        return replace(self, pixels=pixels)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        mode = "RGBA" if self.has_alpha else "RGB"
        return f"Picture({self.width}×{self.height} {mode} {self.bit_depth}-bit {self.sha256[:12]})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.is_instance_schema(
            cls,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda p: {"$picture": p.sha256}),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "contentMediaType": "image/*", "x-gesso-kind": "picture"}
