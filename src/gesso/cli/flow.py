"""The life of one command over its inputs: skip, resume, run, publish, report. Shared by verbs and recipes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gesso.cli.batch import work_through
from gesso.cli.contact_sheet import Gallery
from gesso.cli.errors import BadUsage, Problem, exit_code_of
from gesso.cli.flags import Flags
from gesso.cli.inputs import Item
from gesso.cli.interrupts import Interrupts
from gesso.cli.journal import NAME, Journal, key_of
from gesso.cli.outputs import Target, format_of, mask_path, must_be_free, refuse_clashes, sweep, write_atomically
from gesso.cli.progress import progress
from gesso.cli.report import ItemReport, say_json, say_plan, say_report, say_table
from gesso.cli.session import Session
from gesso.cli.text import plain, say
from gesso.contracts.context import Context
from gesso.contracts.errors import GessoError, StorageError
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import Provenance
from gesso.contracts.verdict import Notice, Verdict


@dataclass(frozen=True)
class Made:
    """What the work on one item brought. `others` are further pictures by name, for the contact sheet."""

    status: str
    reason: str = ""
    image: Picture | None = None
    mask: Mask | None = None
    others: Mapping[str, Picture] = field(default_factory=dict)
    provenance: Provenance | None = None
    verdicts: tuple[Verdict, ...] = ()
    notices: tuple[Notice, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    problem: Problem | None = None
    exit_code: int = 0


@dataclass(frozen=True)
class Flow:
    """One command, ready to run.

    `admit` gives the picture of an item (None where nothing comes in), `make` does the work on it. `work` names what is
    done, for the journal; `plan` is what a dry run prints; `table` prints the closing table even for one item.
    """

    session: Session
    flags: Flags
    title: str
    items: Sequence[Item]
    targets: Sequence[Target]
    admit: Callable[[Item], Picture | None]
    make: Callable[[Item, Picture | None, Context], Made]
    work: Mapping[str, Any]
    plan: Mapping[str, Any]
    table: bool = False

    def run(self) -> int:
        """Work through all items and return the exit code of the command."""
        self._check()
        if self.flags.dry_run:
            if not self.flags.json:
                say_plan(self.plan)
            for item, target in zip(self.items, self.targets, strict=True):
                self._emit(self._planned(item, target))
            return 0
        folders = {t.image.parent for t in self.targets if t.image is not None}
        sweep(folders)
        gallery = Gallery(self.title, self.session.wiring.version, self.session.bench.codec)
        with ExitStack() as stack:
            journal = stack.enter_context(self._journal()) if self._wants_journal() else None
            interrupts = stack.enter_context(Interrupts(on_hard_stop=lambda: sweep(folders, own=True)))
            bars = stack.enter_context(progress(len(self.items), quiet=self.flags.quiet))
            reports = work_through(
                self.items,
                lambda item, context: self._one(item, context, journal, gallery),
                jobs=self.flags.jobs,
                interrupts=interrupts,
                progress=bars,
                emit=self._emit,
                on_error=self._trace,
            )
            bad = any(r.exit_code for r in reports)
            if journal is not None and not bad and not self.flags.resume and self.flags.journal is None:
                journal.close(keep=False)
        if self.flags.sheet is not None:
            self._write_sheet(gallery, reports)
        if not self.flags.json and not self._to_stdout() and (self.table or len(reports) > 1):
            say_table(reports)
        return exit_code_of((r.exit_code for r in reports), cancelled=any(r.status == "cancelled" for r in reports))

    def _check(self) -> None:
        """Refuse combinations that cannot work, before anything is run."""
        if self._to_stdout():
            if self.flags.json:
                raise BadUsage(
                    "--json and an image cannot both go to standard output", code="stdout_taken", hint="use -o"
                )
            if sys.stdout.isatty() and not self.flags.dry_run:
                raise BadUsage(
                    "an image cannot be shown in a terminal",
                    code="stdout_is_terminal",
                    hint="redirect it, or use -o FILE",
                )
        refuse_clashes(self.items, self._written())
        if self.flags.sheet is not None and not self.flags.dry_run:
            must_be_free(Path(self.flags.sheet), self.flags.force)

    def _written(self) -> Iterator[tuple[str, Path]]:
        """Every file that the run may write, with what it is for."""
        for item, target in zip(self.items, self.targets, strict=True):
            if target.image is not None:
                yield item.name, target.image
            if self.flags.mask_out is not None:
                yield f"the mask of {item.name}", mask_path(item, self.flags.mask_out, len(self.items) > 1)
        if self.flags.sheet is not None:
            yield "the contact sheet", Path(self.flags.sheet)
        if self.flags.journal is not None:
            yield "the journal", Path(self.flags.journal)

    def _to_stdout(self) -> bool:
        return any(t.stdout for t in self.targets)

    def _wants_journal(self) -> bool:
        if self.items[0].source is None or not any(t.image is not None for t in self.targets):
            return False
        return len(self.items) > 1 or self.flags.resume or self.flags.journal is not None

    def _journal(self) -> Journal:
        if self.flags.journal is not None:
            return Journal(Path(self.flags.journal), resume=self.flags.resume)
        parents = [os.path.abspath(t.image.parent) for t in self.targets if t.image is not None]  # noqa: PTH100
        return Journal(Path(os.path.commonpath(parents)) / NAME, resume=self.flags.resume)

    def _planned(self, item: Item, target: Target) -> ItemReport:
        exists = target.image is not None and os.path.lexists(target.image)
        reason = "the output exists" if exists and not self.flags.force else ""
        return ItemReport(item.name, "planned", output=target.name, reason=reason, plan=self.plan)

    def _one(self, item: Item, context: Context, journal: Journal | None, gallery: Gallery) -> ItemReport:
        target = self.targets[item.index]
        key = "" if journal is None else key_of(item, {**self.work, "output": target.name})
        if journal is not None and (earlier := journal.finished(key)) is not None:
            reason = f"finished by an earlier run: {str(earlier.get('status', '')).replace('_', ' ')}"
            code = int(earlier.get("exit_code") == 1)
            return ItemReport(item.name, "skipped", output=target.name, reason=reason, exit_code=code)
        force = self.flags.force or (journal is not None and journal.interrupted(key))
        paths = self._paths(item, target)
        if paths and not force:
            if self._skips(item) and os.path.lexists(paths[0]):
                return ItemReport(item.name, "skipped", output=target.name, reason="the output exists")
            for path in paths:
                must_be_free(path, force=False)
        if journal is not None:
            journal.start(key)
        before = self.admit(item)
        try:
            made = self.make(item, before, context)
            report, files = self._publish(item, target, made, force)
        except GessoError as error:
            if error.code == "output_exists" and self._skips(item):  # another run was faster
                return ItemReport(item.name, "skipped", output=target.name, reason="the output exists")
            if self.flags.sheet is not None:
                gallery.add(item.index, before, None, None, None)
            raise
        if self.flags.sheet is not None:
            gallery.add(item.index, before, made.image, made.mask, made.provenance, made.others)
        if journal is not None and made.problem is None:
            report = _noted(journal, key, report, files)
        return report

    def _skips(self, item: Item) -> bool:
        return item.from_folder if self.flags.skip_existing is None else self.flags.skip_existing

    def _paths(self, item: Item, target: Target) -> list[Path]:
        """The files that this item may publish."""
        image = [] if target.image is None else [target.image]
        if self.flags.mask_out is None:
            return image
        return [*image, mask_path(item, self.flags.mask_out, len(self.items) > 1)]

    def _publish(self, item: Item, target: Target, made: Made, force: bool) -> tuple[ItemReport, tuple[Path, ...]]:
        report = ItemReport(
            item.name,
            made.status,
            reason=made.reason,
            verdicts=made.verdicts,
            notices=made.notices,
            figures=made.figures,
            steps=made.steps,
            problem=made.problem,
            exit_code=made.exit_code,
        )
        codec = self.session.bench.codec
        files: list[Path] = []
        if made.mask is not None and self.flags.mask_out is not None:
            path = mask_path(item, self.flags.mask_out, len(self.items) > 1)
            write_atomically(path, codec.encode_mask(made.mask), force=force)
            files.append(path)
            report = replace(report, mask=plain(str(path)))
        if made.image is not None:
            kind = format_of(target.image or Path(f"x.{self.flags.format or 'png'}"), codec.formats())
            data = codec.encode(made.image, kind, provenance=made.provenance, quality=self.flags.quality)
            if target.image is None:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            else:
                write_atomically(target.image, data, force=force)
                files.append(target.image)
            report = replace(report, output=target.name)
        return report, tuple(files)

    def _emit(self, report: ItemReport) -> None:
        if self.flags.json:
            say_json(report.as_json())
        else:
            stream = sys.stderr if self._to_stdout() and not self.flags.dry_run else sys.stdout
            say_report(report, figures=len(self.items) == 1 or not report.output, stream=stream)

    def _write_sheet(self, gallery: Gallery, reports: Sequence[ItemReport]) -> None:
        path = Path(str(self.flags.sheet))
        write_atomically(path, gallery.html(reports, path.parent).encode(), force=self.flags.force)
        if not self.flags.json and not self._to_stdout():
            say(f"contact sheet → {plain(str(path))}")

    def _trace(self, error: BaseException) -> None:
        if self.session.debug:
            traceback.print_exception(error)


def _noted(journal: Journal, key: str, report: ItemReport, files: tuple[Path, ...]) -> ItemReport:
    """Enter a published item in the journal. It stays published if that fails, and the user is told."""
    try:
        journal.finish(key, {**report.as_json(), "exit_code": report.exit_code}, files)
    except StorageError as error:
        notice = Notice(code="journal_not_written", message=f"the journal could not be written: {error.message}")
        return replace(report, notices=(*report.notices, notice))
    return report
