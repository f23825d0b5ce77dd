"""The options that every working verb shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import click

from gesso.cli.batch import MAX_JOBS
from gesso.cli.errors import BadUsage
from gesso.cli.session import debug_option


@dataclass(frozen=True)
class Flags:
    """What was asked of the run as a whole, apart from the operation's own parameters."""

    output: str | None = None
    format: str | None = None
    quality: int | None = None
    force: bool = False
    skip_existing: bool | None = None
    json: bool = False
    dry_run: bool = False
    jobs: int = 1
    resume: bool = False
    journal: str | None = None
    frame: int | None = None
    quiet: bool = False
    mask_out: str | None = None
    sheet: str | None = None


NAMES = frozenset(f.name for f in fields(Flags))
"""Names that no operation's parameter may have (a test asserts it)."""


def take(given: dict[str, Any]) -> Flags:
    """The flags among click's values, removed from `given`; raises `BadUsage` for empty paths."""
    flags = Flags(**{name: given.pop(name) for name in list(given) if name in NAMES})
    for name in ("output", "journal", "mask_out", "sheet"):
        value = getattr(flags, name)
        if value is not None and (not value or "\0" in value):
            raise BadUsage(f"--{name.replace('_', '-')}: not a usable path", code="path_invalid")
    return flags


def shared_options(*, image: bool, mask: bool) -> list[click.Parameter]:
    """The options of a verb whose result has an image and a mask, or not."""
    out: list[click.Parameter] = []
    if image:
        out += [
            _path(
                "-o", "--output", help="File (one input), folder, or - for standard output. Default: beside the input."
            ),
            click.Option(["--format"], metavar="FORMAT", help="png (default), jpg, webp, … where -o names no file."),
            click.Option(["--quality"], type=click.IntRange(1, 100), help="For the formats that lose detail (1…100)."),
            click.Option(["--force", "-f"], is_flag=True, help="Replace outputs that exist."),
            click.Option(
                ["--skip-existing/--no-skip-existing"],
                default=None,
                help="Leave inputs alone whose output exists (default for inputs found in folders).",
            ),
            click.Option(["--resume"], is_flag=True, help="Continue an interrupted run from its journal."),
            _path("--journal", help="Where the journal is kept (default: in the folder of the outputs)."),
            _path("--sheet", help="Also write an HTML contact sheet with before, after and the verdicts."),
        ]
    if mask:
        out.append(_path("--mask-out", help="Also write the mask: a file (one input) or a folder."))
    out += [
        click.Option(["--frame"], type=click.IntRange(0), help="Which frame of an animation to take."),
        click.Option(
            ["--jobs", "-j"], type=click.IntRange(1, MAX_JOBS), default=1, help="Items at a time (default 1)."
        ),
        click.Option(["--json"], is_flag=True, help="One line of JSON per item on standard output."),
        click.Option(
            ["--dry-run"], is_flag=True, help="Say what would be done, with which engines, and where it would go."
        ),
        click.Option(["--quiet", "-q"], is_flag=True, help="No progress on standard error."),
        debug_option(),
    ]
    return out


def summary(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameter values as given, for plans and journals: JSON data."""
    return {
        k: v if isinstance(v, str | int | float | bool | dict | list | tuple) else str(v) for k, v in values.items()
    }


def _path(*names: str, help: str) -> click.Option:
    return click.Option([*names], metavar="PATH", help=help)
