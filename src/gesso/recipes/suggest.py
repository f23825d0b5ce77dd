"""Hints for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 12
"""Names listed at most when nothing is close."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "did you mean …?", else the known names (the first `SHOWN` of them)."""
    names = sorted(known)
    close = difflib.get_close_matches(
        word[:64].replace("_", "-"), [n.replace("_", "-") for n in names], n=1, cutoff=0.6
    )
    if close:
        match = next(n for n in names if n.replace("_", "-") == close[0])
        return f"did you mean {match}?"
    more = ", …" if len(names) > SHOWN else ""
    return f"known: {', '.join(names[:SHOWN])}{more}" if names else ""
