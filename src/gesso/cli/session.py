"""What one invocation knows: who built it, and what was asked of all commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from gesso.contracts.operation import AnyOperation
    from gesso.contracts.ports import Bench

State = Literal["ok", "missing", "off"]


@dataclass(frozen=True)
class Finding:
    """One line of `gesso doctor`: a part, whether it is usable, and why not or which version."""

    name: str
    state: State
    detail: str = ""


@dataclass(frozen=True)
class Wiring:
    """What the command line needs of the rest of Gesso. Every builder is called only by the commands that need it.

    `operations` gives the declarations alone and must be fast: `gesso --help` calls it. `bench` builds everything.
    `doctor` and `warm_up` are the whole of their commands; `warm_up` returns what it prepared, one line each.
    `limits` gives the limits in force, by name.
    """

    version: str
    operations: Callable[[], tuple[AnyOperation, ...]]
    bench: Callable[[], Bench]
    doctor: Callable[[], Sequence[Finding]]
    warm_up: Callable[[], Sequence[str]]
    limits: Callable[[], Mapping[str, Any]]


@dataclass
class Session:
    """One run of the command line."""

    wiring: Wiring
    debug: bool = False

    @cached_property
    def operations(self) -> tuple[AnyOperation, ...]:
        """Every operation, in order of declaration."""
        return self.wiring.operations()

    @cached_property
    def bench(self) -> Bench:
        """The bench, built on first use."""
        return self.wiring.bench()

    @cached_property
    def max_bytes(self) -> int:
        """The limit in force for the encoded size of one file."""
        return int(self.wiring.limits()["max_bytes"])


def session_of(context: click.Context) -> Session:
    """The session that `run` put into click's context."""
    session = context.find_root().obj
    assert isinstance(session, Session)
    return session


def debug_option() -> click.Option:
    """The hidden ``--debug``, accepted before and after the verb: show the traceback of an error."""

    def remember(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            session_of(context).debug = True

    return click.Option(["--debug"], is_flag=True, hidden=True, expose_value=False, is_eager=True, callback=remember)
