"""Small stand-ins for tests of text removal: a detector told what to find, and a fill by fast marching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from gesso.contracts.capabilities import Ground, TextRegion
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo, Weights
from gesso.contracts.geometry import Box
from gesso.contracts.hint import FillHint
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture


def region(x0: float, y0: float, x1: float, y1: float, confidence: float = 0.95) -> TextRegion:
    """An upright line of text."""
    return TextRegion(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), confidence)


@dataclass
class ToldDetector:
    """Finds `regions` at first; every later call is answered by `left`, which sees the picture."""

    regions: tuple[TextRegion, ...]
    left: Callable[[Picture], tuple[TextRegion, ...]] = lambda picture: ()
    calls: list[Box | None] = field(default_factory=list)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id="told", version=1)

    def detect_text(self, picture: Picture, *, within: Box | None = None, read: bool = False) -> tuple[TextRegion, ...]:
        self.calls.append(within)
        return self.regions if len(self.calls) == 1 else self.left(picture)


@dataclass
class TeleaFill:
    """Fast marching (Telea 2004) as an `Inpainter`."""

    id: str = "telea"
    grounds: frozenset[Ground] = frozenset({"smooth", "texture"})
    holes: list[int] = field(default_factory=list)
    learned: bool = False

    @property
    def info(self) -> EngineInfo:
        weights = (Weights(id=f"{self.id}-weights"),) if self.learned else ()
        return EngineInfo(id=self.id, version=1, weights=weights)

    @property
    def serves(self) -> frozenset[Ground]:
        return self.grounds

    @property
    def honours(self) -> frozenset[str]:
        return frozenset()

    def fill(
        self,
        picture: Picture,
        mask: Mask,
        *,
        hint: FillHint | None = None,
        seed: int = 0,
        context: Context | None = None,
    ) -> Picture:
        hole = mask.touched
        self.holes.append(int(hole.sum()))
        out = picture.pixels.copy()
        rgb = np.ascontiguousarray(picture.rgb if picture.bit_depth == 8 else (picture.rgb >> 8).astype(np.uint8))
        filled = cv2.inpaint(rgb, hole.astype(np.uint8) * 255, 3, cv2.INPAINT_TELEA)
        out[:, :, :3][hole] = filled[hole] if picture.bit_depth == 8 else filled[hole].astype(np.uint16) * 257
        return picture.with_pixels(out)
