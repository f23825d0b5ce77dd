from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gesso.cli.batch import work_through
from gesso.cli.inputs import Item
from gesso.cli.interrupts import Interrupts
from gesso.cli.progress import Silent
from gesso.cli.report import ItemReport
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, Cancelled

ITEMS = [Item(i, Path(f"{i}.png"), Path(f"{i}.png")) for i in range(8)]


def test_results_come_in_order_whatever_finishes_first() -> None:
    gates = [threading.Event() for _ in ITEMS]
    gates[-1].set()

    def work(item: Item, context: Context) -> ItemReport:
        assert gates[item.index].wait(10)
        if item.index:
            gates[item.index - 1].set()
        if item.index == 3:
            raise BadInput("three")
        return ItemReport(item.name, "done")

    seen: list[str] = []
    caught: list[BaseException] = []
    reports = work_through(
        ITEMS,
        work,
        jobs=8,
        interrupts=Interrupts(),
        progress=Silent(),
        emit=lambda r: seen.append(r.input),
        on_error=caught.append,
    )
    assert seen == [f"{i}.png" for i in range(8)] == [r.input for r in reports]
    assert [r.status for r in reports] == ["done"] * 3 + ["failed"] + ["done"] * 4
    assert len(caught) == 1


def test_a_listener_that_leaves_stops_the_rest() -> None:
    done: list[int] = []

    def work(item: Item, context: Context) -> ItemReport:
        done.append(item.index)
        return ItemReport(item.name, "done")

    def leave(report: ItemReport) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        work_through(ITEMS * 50, work, jobs=1, interrupts=Interrupts(), progress=Silent(), emit=leave)
    assert len(done) < len(ITEMS) * 50


def test_cancelled_work_is_no_failure() -> None:
    def work(item: Item, context: Context) -> ItemReport:
        raise Cancelled("cancelled")

    (report,) = work_through(ITEMS[:1], work, jobs=1, interrupts=Interrupts(), progress=Silent(), emit=lambda r: None)
    assert (report.status, report.exit_code, report.problem) == ("cancelled", 130, None)
