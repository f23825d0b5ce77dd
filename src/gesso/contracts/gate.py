"""A gate: a measure of a finished picture and the limit it must keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Verdict


@dataclass(frozen=True)
class Evidence:
    """What a measure may look at: the picture ``after``, and, where there are any, the one ``before`` and the edit's mask."""

    after: Picture
    before: Picture | None = None
    mask: Mask | None = None
    tools: Tools = field(default_factory=Tools)


@dataclass(frozen=True)
class Measurement:
    """A figure and a sentence about where it comes from."""

    value: float
    detail: str = ""


@dataclass(frozen=True)
class Gate:
    """A named measure with its default limit. ``measure`` returns None when the evidence lacks what it needs.

    ``requires`` names that evidence ("before", "mask") so that a plan can be refused before anything runs.
    """

    id: str
    title: str
    summary: str
    unit: str
    better: Literal["lower", "higher"]
    limit: float
    measure: Callable[[Evidence], Measurement | None]
    requires: tuple[Literal["before", "mask"], ...] = ()
    needs: tuple[type[Any], ...] = ()

    def judge(self, evidence: Evidence, limit: float | None = None) -> Verdict | None:
        """The verdict under `limit` (default: the gate's own), or None when the gate does not apply to this evidence."""
        found = self.measure(evidence)
        if found is None:
            return None
        bound = self.limit if limit is None else limit
        passed = found.value <= bound if self.better == "lower" else found.value >= bound
        return Verdict(gate=self.id, passed=passed, value=found.value, limit=bound, unit=self.unit, detail=found.detail)
