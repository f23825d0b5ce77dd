"""The soft, two-channel mask that every local operation speaks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import CoreSchema, core_schema

from gesso.contracts.geometry import Box

Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mask:
    """Which pixels an edit may touch, and how sure its maker was.

    Guarantees: ``coverage`` and ``confidence`` are H×W float32 in 0…1, finite, C-contiguous, read-only, of one shape.
    ``coverage`` says how much of the pixel belongs; 0 means "byte-identical after any local edit". ``made_by`` names the
    maker ("user", "remove-text 1", …) and ``lineage`` the hashes of what it was made from.
    """

    coverage: Plane
    confidence: Plane
    made_by: str = "user"
    lineage: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("coverage", "confidence"):
            plane = getattr(self, name)
            assert isinstance(plane, np.ndarray) and plane.ndim == 2 and plane.dtype == np.float32, name
            assert plane.size and float(plane.min()) >= 0.0 and float(plane.max()) <= 1.0, f"{name} outside 0…1"
            plane = np.ascontiguousarray(plane).view()
            plane.flags.writeable = False
            object.__setattr__(self, name, plane)
        assert self.coverage.shape == self.confidence.shape

    @classmethod
    def of(
        cls,
        coverage: NDArray[Any],
        confidence: NDArray[Any] | float = 1.0,
        *,
        made_by: str = "user",
        lineage: tuple[str, ...] = (),
    ) -> Mask:
        """A mask from any array: bool, uint8 0…255, uint16 0…65535 or float 0…1; a scalar confidence fills the plane."""
        cover = _plane(coverage)
        sure = (
            np.full(cover.shape, confidence, np.float32) if np.isscalar(confidence) else _plane(np.asarray(confidence))
        )
        return cls(cover, sure, made_by, lineage)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.coverage.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.coverage.shape[1])

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is covered at all."""
        return not bool(self.coverage.any())

    @property
    def area(self) -> float:
        """Covered share of the picture, 0…1 (sum of coverage over pixel count)."""
        return float(self.coverage.mean(dtype=np.float64))

    @property
    def touched(self) -> NDArray[np.bool_]:
        """H×W bool: every pixel with any coverage. Outside it nothing may change."""
        return self.coverage > 0

    @property
    def box(self) -> Box | None:
        """The smallest box around `touched`, or None when empty."""
        touched = self.touched
        rows = np.flatnonzero(touched.any(axis=1))
        if rows.size == 0:
            return None
        columns = np.flatnonzero(touched.any(axis=0))
        return Box(x0=int(columns[0]), y0=int(rows[0]), x1=int(columns[-1]) + 1, y1=int(rows[-1]) + 1)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Lets `numpy.asarray(mask)` read the coverage without a copy."""
        interface: dict[str, Any] = self.coverage.__array_interface__
        return interface

    @cached_property
    def sha256(self) -> str:
        """Hash of shape and both planes."""
        digest = hashlib.sha256(f"mask{self.coverage.shape}".encode())
        digest.update(self.coverage.data.cast("B"))
        digest.update(self.confidence.data.cast("B"))
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mask) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"Mask({self.width}×{self.height} {self.area:.1%} by {self.made_by} {self.sha256[:12]})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.is_instance_schema(
            cls,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda m: {"$mask": m.sha256, "made_by": m.made_by, "lineage": list(m.lineage)}
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "contentMediaType": "image/*", "x-gesso-kind": "mask"}


def _plane(array: NDArray[Any]) -> Plane:
    scale = {"b": 1.0, "u": float(np.iinfo(array.dtype).max) if array.dtype.kind == "u" else 1.0}.get(array.dtype.kind)
    out = array.astype(np.float32)
    return out if scale is None else out / np.float32(scale)
