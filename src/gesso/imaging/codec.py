"""The codec: the only way for pictures into Gesso and out of it."""

from __future__ import annotations

import importlib.util
import os
import threading
from typing import Any

import numpy as np
from PIL import Image

from gesso.contracts.errors import BadImage
from gesso.contracts.limits import Limits
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Change, Picture
from gesso.contracts.ports import Source
from gesso.contracts.provenance import Provenance
from gesso.imaging import admission, masks, metadata
from gesso.imaging.decoder import Decoder
from gesso.imaging.decoding import Order, animated
from gesso.imaging.encode import SUFFIXES, encode_mask_png, encode_picture
from gesso.imaging.headers import Header, read_header
from gesso.imaging.marks import Marks, read_marks
from gesso.imaging.sniff import sniff

DECODERS = 2
"""Decoder processes at most; each holds up to `Limits.decode_memory`."""


class PictureCodec:
    """Implements `contracts.ports.Codec`. Thread-safe. Decoder processes start when the first file is decoded.

    Use it as a context manager, call `close`, or just drop it: its processes end with it.
    """

    def __init__(self, limits: Limits | None = None, *, decoders: int = DECODERS) -> None:
        self.limits = limits or Limits()
        self._decoders = decoders
        self._decoder = Decoder(self.limits, workers=decoders)
        self._heic: Decoder | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> PictureCodec:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the decoder processes; the codec stays usable."""
        for decoder in (self._decoder, self._heic):
            if decoder is not None:
                decoder.close()

    def warm(self) -> None:
        """Start a decoder process without waiting for it, so that the first picture does not wait for its start."""
        self._decoder.warm()

    def sandbox(self) -> str:
        """What cages decoding: "seccomp", or the reason why there are resource limits only."""
        return self._decoder.sandbox()

    def picture(self, source: Source, *, name: str = "", frame: int | None = None) -> Picture:
        """Admit a picture: path, bytes, PIL image, numpy array or `Picture`; raises `BadImage` (docs/03-pictures.md)."""
        if isinstance(source, Picture):
            return source
        found, _ = self._admit(source, name, frame, as_mask=False)
        pixels, changes = found.pixels, found.changes
        if pixels.shape[2] < 3:
            changes = (*changes, Change("gray_to_rgb", "gray was written as three equal channels"))
            pixels = np.concatenate([np.repeat(pixels[:, :, :1], 3, axis=2), pixels[:, :, 1:]], axis=2)
        return Picture(pixels, changes, found.origin)

    def mask(self, source: Source, *, size: tuple[int, int] | None = None, name: str = "") -> Mask:
        """Admit a mask: white is covered, alpha multiplies; raises `BadImage` (mask_size, mask_empty, and as `picture`)."""
        if isinstance(source, Mask):
            return masks.checked(source, size)
        if isinstance(source, Picture):
            return masks.checked(Mask.of(masks.coverage_of(source.pixels)), size)
        if isinstance(source, np.ndarray) and source.ndim == 2 and source.dtype.kind == "f":
            admission.from_array(source, self.limits, name)
            return masks.checked(Mask.of(source), size)
        found, data = self._admit(source, name, None, as_mask=True)
        coverage = masks.coverage_of(found.pixels)
        mask = masks.with_facts(coverage, data) if found.origin.format == "png" and data else Mask.of(coverage)
        return masks.checked(mask, size)

    def encode(
        self, picture: Picture, format: str = "png", *, provenance: Provenance | None = None, quality: int | None = None
    ) -> bytes:
        """The picture as a file's bytes, tagged sRGB, with the provenance in its metadata; raises `BadInput`."""
        return encode_picture(picture, format, provenance=provenance, quality=quality)

    def encode_mask(self, mask: Mask) -> bytes:
        """Coverage as a 16-bit gray PNG with confidence and lineage; `mask` reads it back exactly to 1/65535."""
        return encode_mask_png(mask)

    def provenance(self, data: bytes) -> Provenance | None:
        """The record in a file's metadata, or None; `BadInput` if malformed, `BadImage` if `data` is no picture file."""
        return metadata.read_record(data, sniff(admission.capped(data, self.limits)))

    def inspect(self, data: bytes) -> Marks:
        """What a picture file is and which marks it carries, read from its metadata alone; raises `BadImage`."""
        return read_marks(admission.capped(data, self.limits), self.limits)

    def formats(self) -> tuple[str, ...]:
        """File suffixes that `encode` takes."""
        return tuple(SUFFIXES)

    def _admit(self, source: Any, name: str, frame: int | None, *, as_mask: bool) -> tuple[admission.Admitted, bytes]:
        """The array of any source, and the file's bytes where it has some."""
        if isinstance(source, np.ndarray):
            return admission.from_array(source, self.limits, name), b""
        if isinstance(source, Image.Image):
            return admission.from_pil(source, self.limits, name, frame, as_mask), b""
        if admission.is_path(source):
            name = name or os.fspath(source)
            data = admission.read_source(source, self.limits)
        elif isinstance(source, bytes | bytearray | memoryview):
            data = admission.capped(bytes(source), self.limits)
        else:
            raise BadImage(
                f"a {type(source).__name__} is not a source of pictures",
                code="source_not_supported",
                hint="use a path, bytes, a PIL image, a numpy array or a Picture",
            )
        format = sniff(data)
        decoder = self._decoder_for(format)
        header = read_header(data, format, self.limits)
        pixels, notes = decoder.decode(data, self._order(header, frame, as_mask))
        if header.bits > 8 and pixels.dtype == np.uint8:
            notes = (*notes, ("bit_depth_reduced", f"{header.bits} bits a channel were reduced to 8"))
        origin = admission.file_origin(data, str(name), format)
        return admission.Admitted(pixels, admission.changes_of(notes), origin), data

    def _order(self, header: Header, frame: int | None, as_mask: bool) -> Order:
        if header.frames > 1 and frame is None:
            raise animated(header.format, header.frames)
        if frame is not None and not 0 <= frame < header.frames:
            raise BadImage(
                f"the file has no frame {frame}; it holds {header.frames}",
                code="frame_not_found",
                hint="frames count from 0",
                field="frame",
                limit=header.frames - 1,
            )
        index = frame or 0
        return Order(
            format=header.format,
            page=header.pages[index] if header.pages else index,
            width=header.width,
            height=header.height,
            max_frames=self.limits.max_frames,
            max_pixels=self.limits.max_pixels,
            animation=frame is not None or header.format == "tiff",
            as_mask=as_mask,
        )

    def _decoder_for(self, format: str) -> Decoder:
        if format != "heic":
            return self._decoder
        if importlib.util.find_spec("pi_heif") is None:
            raise BadImage(
                "HEIC pictures need an extra that is not installed",
                code="heic_not_installed",
                hint="pip install gesso[heic]",
            )
        with self._lock:
            self._heic = self._heic or Decoder(self.limits, workers=1, heic=True)
        return self._heic
