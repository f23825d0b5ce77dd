"""What has to be done to one line's pixels: undone where a layer can be undone, synthesised where nothing shows through.

Arrays are those of one crop: colours H×W×3 float32 on 0…255, masks H×W bool, planes H×W float32. Nothing is mutated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.geometry import Box
from gesso.contracts.mask import Plane
from gesso.contracts.picture import Picture
from gesso.imaging.ground import Bits, Floats, RingStats, distance_to, ring_stats
from gesso.imaging.lettering import Spot, coverage_of, grown_px, line_in, united_frame
from gesso.imaging.strokes import Ink, find_ink, halo_px
from gesso.imaging.unblend import Plate, find_plate, letters_layer

Kind = Literal["strokes", "polygon", "plate"]


@dataclass(frozen=True)
class Scene:
    """A crop as it is, and after its semi-transparent plates are undone, where ``undone`` marks their pixels.

    ``plates`` holds one plate or None per line.
    """

    original: Floats
    colours: Floats
    undone: Bits
    plates: tuple[Plate | None, ...]


@dataclass(frozen=True)
class Repair:
    """One line's repair: ``hole`` is synthesised (soft rim), ``undone`` takes ``colours``; how that was decided."""

    hole: Plane
    undone: Bits
    colours: Floats
    kind: Kind
    stats: RingStats
    reliability: float
    reason: str = ""

    @property
    def cover(self) -> Plane:
        """Everything that changes, 0…1."""
        out: Plane = np.maximum(self.hole, self.undone.astype(np.float32))
        return out


def colours_of(crop: Picture) -> Floats:
    """The crop's colours as H×W×3 float32 on 0…255, whatever its depth."""
    values = crop.rgb.astype(np.float32)
    return values if crop.bit_depth == 8 else values / np.float32(257.0)


def stored_as(colours: Floats, like: Picture) -> NDArray[Any]:
    """Colours on 0…255 as values of the picture's depth."""
    scale = 1.0 if like.bit_depth == 8 else 257.0
    values: NDArray[Any] = np.rint(colours * np.float32(scale)).astype(like.pixels.dtype)
    return values


def scene_of(colours: Floats, spots: tuple[Spot, ...], box: Box) -> Scene:
    """Find the plates under the lines in the crop `box`: one under all of them, else one under each."""
    corner = np.array([box.x0, box.y0], np.float64)
    shared = None
    if len(spots) > 1:
        frame = united_frame(spots)
        shared = find_plate(colours, frame - corner, min(spot.height for spot in spots))
    plates = tuple(shared or find_plate(colours, spot.points - corner, spot.height) for spot in spots)
    out, undone = colours, np.zeros(colours.shape[:2], bool)
    for plate in dict.fromkeys(p for p in plates if p is not None and p.layer is not None):
        assert plate.layer is not None
        new = plate.mask & ~undone
        out = np.where(new[:, :, None], plate.layer.undone(colours), out)
        undone |= new
    return Scene(colours, out, undone, plates)


def repair_of(
    scene: Scene,
    box: Box,
    spots: tuple[Spot, ...],
    index: int,
    *,
    attempt: int,
    last: bool,
    dilate: float,
    feather_px: float,
) -> Repair:
    """The repair of line `index` of `spots` at its `attempt` (0, 1, …); the `last` one takes the whole polygon."""
    spot, plate = spots[index], scene.plates[index]
    others = tuple(other for i, other in enumerate(spots) if i != index)
    line = line_in(box, spot, others, dilate)
    on_plate = np.zeros_like(scene.undone)
    if plate is not None and plate.layer is None:
        outside = (distance_to(plate.mask) > 2) & (distance_to(plate.mask) <= 2 + max(8.0, 0.75 * spot.height))
        hole = coverage_of(plate.mask, 1.0 + attempt, feather_px)
        stats = ring_stats(scene.colours, outside)
        return Repair(hole, on_plate, scene.colours, "plate", stats, 0.9, "the text stands on an opaque plate")
    stats = ring_stats(scene.colours, line.ring)
    seen = scene.colours
    if plate is not None and plate.layer is not None:
        # Letters stand out best against the plate itself, so the plate is laid over the ground around it as well.
        seen = np.where(plate.mask[:, :, None], scene.original, plate.layer.over(scene.original))
    ink = find_ink(seen, line, ring_stats(seen, line.ring))
    if last and attempt and ink.kind == "strokes":
        ink = Ink(line.zone | ink.mask, "polygon", 0.0, "strokes left text behind")
    reason = ink.reason
    if plate is not None and plate.layer is not None:
        on_plate = plate.mask
        reason = f"undid a plate of opacity {1 - plate.layer.shows:.2f}; {reason}".rstrip("; ")
    letters = letters_layer(seen, ink.mask, line) if plate is None and ink.kind == "strokes" and not attempt else None
    is_smooth = stats.ground == "smooth"
    # On texture every pixel that is not replaced helps to continue the ground: a rim of half a pixel is enough there.
    soft = feather_px if is_smooth or ink.kind == "polygon" else 0.0
    grow = grown_px(halo_px(seen, ink.mask, line), line, attempt, dilate, is_smooth=is_smooth)
    hole = coverage_of(ink.mask, grow, soft)
    if plate is not None and plate.rim.any():
        hole = np.maximum(hole, coverage_of(plate.rim, 0.0, 1.0))
    colours = scene.colours
    if letters is not None and not is_smooth:
        core, layer = letters
        hole = np.where(core, np.float32(0.0), hole)
        colours = np.where(core[:, :, None], layer.undone(colours), colours)
        on_plate = on_plate | core
        reason = f"undid letters of opacity {1 - layer.shows:.2f}; {reason}".rstrip("; ")
    return Repair(hole, on_plate, colours, ink.kind, stats, ink.reliability, reason)
