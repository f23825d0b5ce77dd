"""One confidence in 0…1 out of what the detector saw, how it is shaped, and what the reader made of it.

A log-odds sum, set by hand on 245 lines: half of them burnt into photographs, half found in photographs without text
(roof tiles, coins, an eye, a camera's knobs, a cup seen as "O"). There the detector's mean probability alone separates
above 0.82; below, reading decides, and long words weigh more than single signs, because any round thing reads as "O".
The reader knows Latin, digits, Chinese and Japanese, so an unreadable but clearly detected line is not
doubted unless it is large. Large headlines in other scripts therefore come out as uncertain.
"""

from __future__ import annotations

import math

from gesso.engines.ocr.lines import Line, sides
from gesso.engines.ocr.reading import Words

SURE_SCORE = 0.82
"""From here on the detector is trusted without reading."""
SQUARE_ASPECT = 1.5
LARGE_SHARE = 0.15
"""Squarish finds, and finds higher than this share of the picture's shorter side, are always read: eyes, cups, planets,
rows of coins."""
SCORE_WEIGHT, SCORE_MIDDLE = 12.0, 0.80
READ_WEIGHT, READ_MIDDLE = 8.0, 0.75
LENGTH_WEIGHT, LENGTH_MIDDLE, LENGTH_MAX = 0.35, 5, 10
LONE_PENALTY = 2.0
"""For a doubtful find that reads as a single sign or as nothing: O, 8 and 0 are what round things read as."""
UNREAD_BONUS = 1.5


def worth_reading(line: Line, shorter_side: float) -> bool:
    """Whether the detector's finding leaves doubt. `shorter_side` of the picture, in pixels."""
    along, across = sides(line.quad)
    square = max(along, across) < SQUARE_ASPECT * min(along, across)
    return line.score < SURE_SCORE or square or min(along, across) > LARGE_SHARE * shorter_side


def confidence_of(line: Line, words: Words | None, shorter_side: float) -> float:
    """How sure it is that `line` is text, 0…1; monotone in the detector's and the reader's scores."""
    odds = SCORE_WEIGHT * (line.score - SCORE_MIDDLE)
    if words is None:
        odds += UNREAD_BONUS
    else:
        signs = sum(letter.isalnum() for letter in words.text)
        read = READ_WEIGHT * (words.score - READ_MIDDLE)
        read += LENGTH_WEIGHT * (min(signs, LENGTH_MAX) - LENGTH_MIDDLE)
        if worth_reading(line, shorter_side):
            odds += read - (LONE_PENALTY if signs < 2 else 0.0)
        else:
            odds += max(read, UNREAD_BONUS)
    return round(1.0 / (1.0 + math.exp(-odds)), 4)
