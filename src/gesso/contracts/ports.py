"""Ports that `wiring` fills: how doors and recipes reach pictures on disk and finished steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from gesso.contracts.gate import Gate
from gesso.contracts.mask import Mask
from gesso.contracts.operation import AnyOperation
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import Provenance
from gesso.contracts.tools import Tools

Source = Any
"""str or Path (a file), bytes, a PIL image, a numpy array (H×W, H×W×3, H×W×4; uint8, uint16, bool or float 0…1), Picture."""


class Codec(Protocol):
    """Pictures from and to bytes. The only way in and out."""

    def picture(self, source: Source, *, name: str = "", frame: int | None = None) -> Picture:
        """Admit a picture; raises `BadImage`. `frame` picks one of an animation, which is otherwise refused."""
        ...

    def mask(self, source: Source, *, size: tuple[int, int] | None = None, name: str = "") -> Mask:
        """Admit a mask from a file or array (white = covered; alpha, if any, counts); raises `BadImage`.

        `size` (width, height) is checked, never adapted: another size is refused as ``mask_size``.
        """
        ...

    def encode(
        self, picture: Picture, format: str = "png", *, provenance: Provenance | None = None, quality: int | None = None
    ) -> bytes:
        """The picture as a file's bytes, tagged sRGB, with the provenance in its metadata."""
        ...

    def encode_mask(self, mask: Mask) -> bytes:
        """Coverage as a 16-bit gray PNG, confidence and lineage in its metadata; `mask` reads it back exactly to 1/65535."""
        ...

    def provenance(self, data: bytes) -> Provenance | None:
        """The record in a file's metadata, or None. Untrusted input: capped, parsed as data; `BadInput` if malformed."""
        ...

    def formats(self) -> tuple[str, ...]:
        """Formats `encode` writes, by file suffix without the dot."""
        ...


class StepStore(Protocol):
    """Finished steps by content address. Writing is atomic; a damaged or partial entry reads as absent."""

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The stored result fields (pictures and masks included), or None."""
        ...

    def put(self, key: str, values: Mapping[str, Any]) -> None:
        """Store result fields. Failing to store never fails the step: `StorageError` is raised for the caller to note."""
        ...


@dataclass(frozen=True)
class Bench:
    """Everything a plan runs with; built once by `wiring`, shared by all doors. Thread-safe."""

    operations: Mapping[str, AnyOperation]
    gates: Mapping[str, Gate]
    tools: Tools
    codec: Codec
    store: StepStore | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    recipe_folders: tuple[Path, ...] = ()
