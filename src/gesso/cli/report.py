"""What is said about each item and about the whole: a line for people, a line of JSON for programs, a closing table."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TextIO

import click

from gesso.cli.errors import Problem
from gesso.cli.text import plain, say
from gesso.contracts.verdict import Notice, Verdict

_COLOURS = {
    "repaired": "yellow",
    "rolled_back": "magenta",
    "failed": "red",
    "cancelled": "red",
    "skipped": "bright_black",
}
MAX_SHOWN = 160
"""Longer lists and mappings are only counted in the lines for people."""
MAX_ROWS = 40
"""Longer tables are cut."""
_TABLE = (("passed", ("passed", "done", "unchanged")), ("repaired", ("repaired",)), ("rolled back", ("rolled_back",)))


@dataclass(frozen=True)
class ItemReport:
    """The outcome of one item. ``status`` is a result's status, a run's (passed, …), or skipped, planned, failed, cancelled.

    ``figures`` holds what the result says besides pictures; ``steps`` the steps of a recipe; ``exit_code`` what it counts
    for in the exit code of the run.
    """

    input: str
    status: str
    output: str = ""
    mask: str = ""
    seconds: float = 0.0
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()
    notices: tuple[Notice, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain data; empty parts are left out."""
        out: dict[str, Any] = {"input": self.input, "status": self.status}
        for key in ("output", "mask", "reason", "figures", "steps", "plan"):
            value = getattr(self, key)
            if value:
                out[key] = list(value) if isinstance(value, tuple) else value
        for key in ("verdicts", "notices"):
            if getattr(self, key):
                out[key] = [v.model_dump(mode="json") for v in getattr(self, key)]
        if self.problem is not None:
            out["error"] = self.problem.details
        return {**out, "seconds": round(self.seconds, 3)}


def say_json(value: Any) -> None:
    """One line of strict ASCII JSON on stdout."""
    say(json.dumps(value, allow_nan=False, default=str))


def say_report(report: ItemReport, *, figures: bool, stream: TextIO | None = None) -> None:
    """The lines for people about one item; `figures` prints the verdicts and figures in full."""
    out = partial(say, stream=stream)
    arrow = f" → {report.output}" if report.output and report.output != "-" else ""
    parts = [report.status.replace("_", " ")]
    if report.status not in ("skipped", "planned", "cancelled"):
        parts.append(f"{report.seconds:.1f} s")
    if report.reason:
        parts.append(plain(report.reason))
    line = f"{report.input}{arrow}: " + " · ".join(parts)
    out(painted(line, _COLOURS.get(report.status, "")))
    if report.mask:
        out(f"  mask → {report.mask}")
    for notice in report.notices:
        out(f"  note: {plain(notice.message)} [{notice.code}]")
    if report.problem is not None:
        for text in report.problem.lines():
            out(f"  {plain(text)}")
    if figures or report.status == "rolled_back":
        say_verdicts(report.verdicts, stream)
    if figures:
        for key, value in report.figures.items():
            rows = _rows(value)
            out(f"  {plain(key)}:" if rows else f"  {plain(key)}: {plain(_short(value))}")
            columns(rows, indent=4, stream=stream)


def say_verdicts(verdicts: Sequence[Verdict], stream: TextIO | None = None) -> None:
    """One line per verdict, figures aligned."""
    width = max((len(v.gate) for v in verdicts), default=0)
    for verdict in verdicts:
        word = painted("pass", "green") if verdict.passed else painted("FAIL", "red")
        unit = f" {verdict.unit}" if verdict.unit else ""
        detail = f"  {plain(verdict.detail)}" if verdict.detail else ""
        say(
            f"  {word}  {verdict.gate:<{width}}  {verdict.value:.4g}{unit} (limit {verdict.limit:.4g}{unit}){detail}",
            stream=stream,
        )


def say_table(reports: Sequence[ItemReport]) -> None:
    """The closing table of a run: how many passed, were repaired, rolled back, failed; then who and why."""
    count = Counter(r.status for r in reports)
    say()
    for title, statuses in _TABLE:
        say(f"{title:<12}{sum(count[s] for s in statuses):>6}")
    say(f"{'failed':<12}{count['failed']:>6}")
    for extra in ("skipped", "cancelled", "planned"):
        if count[extra]:
            say(f"{extra:<12}{count[extra]:>6}")
    noted = [r for r in reports if r.status in ("repaired", "rolled_back", "failed")]
    if noted:
        say()
    width = min(48, max((len(r.input) for r in noted), default=0))
    for report in noted:
        why = report.problem.message if report.problem is not None else report.reason or _first_fault(report.verdicts)
        status = painted(f"{report.status.replace('_', ' '):<12}", _COLOURS[report.status])
        say(f"{status}{report.input:<{width}}  {plain(why)}")


def painted(text: str, colour: str) -> str:
    """`text` in a colour when stdout is a terminal that wants it."""
    return click.style(text, fg=colour) if colour and sys.stdout.isatty() else text


def columns(rows: Sequence[Sequence[str]], *, indent: int = 0, stream: TextIO | None = None) -> None:
    """Print `rows` with aligned columns, two spaces apart."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say((" " * indent + line).rstrip(), stream=stream)


def say_plan(plan: Mapping[str, Any]) -> None:
    """What a dry run says before the items: the steps with their parameters and the engines they would use."""
    if plan.get("values"):
        say(plain("values: " + ", ".join(f"{k}={_short(v)}" for k, v in plan["values"].items())))
    for step in plan.get("steps") or (plan,):
        params = ", ".join(f"{k}={_short(v)}" for k, v in step["params"].items())
        left_out = " (left out)" if step.get("left_out") else ""
        name = "" if "id" not in step else f"{step['id']}: "
        say(plain(f"{name}{step['operation']} {step['version']}{left_out}" + (f"  {params}" if params else "")))
        for engine in step["engines"]:
            why = engine.get("missing") or engine.get("why")
            say(plain(f"  {engine['capability']}: {engine['engine']}" + (f" (not usable: {why})" if why else "")))


def _first_fault(verdicts: Sequence[Verdict]) -> str:
    failed = next((v for v in verdicts if not v.passed), None)
    return "" if failed is None else f"{failed.gate} {failed.value:.4g}, limit {failed.limit:.4g}"


def _rows(value: Any) -> list[list[str]]:
    """A list of mappings as a table with a heading, of what is not itself nested; empty when it is something else."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(v, Mapping) for v in value):
        return []
    names = [k for k in value[0] if not any(isinstance(v.get(k), Mapping | list | tuple) for v in value)]
    body = [[plain(_short(v.get(k, ""))) for k in names] for v in value[:MAX_ROWS]]
    keep = [i for i in range(len(names)) if any(row[i] for row in body)]
    rows = [[names[i].replace("_", " ") for i in keep], *([row[i] for i in keep] for row in body)]
    return rows if len(value) <= MAX_ROWS else [*rows, [f"and {len(value) - MAX_ROWS} more", *[""] * (len(keep) - 1)]]


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = (
        "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    )
    if len(text) > MAX_SHOWN and isinstance(value, list | tuple | dict):
        return f"{len(value)} {'entry' if len(value) == 1 else 'entries'} (in full with --json)"
    return text
