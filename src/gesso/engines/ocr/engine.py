"""The text detector: whole pictures, boxes, and tiles of large pictures."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.capabilities import TextRegion
from gesso.contracts.engine import EngineInfo
from gesso.contracts.geometry import Box
from gesso.contracts.picture import Picture
from gesso.engines.ocr.confidence import confidence_of, worth_reading
from gesso.engines.ocr.lines import Line, corners_of, lines_of, merged
from gesso.engines.ocr.reading import Reader
from gesso.engines.ocr.sessions import DETECTOR_FILE, READER_FILE, Network, default_threads, load

STRIDE = 32
"""The detector's input sides are multiples of it."""
SMALL_SIDE = 736
"""Pictures whose shorter side is below are enlarged to it (PP-OCR's setting), by at most `MAX_ENLARGE`."""
MAX_ENLARGE = 3.0
TILE = 1280
OVERLAP = 160
"""Larger pictures are seen twice: as a whole at this size for large text, and in tiles with this overlap for small text."""
GRAY = 127
"""What shows through transparent pixels."""

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class RapidText:
    """A `TextDetector` on PP-OCRv6. Thread-safe: it holds no state but its sessions."""

    detector: Network
    reader: Reader

    @classmethod
    def load(cls, threads: int | None = None) -> RapidText:
        """Load both networks (0.4 s); raises `Unavailable` when they are not installed."""
        count = threads or default_threads()
        return cls(load(DETECTOR_FILE, count), Reader.of(load(READER_FILE, count)))

    @property
    def info(self) -> EngineInfo:
        """Identity, weights and libraries."""
        libraries = tuple(f"{name} {importlib.metadata.version(name)}" for name in ("rapidocr", "onnxruntime"))
        weights = (self.detector.weights, self.reader.network.weights)
        return EngineInfo(id="rapid-text", version=1, title="PP-OCRv6 small", weights=weights, libraries=libraries)

    def detect_text(self, picture: Picture, *, within: Box | None = None, read: bool = False) -> tuple[TextRegion, ...]:
        """Lines of text. `within` costs in proportion to the box's area; the picture's scale decides that of the search.

        Without `read`, only lines whose detector score leaves doubt are read: their confidence needs it.
        """
        area = (within or Box(x0=0, y0=0, x1=picture.width, y1=picture.height)).clipped(*picture.size)
        rgb = visible(picture, area)
        scale = scale_of(picture.width, picture.height)
        lines = [shifted(line, area.x0, area.y0) for line in self._search(rgb, scale)]
        side = float(min(picture.size))
        regions = [self._region(rgb, area, line, side, read) for line in lines]
        return tuple(sorted(regions, key=lambda r: (min(y for _, y in r.corners), min(x for x, _ in r.corners))))

    def _region(self, rgb: Rgb, area: Box, line: Line, side: float, read: bool) -> TextRegion:
        words = None
        if read or worth_reading(line, side):
            words = self.reader.read(rgb, line.quad - np.array([area.x0, area.y0], np.float32))
        sure = confidence_of(line, words, side)
        return TextRegion(corners_of(line.quad), sure, words.text if read and words else None)

    def _search(self, rgb: Rgb, scale: float) -> list[Line]:
        height, width = rgb.shape[:2]
        if max(height, width) * scale <= TILE:
            return self._lines(rgb, scale)
        found = self._lines(rgb, TILE / max(height, width))
        for y in starts(height):
            for x in starts(width):
                tile = np.ascontiguousarray(rgb[y : y + TILE, x : x + TILE])
                found += [shifted(line, x, y) for line in self._lines(tile, 1.0)]
        return merged(found)

    def _lines(self, rgb: Rgb, scale: float) -> list[Line]:
        """Lines in one array seen at `scale`, in the array's own pixels."""
        height, width = rgb.shape[:2]
        seen = rgb
        if scale != 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            seen = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        rows, columns = seen.shape[:2]
        pad_y, pad_x = -rows % STRIDE, -columns % STRIDE
        if pad_y or pad_x:
            seen = cv2.copyMakeBorder(seen, 0, pad_y, 0, pad_x, cv2.BORDER_REPLICATE)
        blob = cv2.dnn.blobFromImage(seen, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        probability = self.detector.run(blob)[0, 0, :rows, :columns]
        ratio = np.array([width / columns, height / rows], np.float32)
        limit = np.array([width, height], np.float32)
        found = lines_of(np.ascontiguousarray(probability))
        return [Line(np.clip(line.quad * ratio, 0, limit), line.score, line.peak) for line in found]


def visible(picture: Picture, area: Box) -> Rgb:
    """The box's colours as 8-bit RGB, transparent pixels over mid gray."""
    part: Any = picture.pixels[area.slices]
    if picture.bit_depth == 16:
        part = (part >> 8).astype(np.uint8)
    if not picture.has_alpha:
        return np.ascontiguousarray(part)
    alpha = part[:, :, 3:].astype(np.uint16)
    colour = (part[:, :, :3] * alpha + GRAY * (255 - alpha) + 127) // 255
    return np.ascontiguousarray(colour.astype(np.uint8))


def scale_of(width: int, height: int) -> float:
    """How much a picture is enlarged before the search: small ones up to `SMALL_SIDE`, larger ones not at all."""
    longest = TILE / max(width, height)
    return max(1.0, min(SMALL_SIDE / min(width, height), MAX_ENLARGE, longest))


def starts(length: int) -> tuple[int, ...]:
    """Where tiles begin along a side, evenly spread, overlapping by at least `OVERLAP`."""
    if length <= TILE:
        return (0,)
    count = -(-(length - OVERLAP) // (TILE - OVERLAP))
    return tuple(round(i * (length - TILE) / (count - 1)) for i in range(count))


def shifted(line: Line, x: int, y: int) -> Line:
    """The line moved by (x, y)."""
    return Line(line.quad + np.array([x, y], np.float32), line.score, line.peak) if x or y else line
