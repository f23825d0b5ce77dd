"""A recipe as a value: inputs, values, steps, output. Names are resolved and kinds are checked elsewhere (`check`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

InputKind = Literal["picture", "mask"]
OnFail = Literal["retry", "rollback", "stop", "accept"]
Bound = Literal["default", "limit", "max", "min"]

RECIPE_SCHEMA = 1
"""What stands behind ``gesso:`` at the top of a recipe."""


@dataclass(frozen=True)
class Reference:
    """``$name`` (an input), ``$values.name`` (a value) or ``$step.field`` (a field of an earlier step's result)."""

    name: str
    field: str = ""

    @property
    def is_value(self) -> bool:
        """Whether it names one of the recipe's values."""
        return self.name == "values"

    def __str__(self) -> str:
        return f"${self.name}.{self.field}" if self.field else f"${self.name}"


@dataclass(frozen=True)
class GateLimit:
    """A gate that a step has to pass. ``bound`` says how the limit was written; None is the gate's own limit."""

    gate: str
    bound: Bound = "default"
    limit: float | Reference | None = None


@dataclass(frozen=True)
class Step:
    """One use of an operation. ``params`` hold literals, `Reference`s, or lists of references."""

    id: str
    use: str
    version: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    gates: tuple[GateLimit, ...] = ()
    on_fail: OnFail = "stop"
    retry: tuple[Mapping[str, Any], ...] = ()
    where: Reference | None = None
    when: Reference | None = None


@dataclass(frozen=True)
class Recipe:
    """A parsed recipe. ``text`` is the whole source, kept for the record; ``marks`` map dotted paths to (line, column)."""

    name: str
    inputs: Mapping[str, InputKind]
    steps: tuple[Step, ...]
    output: Mapping[str, Reference]
    values: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    summary: str = ""
    text: str = ""
    marks: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)

    def mark(self, path: str) -> tuple[int, int]:
        """1-based line and column of `path` ("steps.0.with.scale"), else of its nearest parent; (0, 0) if unknown."""
        while path and path not in self.marks:
            path = path.rpartition(".")[0]
        return self.marks.get(path, (0, 0))
