"""What there is and whether it works: `operations`, `limits`, `doctor`, `warm-up`."""

from __future__ import annotations

import json
from typing import Any

import click

from gesso.cli.report import columns, painted, say_json
from gesso.cli.session import debug_option, session_of
from gesso.cli.text import note, plain, say
from gesso.contracts.fields import fields_of

_MARKS = {"ok": ("ok", "green"), "missing": ("missing", "red"), "off": ("off", "bright_black")}


def _operations(name: str | None, json: bool) -> int:
    operations = session_of(click.get_current_context()).operations
    if name is not None and name not in {o.id for o in operations}:
        raise click.UsageError(f"there is no operation {name!r}", click.get_current_context())
    chosen = [o for o in operations if name in (None, o.id)]
    for operation in chosen if json else ():
        say_json(
            {
                "id": operation.id,
                "version": operation.version,
                "title": operation.title,
                "summary": operation.summary,
                "params": operation.params.model_json_schema(),
                "result": operation.result.model_json_schema(),
                "needs": [c.__name__ for c in operation.needs],
                "wants": [c.__name__ for c in operation.wants],
                "gates": list(operation.gates),
            }
        )
    if not json and name is None:
        columns([(o.id, str(o.version), plain(o.title)) for o in chosen])
    for operation in chosen if not json and name is not None else ():
        say(plain(f"{operation.id} {operation.version}: {operation.title}"))
        say(plain(operation.summary))
        columns(
            [
                ("  " + f.flag, f.kind + ("…" if f.many else ""), plain(f.description))
                for f in fields_of(operation.params)
            ]
        )
    return 0


def _limits(json: bool) -> int:
    limits = session_of(click.get_current_context()).wiring.limits()
    if json:
        say_json(dict(limits))
    else:
        columns([(plain(name), _shown(value)) for name, value in limits.items()])
    return 0


def _doctor(json: bool) -> int:
    findings = tuple(session_of(click.get_current_context()).wiring.doctor())
    missing = any(f.state == "missing" for f in findings)
    for finding in findings if json else ():
        say_json({"name": finding.name, "state": finding.state, "detail": finding.detail})
    if not json:
        width = max((len(f.name) for f in findings), default=0)
        for finding in findings:
            word, colour = _MARKS[finding.state]
            state = painted(f"{word:<8}", colour)
            say(f"{state}{plain(finding.name):<{width}}  {plain(finding.detail)}".rstrip())
    return int(missing)


def _warm_up() -> int:
    for line in session_of(click.get_current_context()).wiring.warm_up():
        note(plain(line))
    return 0


def _shown(value: Any) -> str:
    return (
        f"{value:,}"
        if isinstance(value, int) and not isinstance(value, bool)
        else plain(json.dumps(value, default=str))
    )


def _json_option() -> click.Option:
    return click.Option(["--json"], is_flag=True, help="JSON on standard output.")


COMMANDS: tuple[click.Command, ...] = (
    click.Command(
        "operations",
        callback=_operations,
        short_help="List the operations and their parameters.",
        help="List the operations; with a name, its parameters; with --json, the full schemas.",
        params=[click.Argument(["name"], required=False), _json_option(), debug_option()],
    ),
    click.Command(
        "limits",
        callback=_limits,
        help="Show the limits that inputs must keep.",
        params=[_json_option(), debug_option()],
    ),
    click.Command(
        "doctor",
        callback=_doctor,
        short_help="Show what is installed and usable, and why not.",
        help="Show which engines, weights and libraries are usable, and why not. Exit code 1 when something is missing.",
        params=[_json_option(), debug_option()],
    ),
    click.Command(
        "warm-up",
        callback=_warm_up,
        short_help="Prepare once what the first run would wait for.",
        help="Compile and load once what the first run would otherwise wait for.",
        params=[debug_option()],
    ),
)
"""The commands of this module."""
