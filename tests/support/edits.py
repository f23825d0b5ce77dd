"""Fakes for local edits: fills that are known exactly, a finder and a matter that answer as told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gesso.contracts.capabilities import Ground, Matte, Subject
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import EngineFailed
from gesso.contracts.geometry import Box, Point
from gesso.contracts.hint import FillHint
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture


@dataclass
class SolidFill:
    """Fills with one colour, or with the mean of what is known; remembers what it was asked."""

    id: str = "membrane"
    grounds: frozenset[Ground] = frozenset({"smooth"})
    hints: frozenset[str] = frozenset()
    colour: tuple[int, int, int] | None = None
    fails: bool = False
    asked: list[tuple[tuple[int, int], FillHint | None]] = field(default_factory=list)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id=self.id, version=1)

    @property
    def serves(self) -> frozenset[Ground]:
        return self.grounds

    @property
    def honours(self) -> frozenset[str]:
        return self.hints

    def fill(
        self,
        picture: Picture,
        mask: Mask,
        *,
        hint: FillHint | None = None,
        seed: int = 0,
        context: Context | None = None,
    ) -> Picture:
        self.asked.append((picture.size, hint))
        if self.fails:
            raise EngineFailed("the fill broke")
        pixels: Any = picture.pixels.copy()
        known = ~mask.touched
        assert known.any()
        value = np.rint(pixels[known].mean(axis=0)) if self.colour is None else np.array(self.colour)
        pixels[mask.touched] = value.astype(pixels.dtype)
        return picture.with_pixels(pixels)


@dataclass(frozen=True)
class FixedFinder:
    """Finds a given rectangle with a given confidence, or nothing."""

    box: Box | None = None
    confidence: float = 0.9

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id="fixed-finder", version=1)

    def find_subject(
        self, picture: Picture, *, box: Box | None = None, points: tuple[Point, ...] = ()
    ) -> Subject | None:
        if self.box is None:
            return None
        plane = np.zeros((picture.height, picture.width), np.float32)
        plane[self.box.slices] = 1.0
        return Subject(Mask.of(plane, self.confidence), self.confidence)


@dataclass(frozen=True)
class FixedMatter:
    """Gives the coarse mask times `factor`, and one foreground colour; or fails."""

    factor: float = 1.0
    colour: tuple[int, int, int] = (10, 20, 30)
    fails: bool = False

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id="fixed-matter", version=1)

    def matte(self, picture: Picture, coarse: Mask, *, context: Context | None = None) -> Matte:
        if self.fails:
            raise EngineFailed("matting broke")
        pixels: Any = np.empty_like(picture.pixels)
        pixels[...] = self.colour
        return Matte(Mask.of(coarse.coverage * np.float32(self.factor)), Picture(pixels))
