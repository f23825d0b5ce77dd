"""One line of the benchmark table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measured figure beside its peer's, from the same run. ``met`` is None where the bar cannot be judged here."""

    id: str
    what: str
    peer: str
    peer_value: float | None
    ours_value: float | None
    unit: str
    ratio: float | None
    bar: str
    met: bool | None
    note: str = ""
