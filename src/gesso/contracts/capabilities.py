"""Capabilities: what operations ask for and engines offer. Each is one small protocol.

Rules for engines: thread-safe, or serialised by an own lock; inputs are never mutated; the same call gives the same
result unless ``info.deterministic`` is False; they raise `EngineFailed` or `OutOfMemory`, never foreign exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import Unavailable
from gesso.contracts.geometry import Box, Point
from gesso.contracts.hint import FillHint
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class TextRegion:
    """One line of text: four corners (x, y) clockwise from its own top left, in pixels; ``confidence`` 0…1, normalised.

    ``text`` is what was read, or None when reading was not asked for.
    """

    corners: Corners
    confidence: float
    text: str | None = None


class TextDetector(Protocol):
    """Finds lines of text."""

    @property
    def info(self) -> EngineInfo: ...

    def detect_text(self, picture: Picture, *, within: Box | None = None, read: bool = False) -> tuple[TextRegion, ...]:
        """Lines of text in `picture`, or in the box `within` only (cheap; coordinates stay those of the picture).

        `read` also recognises the words, which sharpens ``confidence``. Ordered top to bottom, then left to right.
        """
        ...


Ground = Literal["smooth", "texture", "structure"]


class Inpainter(Protocol):
    """Fills holes. ``serves`` says on which grounds it is good; ``honours`` which kinds of hint it can follow."""

    @property
    def info(self) -> EngineInfo: ...

    @property
    def serves(self) -> frozenset[Ground]: ...

    @property
    def honours(self) -> frozenset[str]: ...

    def fill(
        self,
        picture: Picture,
        mask: Mask,
        *,
        hint: FillHint | None = None,
        seed: int = 0,
        context: Context | None = None,
    ) -> Picture:
        """`picture` (RGB or RGBA, uint8) with every pixel of non-zero coverage replaced by a plausible continuation.

        Same size. Only known pixels (coverage 0) are taken as evidence. Pixels outside the coverage come back unchanged.
        """
        ...


Synthesis = Literal["auto", "membrane", "patch", "model"]
"""Which fill the caller asks for: by ground (auto), for smooth ground, for texture, or a learned one."""


def fills_for(fills: tuple[Inpainter, ...], asked: Synthesis, ground: Ground) -> tuple[Inpainter, ...]:
    """The fills to use, best first: those that were asked for, or (auto) those that serve the `ground`.

    Engines with weights are the learned ones; on structure they come first. Raises `Unavailable` when what was asked for
    is not installed.
    """
    if asked == "auto":
        orders: dict[Ground, tuple[Ground, ...]] = {
            "smooth": ("smooth", "texture", "structure"),
            "texture": ("texture", "structure"),
            "structure": ("structure", "texture"),
        }
        candidates = sorted(fills, key=lambda f: not f.info.weights) if ground == "structure" else list(fills)
        serving = {f.info.id: f for need in orders[ground] for f in candidates if need in f.serves}
        return tuple(serving.values()) or fills
    named = {
        "membrane": [f for f in fills if "smooth" in f.serves and not f.info.weights],
        "patch": [f for f in fills if "texture" in f.serves and not f.info.weights],
        "model": [f for f in fills if f.info.weights],
    }[asked]
    if not named:
        raise Unavailable(
            f"no engine for the synthesis {asked!r} is installed",
            code="capability_unavailable",
            hint="use auto, or run `gesso doctor` to see what is installed",
        )
    return tuple(named)


@dataclass(frozen=True)
class Subject:
    """A found subject: its (coarse or fine) mask, and how sure the finder is that there is one, 0…1."""

    mask: Mask
    confidence: float


class SubjectFinder(Protocol):
    """Finds what a picture is of."""

    @property
    def info(self) -> EngineInfo: ...

    def find_subject(
        self, picture: Picture, *, box: Box | None = None, points: tuple[Point, ...] = ()
    ) -> Subject | None:
        """The subject, guided by `box` and `points` where given; None when nothing stands out ("nothing found")."""
        ...


@dataclass(frozen=True)
class Matte:
    """Straight alpha (H×W float32 in a mask's coverage) and foreground colours without the old background."""

    alpha: Mask
    foreground: Picture


class Matter(Protocol):
    """Refines a coarse mask to an alpha with hair and soft edges, and removes the background's colour from the edge."""

    @property
    def info(self) -> EngineInfo: ...

    def matte(self, picture: Picture, coarse: Mask, *, context: Context | None = None) -> Matte:
        """Alpha that agrees with `coarse` away from its border, and the decontaminated foreground, of the picture's size."""
        ...


class Upscaler(Protocol):
    """Enlarges by a whole factor."""

    @property
    def info(self) -> EngineInfo: ...

    @property
    def scales(self) -> tuple[int, ...]:
        """Factors it offers natively."""
        ...

    @property
    def is_model(self) -> bool:
        """Whether it is learned (so that `where: auto` may save it for regions that need it)."""
        ...

    def upscale(self, picture: Picture, scale: int, *, context: Context | None = None) -> Picture:
        """`picture` (RGB, uint8 or uint16) exactly `scale` times as wide and high."""
        ...
