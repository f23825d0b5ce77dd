"""Where results go, and how they get there: never half a file, never over an existing one unless asked."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gesso.cli.errors import BadUsage, storage_error
from gesso.cli.inputs import STDIN, Item
from gesso.cli.text import plain
from gesso.contracts.errors import StorageError
from gesso.contracts.files import publish

PARTIAL = ".gesso-{pid}-{token}.part"
"""Name of a file while it is written; `sweep` removes those whose process is gone."""
ALIASES = {"jpeg": "jpg", "tif": "tiff"}
"""Suffixes that mean a format known under another one."""


@dataclass(frozen=True)
class Asked:
    """What the command line said about outputs. `output` is None (beside the input), ``-``, a file or a folder."""

    output: str | None
    format: str = ""
    force: bool = False
    skip_existing: bool | None = None

    def folder(self, count: int) -> Path | None:
        """The folder named with -o when it is one for `count` inputs, else None."""
        if self.output in (None, STDIN):
            return None
        path = Path(str(self.output))
        if path.is_dir() or str(self.output).endswith(os.sep) or count != 1 or not path.suffix:
            return path
        return None


@dataclass(frozen=True)
class Target:
    """Where one item's image goes: a file, standard output, or, for results without an image, nowhere."""

    image: Path | None = None
    stdout: bool = False

    @property
    def name(self) -> str:
        """What is shown for it."""
        return (STDIN if self.stdout else "") if self.image is None else plain(str(self.image))


def format_of(path: Path, formats: Sequence[str]) -> str:
    """The format that a file name asks for; raises `BadUsage` (format_unknown) naming those there are."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix in formats:
        return suffix
    alias = ALIASES.get(suffix, next((a for a, b in ALIASES.items() if b == suffix), ""))
    if alias in formats:
        return alias
    raise BadUsage(
        f"{plain(path.name)}: cannot write this format",
        code="format_unknown",
        hint="formats: " + ", ".join(formats),
    )


def place(items: Sequence[Item], asked: Asked, verb: str, formats: Sequence[str]) -> tuple[Target, ...]:
    """One target per item. Inputs of one folder that differ in their suffix only (a.jpg, a.png) keep it in the output's name.

    Raises `BadUsage` before anything is run: format_unknown; output_not_folder (several inputs, -o names a file).
    """
    suffix = asked.format or "png"
    format_of(Path(f"x.{suffix}"), formats)
    folder = asked.folder(len(items) if not items[0].from_folder else 2)
    if folder is not None and folder.is_file():
        raise BadUsage(
            f"-o {plain(str(folder))} is a file, but there may be several outputs",
            code="output_not_folder",
            hint="name a folder",
        )
    stems = Counter(_stem_key(item) for item in items)
    targets = tuple(
        _place_one(item, asked, folder, f"{_base(item, stems[_stem_key(item)] > 1)}.{verb}.{suffix}") for item in items
    )
    for target in targets:
        if target.image is not None:
            format_of(target.image, formats)
    return targets


def mask_path(item: Item, asked: str, several: bool) -> Path:
    """Where the mask of `item` goes under ``--mask-out``: a file for one input, a folder (keeping the tree) otherwise."""
    path = Path(asked)
    if path.is_dir() or several or not path.suffix:
        return path / item.relative.parent / f"{item.relative.stem}.mask.png"
    return path


def refuse_clashes(items: Sequence[Item], written: Iterable[tuple[str, Path]]) -> None:
    """Check everything that will be `written` (for what, where) before anything is.

    Raises `BadUsage`: output_collision (one path for two things); output_is_input (even with --force: originals are never
    written over).
    """
    sources = {_real(i.source) for i in items if i.source is not None}
    taken: dict[str, str] = {}
    for what, path in written:
        key = _real(path)
        if key in taken:
            raise BadUsage(
                f"{taken[key]} and {what} would both be written to {plain(str(path))}",
                code="output_collision",
                hint="run them apart, each with another -o folder",
            )
        if key in sources:
            raise BadUsage(
                f"{plain(str(path))} is itself an input",
                code="output_is_input",
                hint="originals are never written over; choose another path",
            )
        taken[key] = what


def must_be_free(path: Path, force: bool) -> None:
    """Raise `StorageError` (output_exists) when `path` exists and may not be replaced."""
    if not force and os.path.lexists(path):
        raise StorageError(
            f"{plain(str(path))} exists", code="output_exists", hint="use --force to replace it, or another -o"
        )


def write_atomically(path: Path, data: bytes, *, force: bool = True) -> None:
    """Publish `data` at `path`, whole or not at all (see `contracts.files.publish`); never replaces without `force`.

    Raises `StorageError` (storage_full, permission_denied, output_exists, …).
    """
    partial = path.parent / PARTIAL.format(pid=os.getpid(), token=secrets.token_hex(6))
    try:
        publish(path, partial, [data], replace=force)
    except FileExistsError as error:
        must_be_free(path, force)
        raise storage_error(error, plain(str(path))) from error
    except OSError as error:
        raise storage_error(error, plain(str(path))) from error


def sweep(folders: Iterable[Path], *, own: bool = False) -> None:
    """Remove unfinished files that a killed run left in `folders` (with `own`, this process's too). Never raises."""
    for folder in set(folders):
        with contextlib.suppress(OSError):
            for partial in folder.glob(PARTIAL.format(pid="*", token="*")):
                pid = partial.name.split("-")[1]
                if pid.isdigit() and (own if int(pid) == os.getpid() else not _alive(int(pid))):
                    partial.unlink(missing_ok=True)


def _stem_key(item: Item) -> tuple[Path | None, Path, str]:
    """What inputs share that would otherwise be written to one name: their folder and stem."""
    return (item.source.parent if item.source else None), item.relative.parent, item.relative.stem


def _base(item: Item, shared: bool) -> str:
    return item.relative.name if shared else item.relative.stem


def _place_one(item: Item, asked: Asked, folder: Path | None, name: str) -> Target:
    if asked.output == STDIN or (asked.output is None and item.source is None):
        return Target(stdout=True)
    if folder is not None:
        return Target(folder / item.relative.parent / name)
    if asked.output is not None:
        return Target(Path(asked.output))
    assert item.source is not None
    return Target(item.source.parent / name)


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError) as error:
        raise BadUsage(f"{plain(str(path))} is not a usable path", code="path_invalid") from error


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
