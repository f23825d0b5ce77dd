"""The one declaration from which every door is derived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gesso.contracts.context import Context
from gesso.contracts.model import Model, Params
from gesso.contracts.tools import Tools
from gesso.contracts.verdict import Attempt, Notice, Status, Verdict


class Result(Model):
    """What every operation returns; subclasses add `image`, `mask` and figures.

    Guarantees: with status ``rolled_back`` or ``unchanged`` the image is the input, pixel for pixel, and ``reason`` says
    why. ``verdicts`` are the final ones; those of rejected tries stand in ``attempts``.
    """

    status: Status = "done"
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    notices: tuple[Notice, ...] = ()


P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Operation(Generic[P, R]):
    """One operation, declared once, as a frozen value at the bottom of its file.

    ``id`` is kebab-case and is the verb at the command line, the step name in recipes and (with underscores) the method of
    the library. ``version`` rises whenever the same params may give other pixels. ``run`` is pure: (params, tools,
    context) → result; inputs are not mutated, randomness comes from ``params.seed`` alone. ``needs`` are capability
    protocols without which it refuses, ``wants`` are used where an engine offers them. ``gates`` are ids of verdicts that
    every result carries.
    """

    id: str
    version: int
    title: str
    summary: str
    params: type[P]
    result: type[R]
    run: Callable[[P, Tools, Context], R]
    needs: tuple[type[Any], ...] = ()
    wants: tuple[type[Any], ...] = ()
    gates: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """The library's name for it: the id with underscores."""
        return self.id.replace("-", "_")


AnyOperation = Operation[Any, Any]
