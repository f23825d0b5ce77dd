"""Limits that every door applies before work starts. Values of research B2 rule 2; each refusal names the one it hit."""

from __future__ import annotations

from pydantic import Field

from gesso.contracts.model import Model


class Limits(Model):
    """Admission limits of pictures."""

    max_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="encoded size of one file")
    max_pixels: int = Field(default=50_000_000, gt=0, description="width × height")
    max_side: int = Field(default=16_384, gt=0, description="longest side")
    max_frames: int = Field(default=1000, gt=0, description="frames of an animation, even if only one is taken")
    max_metadata_bytes: int = Field(
        default=4 * 1024 * 1024, gt=0, description="text, EXIF, XMP and ICC together, unpacked"
    )
    max_metadata_chunks: int = Field(default=1000, gt=0, description="text chunks of a PNG")
    decode_seconds: float = Field(default=20.0, gt=0, description="CPU seconds for one decode")
    decode_memory: int = Field(default=2 * 1024**3, gt=0, description="address space of the decoder process, bytes")
