"""`gesso verify`: is there a record, is it of these pixels, which marks does the file carry?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import click

from gesso.cli.errors import problem_of
from gesso.cli.inputs import Item, expand
from gesso.cli.report import painted, say_json
from gesso.cli.session import Session, debug_option, session_of
from gesso.cli.text import plain, say
from gesso.contracts.errors import GessoError
from gesso.contracts.provenance import Provenance
from gesso.recipes.reproduce import verify

LOSSY = frozenset({"jpeg", "jpg", "webp", "avif", "heic", "heif"})
"""Formats whose pixels may differ from those that were published."""
_COLOURS = {"match": "green", "lossy": "yellow", "differ": "red"}


class Marked(Protocol):
    """The marks of a file, as far as this command shows them."""

    def as_json(self) -> Mapping[str, Any]:
        """Plain data, with ``c2pa``, ``digital_source_type`` and ``tools`` among it."""
        ...


@runtime_checkable
class Inspecting(Protocol):
    """A codec that can say which marks of origin a file carries. Found is not the same as valid."""

    def inspect(self, data: bytes) -> Marked:
        """The marks, from the metadata alone; raises `BadImage`."""
        ...


@dataclass(frozen=True)
class Finding:
    """What was found in one file. ``pixels``: match, differ, or lossy (the format does not keep them, nothing is proven);
    ``problems``: where the record contradicts itself.
    """

    file: str
    record: Provenance | None
    pixels: str
    marks: tuple[str, ...]
    problems: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether the file holds exactly the pixels of its record, and the record does not contradict itself."""
        return self.record is not None and self.pixels == "match" and not self.problems

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        out: dict[str, Any] = {"file": self.file, "record": self.record is not None, "pixels": self.pixels}
        out["marks"] = list(self.marks)
        if self.record is not None:
            out["problems"] = list(self.problems)
            out |= {"gesso": self.record.gesso, "created": self.record.created, "recipe": self.record.recipe_name}
            out["steps"] = [
                {"operation": s.operation, "version": s.version, "status": s.status} for s in self.record.steps
            ]
        return out


def examine(session: Session, item: Item) -> Finding:
    """Read one file's record, compare it with the pixels and with itself.

    Raises `BadImage`, and `BadInput` for a malformed record.
    """
    data = item.read(session.max_bytes)
    picture = session.bench.codec.picture(data, name=item.relative.name)
    record = session.bench.codec.provenance(data)
    marks = _marks(session.bench.codec, data)
    if record is None:
        return Finding(item.name, None, "", marks)
    checked = verify(picture, record)
    if checked.pixels_match:
        pixels = "match"
    elif not record.output_sha256:
        pixels = ""
    else:
        kind = (picture.origin.format or item.relative.suffix.removeprefix(".")).lower()
        pixels = "lossy" if kind in LOSSY else "differ"
    return Finding(item.name, record, pixels, marks, checked.problems)


def _marks(codec: object, data: bytes) -> tuple[str, ...]:
    """Marks of origin beside our own record, in words."""
    if not isinstance(codec, Inspecting):
        return ()
    found = codec.inspect(data).as_json()
    words = ["C2PA manifest (not checked)"] if found.get("c2pa") else []
    words += [f"source type {found['digital_source_type']}"] if found.get("digital_source_type") else []
    return (*words, *(f"{tool} metadata" for tool in found.get("tools", ())))


def _verify(files: tuple[str, ...], json: bool) -> int:
    session = session_of(click.get_current_context())
    worst = 0
    for item in expand(files, verb=""):
        try:
            finding = examine(session, item)
        except GessoError as error:
            problem = problem_of(error)
            worst = 1
            if json:
                say_json({"file": item.name, "error": problem.details})
            else:
                say(f"{item.name}: " + "\n  ".join(plain(line) for line in problem.lines()))
            continue
        worst = max(worst, int(not finding.proven))
        if json:
            say_json(finding.as_json())
        else:
            _say(finding)
    return worst


def _say(finding: Finding) -> None:
    record = finding.record
    if record is None:
        say(f"{finding.file}: " + painted("no record", "red"))
    else:
        words = {
            "match": "the pixels are those of the record",
            "lossy": "the pixels cannot be compared: this format does not keep them exactly",
            "differ": "the pixels are not those of the record",
            "": "the record names no picture",
        }
        say(f"{finding.file}: " + painted(words[finding.pixels], _COLOURS.get(finding.pixels, "red")))
        for problem in finding.problems:
            say("  " + painted(plain(f"the record contradicts itself: {problem}"), "red"))
        say(plain(f"  made by Gesso {record.gesso} on {record.created}: {record.recipe_name}"))
        for step in record.steps:
            reason = f" ({step.reason})" if step.reason else ""
            say(plain(f"  {step.operation} {step.version}: {step.status.replace('_', ' ')}{reason}"))
    say(plain(f"  other marks: {', '.join(finding.marks) or 'none'}"))


COMMANDS: tuple[click.Command, ...] = (
    click.Command(
        "verify",
        callback=_verify,
        short_help="Check that pictures are what their record says.",
        help="Check whether files carry a record, whether their pixels are those of the record, whether the record "
        "contradicts itself, and which marks of origin they carry. Exit code 1 unless every file is proven.",
        params=[
            click.Argument(["files"], nargs=-1, required=True, metavar="FILE..."),
            click.Option(["--json"], is_flag=True, help="One line of JSON per file."),
            debug_option(),
        ],
    ),
)
"""The commands of this module."""
