"""Reading a line: cut out along its quadrilateral, recognise, and say how sure.

The network is a CTC recogniser for strips of 48 px height (Graves et al., "Connectionist Temporal Classification",
ICML 2006): best symbol per step, repeats merged, blanks dropped; a line's score is the mean of its symbols' probabilities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gesso.contracts.errors import EngineFailed
from gesso.engines.ocr.lines import Quad, sides
from gesso.engines.ocr.sessions import Network

STRIP_HEIGHT = 48
MAX_STRIP_WIDTH = 3200
MIN_STRIP_WIDTH = 48


@dataclass(frozen=True)
class Words:
    """What was read and the mean probability of its symbols; empty text has score 0."""

    text: str
    score: float


@dataclass(frozen=True)
class Reader:
    """The recogniser and its alphabet; symbol 0 is CTC's blank."""

    network: Network
    alphabet: tuple[str, ...]

    @classmethod
    def of(cls, network: Network) -> Reader:
        """A reader whose alphabet stands in the network's metadata."""
        letters = network.metadata.get("character", "").split("\n")
        if len(letters) < 2:
            raise EngineFailed("the text network carries no alphabet")
        return cls(network, ("", *letters, " "))

    def read(self, rgb: NDArray[Any], quad: Quad) -> Words:
        """The words in the quadrilateral. Tall boxes (vertical text) are turned by 90° first."""
        blob = cv2.dnn.blobFromImage(strip_of(rgb, quad), 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        found = self.network.run(blob)[0]
        best = found.argmax(axis=1)
        keep = best != 0
        keep[1:] &= best[1:] != best[:-1]
        if not keep.any():
            return Words("", 0.0)
        text = "".join(self.alphabet[i] if i < len(self.alphabet) else "?" for i in best[keep])
        score = float(found[np.flatnonzero(keep), best[keep]].mean())
        return Words(text.strip(), score) if text.strip() else Words("", 0.0)


def strip_of(rgb: NDArray[Any], quad: Quad) -> NDArray[np.uint8]:
    """The line as an upright strip of `STRIP_HEIGHT` rows, its aspect kept."""
    along, across = sides(quad)
    if across > 1.5 * along:
        quad = np.roll(quad, -1, axis=0)
        along, across = across, along
    width = min(MAX_STRIP_WIDTH, max(MIN_STRIP_WIDTH, math.ceil(STRIP_HEIGHT * along / max(across, 1.0))))
    target = np.array([[0, 0], [width, 0], [width, STRIP_HEIGHT], [0, STRIP_HEIGHT]], np.float32)
    turn = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    out: NDArray[np.uint8] = cv2.warpPerspective(
        rgb, turn, (width, STRIP_HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return out
