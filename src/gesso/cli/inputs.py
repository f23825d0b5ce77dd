"""From the words after the verb to the list of pictures: files, folders, glob patterns and ``-``."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gesso.cli.errors import BadUsage, storage_error
from gesso.cli.text import plain

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".tif", ".tiff", ".heic", ".heif"})
"""Files that are picked up from a folder. A file that is named outright is taken whatever its suffix."""
MAX_INPUTS = 1_000_000
"""More files than this in one command is taken to be a mistake (the wrong folder)."""
STDIN = "-"


@dataclass(frozen=True)
class Item:
    """One picture to work on: a file (`source`), or standard input when `source` is None.

    `relative` is its path inside the folder that was named (the file's name when it was named itself); outputs keep it.
    """

    index: int
    source: Path | None
    relative: Path
    from_folder: bool = False

    @property
    def name(self) -> str:
        """What is shown for it."""
        return STDIN if self.source is None else plain(str(self.source))

    def read(self, max_bytes: int) -> bytes:
        """The encoded bytes, at most one more than `max_bytes`, so that admission can refuse the rest."""
        if self.source is None:
            return sys.stdin.buffer.read(max_bytes + 1)
        try:
            with self.source.open("rb") as file:
                return file.read(max_bytes + 1)
        except OSError as error:
            raise storage_error(error, self.name) from error


def expand(words: Sequence[str], *, verb: str, recurse: bool = True, skip: Path | None = None) -> tuple[Item, ...]:
    """The pictures that `words` name, each once, in the order given, folders and patterns sorted.

    Files found in a folder that are themselves outputs of `verb` (``<stem>.<verb>.<suffix>``), hidden, or inside the folder
    `skip` are left out. Raises `BadUsage` (no_inputs, input_not_found, too_many_inputs, stdin_alone).
    """
    if STDIN in words:
        if len(words) > 1:
            raise BadUsage("`-` (standard input) cannot be combined with other inputs", code="stdin_alone")
        return (Item(0, None, Path("stdin")),)
    seen: dict[str, Item] = {}
    for path, relative, from_folder in _named(words, verb, recurse, skip):
        key = os.path.abspath(path)  # noqa: PTH100  (links are kept as the user named them)
        if key not in seen:
            seen[key] = Item(len(seen), path, relative, from_folder)
        if len(seen) > MAX_INPUTS:
            raise BadUsage(f"more than {MAX_INPUTS} inputs", code="too_many_inputs")
    if not seen:
        raise BadUsage(
            "no pictures found",
            code="no_inputs",
            hint="folders are searched for " + ", ".join(sorted(s[1:] for s in SUFFIXES)),
        )
    return tuple(seen.values())


def companion(folder: Path, item: Item) -> Path:
    """The file in `folder` that belongs to `item`: same relative path, any picture suffix. Raises `BadUsage`."""
    where = folder / item.relative.parent
    found = sorted(p for p in _entries(where) if p.stem == item.relative.stem and p.suffix.lower() in SUFFIXES)
    if len(found) == 1:
        return found[0]
    what = "none" if not found else f"{len(found)} files"
    raise BadUsage(
        f"{plain(str(folder))} holds {what} for {plain(item.relative.stem)}",
        code="companion_not_found",
        hint="a folder given for a mask or picture needs one file of the same name for every input",
    )


def _named(words: Sequence[str], verb: str, recurse: bool, skip: Path | None) -> Iterator[tuple[Path, Path, bool]]:
    for word in words:
        if "\0" in word or not word:
            raise BadUsage("an input name is empty or contains a NUL character", code="input_not_found")
        try:
            yield from _of_word(word, verb, recurse, skip)
        except OSError as error:
            raise BadUsage(f"{plain(word)}: {storage_error(error).message}", code="input_not_found") from error


def _of_word(word: str, verb: str, recurse: bool, skip: Path | None) -> Iterator[tuple[Path, Path, bool]]:
    path = Path(word)
    if path.is_dir():
        yield from _in_folder(path, verb, recurse, skip)
    elif path.exists():
        yield path, Path(path.name), False
    elif glob.has_magic(word):
        matches = sorted(glob.iglob(word, recursive=True))  # noqa: PTH207  (absolute patterns and "**" alike)
        if not matches:
            raise BadUsage(f"nothing matches {plain(word)}", code="no_inputs")
        for match in map(Path, matches):
            if match.is_dir():
                yield from _in_folder(match, verb, recurse, skip)
            elif match.suffix.lower() in SUFFIXES and not _is_output(match, verb):
                yield match, Path(match.name), False
    else:
        raise BadUsage(f"{plain(word)}: no such file or folder", code="input_not_found")


def _in_folder(folder: Path, verb: str, recurse: bool, skip: Path | None) -> Iterator[tuple[Path, Path, bool]]:
    beyond = None if skip is None else skip.absolute()
    for here, folders, names in os.walk(folder):
        inside = (f for f in folders if not f.startswith(".") and (Path(here) / f).absolute() != beyond)
        folders[:] = sorted(inside) if recurse else []
        for path in (Path(here) / n for n in sorted(names)):
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not _is_output(path, verb):
                yield path, path.relative_to(folder), True


def _is_output(path: Path, verb: str) -> bool:
    return bool(verb) and (path.stem.endswith(f".{verb}") or path.stem.endswith(f".{verb}.mask"))


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return [p for p in folder.iterdir() if p.is_file()]
    except OSError as error:
        raise BadUsage(f"{plain(str(folder))}: {storage_error(error).message}", code="companion_not_found") from error
