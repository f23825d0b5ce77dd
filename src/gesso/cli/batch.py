"""Working through many items: in threads, results in order, past failures, stoppable."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

from gesso.cli.errors import CANCELLED, problem_of
from gesso.cli.inputs import Item
from gesso.cli.interrupts import Interrupts
from gesso.cli.progress import Progress
from gesso.cli.report import ItemReport
from gesso.contracts.context import Context
from gesso.contracts.errors import Cancelled

MAX_JOBS = 256
"""Most items at a time."""
POLL_SECONDS = 0.1
"""How often the waiting main thread looks whether it was interrupted."""

Work = Callable[[Item, Context], ItemReport]


def work_through(
    items: Sequence[Item],
    work: Work,
    *,
    jobs: int,
    interrupts: Interrupts,
    progress: Progress,
    emit: Callable[[ItemReport], None],
    on_error: Callable[[BaseException], None] = lambda error: None,
) -> tuple[ItemReport, ...]:
    """Run `work` on every item, `jobs` at a time; `emit` gets the reports in the order of `items`, each as soon as it may.

    Whatever `work` raises becomes the report of its item (`on_error` sees it), and the next item goes on. After the first
    interrupt no further item starts: those left over are reported as cancelled.
    """

    def one(item: Item) -> ItemReport:
        if interrupts.stopping():
            return ItemReport(item.name, "cancelled", exit_code=CANCELLED)
        report = progress.begin(item.index, item.name)
        context = Context(on_progress=report, cancelled=interrupts.cancelling)
        began = time.monotonic()
        try:
            outcome = work(item, context)
        except Exception as error:  # noqa: BLE001  (a door: one item's failure is its own)
            on_error(error)
            outcome = failed(item, error)
        outcome = replace(outcome, seconds=time.monotonic() - began)
        progress.end(item.index, outcome.status.replace("_", " "))
        return outcome

    reports: list[ItemReport] = []
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="gesso") as pool:
        futures = [pool.submit(one, item) for item in items]
        try:
            for future in futures:
                _await(future, interrupts)
                reports.append(future.result())
                emit(reports[-1])
        finally:  # nobody hears the rest (a closed pipe): do not start it
            for future in futures:
                future.cancel()
    return tuple(reports)


def failed(item: Item, error: BaseException) -> ItemReport:
    """The report of an item that ended in `error`."""
    problem = problem_of(error)
    if isinstance(error, Cancelled):
        return ItemReport(item.name, "cancelled", exit_code=CANCELLED)
    return ItemReport(item.name, "failed", problem=problem, exit_code=problem.exit_code)


def _await(future: Future[ItemReport], interrupts: Interrupts) -> None:
    while not wait([future], timeout=POLL_SECONDS).done:
        interrupts.enforce()
