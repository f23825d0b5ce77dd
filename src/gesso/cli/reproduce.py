"""`gesso reproduce`: make pictures again from their own record, and say whether they came out the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import click

from gesso.cli.errors import SOME_FAILED, exit_code_of, problem_of
from gesso.cli.inputs import Item, expand
from gesso.cli.interrupts import Interrupts
from gesso.cli.progress import progress
from gesso.cli.report import painted, say_json
from gesso.cli.session import Session, debug_option, session_of
from gesso.cli.text import plain, say
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, GessoError
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Bench
from gesso.contracts.provenance import Input, Provenance
from gesso.recipes.reproduce import Expectation, Reproduction, expectation, reproduce

MAX_SEARCHED = 20_000
"""Files looked at for one run's inputs."""
MAX_DECODED = 200
"""Files decoded in search of an input whose file has changed but whose pixels may not have."""
_LEVELS = {
    "identical": "nothing differs from the record: identical pixels are expected",
    "close": "the machine or an engine differs from the record: similar pixels are expected",
    "replay_only": "something that was used is missing or has another version: the steps can be replayed at most",
}


class Finder:
    """Looks for recorded inputs: by the hash of the file, then by that of the pixels."""

    def __init__(self, bench: Bench, paths: Sequence[Path], frame: int | None) -> None:
        self._bench = bench
        self._paths = paths
        self._frame = frame
        self._found: dict[str, Picture | Mask | None] = {}

    def find(self, wanted: Input) -> Picture | Mask | None:
        """The input with the recorded pixels, or None."""
        if wanted.pixels_sha256 not in self._found:
            self._found[wanted.pixels_sha256] = self._search(wanted)
        return self._found[wanted.pixels_sha256]

    @cached_property
    def _by_file(self) -> dict[str, Path]:
        return {_file_hash(path): path for path in reversed(self._paths)}

    def _search(self, wanted: Input) -> Picture | Mask | None:
        exact = self._by_file.get(wanted.file_sha256) if wanted.file_sha256 else None
        for path in ([exact] if exact is not None else []) + list(self._paths[:MAX_DECODED]):
            read = self._read(path, wanted)
            if read is not None and read.sha256 == wanted.pixels_sha256:
                return read
        return None

    def _read(self, path: Path, wanted: Input) -> Picture | Mask | None:
        codec = self._bench.codec
        try:
            if wanted.kind == "mask":
                return codec.mask(path, size=(wanted.width, wanted.height), name=path.name)
            return codec.picture(path, name=path.name, frame=self._frame)
        except GessoError:
            return None  # not a picture, or not of that size: then it is not the one that is looked for


def _reproduce(
    files: tuple[str, ...], inputs: tuple[str, ...], frame: int | None, json: bool, dry_run: bool, quiet: bool
) -> int:
    session = session_of(click.get_current_context())
    items = expand(files, verb="")
    beside = [i.source.parent for i in items if i.source is not None]
    finder = Finder(session.bench, tuple(_candidates(inputs, beside)), frame)
    codes: list[int] = []
    with Interrupts() as interrupts, progress(len(items), quiet=quiet) as bars:
        for item in items:
            if interrupts.stopping():
                break
            context = Context(bars.begin(item.index, item.name), interrupts.cancelling)
            try:
                code = _one(session, item, finder, context, json, dry_run)
            except Exception as error:  # noqa: BLE001  (a door: the next file is still tried)
                code = _say_error(item, error, json)
            bars.end(item.index, "done" if code == 0 else "not identical")
            codes.append(code)
    return exit_code_of(codes, cancelled=len(codes) < len(items))


def _one(session: Session, item: Item, finder: Finder, context: Context, json: bool, dry_run: bool) -> int:
    data = item.read(session.max_bytes)
    bench = session.bench
    record = bench.codec.provenance(data)
    if record is None:
        raise BadInput(f"{item.name} carries no record", code="no_record", hint="only files that Gesso wrote have one")
    by_name = {i.name: i for i in record.inputs}

    def find(name: str, pixels: str) -> Picture | Mask | None:
        return finder.find(by_name[name])

    expected = expectation(record, bench, find)
    if not json:
        _say_expected(item, record, expected)
    if dry_run:
        if json:
            say_json({"file": item.name, **expected.as_json()})
        return 0 if expected.level == "identical" else SOME_FAILED
    published = bench.codec.picture(data, name=item.relative.name)
    done = reproduce(record, bench, find, context, published=published)
    if json:
        say_json({"file": item.name, **done.as_json()})
    else:
        _say_done(done)
    return 0 if done.identical else SOME_FAILED


def _say_expected(item: Item, record: Provenance, expected: Expectation) -> None:
    say(f"{item.name}: {plain(record.recipe_name)}, made on {plain(record.created)} by Gesso {plain(record.gesso)}")
    say(f"  level {expected.level.replace('_', ' ')}: {_LEVELS[expected.level]}")
    for difference in (*expected.missing, *expected.differences):
        say(f"    {plain(str(difference))}")
    for obstacle in expected.obstacles:
        say(f"    {plain(obstacle)}")


def _say_done(done: Reproduction) -> None:
    if done.identical:
        say("  " + painted("identical: every pixel is the same", "green"))
        return
    psnr = "" if done.psnr is None else f" (PSNR {done.psnr:.1f} dB)"
    say(
        "  "
        + painted(f"not identical{psnr}", "red")
        + (f": {plain(done.first_difference)}" if done.first_difference else "")
    )


def _say_error(item: Item, error: Exception, json: bool) -> int:
    problem = problem_of(error)
    if json:
        say_json({"file": item.name, "error": problem.details})
    else:
        hint = "give the folder of the inputs with --inputs" if problem.code == "cannot_reproduce" else ""
        lines = (*problem.lines(), *((f"hint: {hint}",) if hint else ()))
        say(f"{item.name}: " + "\n  ".join(plain(line) for line in lines))
    return problem.exit_code


def _candidates(folders: Sequence[str], beside: Sequence[Path]) -> Iterator[Path]:
    """Files that may be inputs: those in `folders` (searched through) and in the folders `beside` (not)."""
    known: dict[Path, None] = {}
    items = expand(folders, verb="") if folders else ()
    for source in (i.source for i in items):
        if source is not None:
            known[source] = None
    for folder in dict.fromkeys(beside):
        for found in expand((str(folder),), verb="", recurse=False):
            if found.source is not None:
                known.setdefault(found.source, None)
    yield from list(known)[:MAX_SEARCHED]


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


COMMANDS: tuple[click.Command, ...] = (
    click.Command(
        "reproduce",
        callback=_reproduce,
        short_help="Make pictures again from their record, and compare.",
        help="Make pictures again from the record they carry. Says first how close the result can be, then whether it is "
        "identical or what differs. Exit code 1 unless every file is identical.",
        params=[
            click.Argument(["files"], nargs=-1, required=True, metavar="FILE..."),
            click.Option(
                ["--inputs"],
                multiple=True,
                metavar="PATH",
                help="Where the original inputs are: folders or files. The folder of FILE is searched too. Repeatable.",
            ),
            click.Option(
                ["--frame"], type=click.IntRange(0), help="Which frame the inputs were, if they are animations."
            ),
            click.Option(["--json"], is_flag=True, help="One line of JSON per file."),
            click.Option(["--dry-run"], is_flag=True, help="Only say how close the result can be."),
            click.Option(["--quiet", "-q"], is_flag=True, help="No progress on standard error."),
            debug_option(),
        ],
    ),
)
"""The command of this module."""
