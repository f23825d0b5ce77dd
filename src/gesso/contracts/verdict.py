"""What a check found, and what an attempt cost: the figures that every result carries."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gesso.contracts.model import Model

Status = Literal["done", "unchanged", "repaired", "rolled_back"]
"""done: first attempt accepted · unchanged: nothing to do · repaired: accepted after a retry · rolled_back: input returned."""


class Verdict(Model):
    """One gate's finding. ``passed`` compares ``value`` with ``limit`` in the gate's direction."""

    gate: str
    passed: bool
    value: float
    limit: float
    unit: str = ""
    detail: str = ""


class Attempt(Model):
    """One try at (a part of) the work: what was chosen, why, what it cost, and whether it was kept."""

    what: str = Field(description='e.g. "region 3: patch, dilation 1.5"')
    engine: str = ""
    chosen_because: str = ""
    seconds: float = 0.0
    accepted: bool = True
    verdicts: tuple[Verdict, ...] = ()
    details: dict[str, Any] = Field(default_factory=dict)


class Notice(Model):
    """Something the user should know that is not an error: code and sentence ("points_ignored", …)."""

    code: str
    message: str
