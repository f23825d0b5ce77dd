"""The contact sheet: one HTML file to look at what a run did, with nothing to load and nothing that can leave the page."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from gesso.cli.report import ItemReport
from gesso.cli.sheet_pictures import data_uri, mask_view, shrunk
from gesso.cli.sheet_style import SCRIPT, STYLE
from gesso.cli.text import plain
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.ports import Codec
from gesso.contracts.provenance import Provenance, StepRecord
from gesso.contracts.verdict import Attempt, Verdict

MAX_PICTURED = 200
"""Items shown with pictures (about 0.3 MB each); further ones are listed."""
MAX_ATTEMPTS = 60
"""Attempts listed per step; the file's own record has all."""
_WORDS = {"done": "Passed", "unchanged": "Unchanged", "repaired": "Repaired", "rolled_back": "Rolled back"}


@dataclass(frozen=True)
class Shown:
    """One item with its pictures as data URIs, empty where there is none.

    ``layers`` are further views by name: other pictures that the run gave out, the mask. ``cut`` is where the wipe begins.
    """

    before: str
    after: str
    layers: tuple[tuple[str, str], ...]
    size: str
    cut: float
    provenance: Provenance | None


class Gallery:
    """Collects the pictures of a run as it goes, small already; thread-safe."""

    def __init__(self, title: str, version: str, codec: Codec) -> None:
        self._title = title
        self._version = version
        self._codec = codec
        self._lock = threading.Lock()
        self._shown: dict[int, Shown] = {}

    def add(
        self,
        index: int,
        before: Picture | None,
        after: Picture | None,
        mask: Mask | None,
        provenance: Provenance | None,
        others: Mapping[str, Picture] = MappingProxyType({}),
    ) -> None:
        """Take in the pictures of item `index`, unless there are `MAX_PICTURED` already. `others` are shown by name."""
        with self._lock:
            if len(self._shown) >= MAX_PICTURED:
                return
        uri = ["" if p is None else data_uri(shrunk(p), self._codec) for p in (before, after)]
        layers = [(name, data_uri(shrunk(other), self._codec)) for name, other in others.items()]
        under = next((p for p in (before, after) if p and mask and p.size == (mask.width, mask.height)), None)
        if under is not None and mask is not None:
            layers.append(("mask", data_uri(mask_view(under, mask), self._codec)))
        with self._lock:
            self._shown[index] = Shown(uri[0], uri[1], tuple(layers), _size(before, after), _cut(mask), provenance)

    def html(self, reports: Sequence[ItemReport], folder: Path) -> str:
        """The page; links to outputs are relative to `folder`."""
        articles = [_article(r, self._shown[i], folder) for i, r in enumerate(reports) if i in self._shown]
        rest = [r for i, r in enumerate(reports) if i not in self._shown]
        made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        seconds = sum(r.seconds for r in reports)
        noun = "picture" if len(reports) == 1 else "pictures"
        return "\n".join(
            (
                "<!doctype html>",
                '<html lang="en"><head><meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">',
                f"<title>{_safe(self._title)}</title><style>{STYLE}</style></head>",
                '<body><main class="page"><header>',
                f"<h1>{_safe(self._title)}</h1>",
                f'<p class="meta">{len(reports)} {noun} in {_seconds(seconds)}, {made}</p>',
                _counts(reports),
                _filter(reports) if len(articles) > 1 else "",
                "</header>",
                *articles,
                _rest(rest),
                f"<footer>Made by Gesso {_safe(self._version)}. Every output carries its full record: "
                "<code>gesso verify FILE</code>.</footer>",
                f"</main><script>{SCRIPT}</script></body></html>",
            )
        )


def _policy() -> str:
    """Only the page's own style and script, and pictures that are in the page."""

    def hashed(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return f"default-src 'none'; img-src data:; style-src {hashed(STYLE)}; script-src {hashed(SCRIPT)}"


def _counts(reports: Sequence[ItemReport]) -> str:
    count = Counter(r.status for r in reports)
    rows = [
        ("passed", count["passed"] + count["done"] + count["unchanged"]),
        ("repaired", count["repaired"]),
        ("rolled back", count["rolled_back"]),
        ("failed", count["failed"] + count["cancelled"]),
    ]
    rows += [("skipped", count["skipped"])] if count["skipped"] else []
    cells = (f"<li{'' if n else ' class=none'}><b>{n}</b><span>{name}</span></li>" for name, n in rows)
    return f'<ul class="counts">{"".join(cells)}</ul>'


def _filter(reports: Sequence[ItemReport]) -> str:
    present = {r.status for r in reports}
    choices = [
        ("All", ""),
        ("Passed", "passed done unchanged"),
        ("Repaired", "repaired"),
        ("Rolled back", "rolled_back"),
    ]
    choices += [("Failed", "failed cancelled")]
    shown = [(title, which) for title, which in choices if not which or present & set(which.split())]
    if len(shown) < 3:
        return ""
    buttons = (
        f'<button type="button" data-show="{which}" aria-pressed="{str(not which).lower()}">{title}</button>'
        for title, which in shown
    )
    return f'<div class="filter" role="group" aria-label="Show">{"".join(buttons)}</div>'


def _article(report: ItemReport, shown: Shown, folder: Path) -> str:
    steps = shown.provenance.steps if shown.provenance is not None else ()
    return (
        f'<article data-status="{_safe(report.status)}">{_stage(shown)}'
        f'<div class="facts">{_head(report, shown, folder)}{_findings(report, steps)}{_figures(report)}{_notices(report)}</div>'
        f"{_story(steps)}</article>"
    )


def _stage(shown: Shown) -> str:
    if not shown.before or not shown.after:
        only = shown.before or shown.after
        picture = f'<div class="view" data-mode="before"><img alt="" src="{only}"></div>' if only else ""
        return f'<div class="stage">{picture}</div>'
    layers = "".join(
        f'<img class="layer" hidden data-layer="{_safe(name)}" alt="{_safe(name)}" src="{uri}">'
        for name, uri in shown.layers
    )
    modes = [("wipe", "", "Compare"), ("before", "", "Before"), ("after", "", "After")]
    modes += [("layer", name, name.replace("_", " ").capitalize()) for name, _ in shown.layers]
    buttons = "".join(
        f'<button type="button" data-mode="{mode}" data-layer="{_safe(name)}" aria-pressed="{str(mode == "wipe").lower()}">'
        f"{_safe(word)}</button>"
        for mode, name, word in modes
    )
    return (
        '<div class="stage"><div class="view" data-mode="wipe">'
        f'<img alt="After" src="{shown.after}"><div class="veil"></div>'
        f'<img class="over" alt="Before" src="{shown.before}">{layers}'
        '<input type="range" min="0" max="100" step="0.1" value="'
        + f"{shown.cut:.1f}"
        + '" aria-label="Before and after">'
        '<div class="handle"></div><span class="tag left">Before</span><span class="tag right">After</span></div>'
        f'<div class="modes" role="group" aria-label="View">{buttons}</div></div>'
    )


def _head(report: ItemReport, shown: Shown, folder: Path) -> str:
    word = _WORDS.get(report.status, report.status.replace("_", " ").capitalize())
    parts = [f"<h2>{_safe(Path(report.input).name)}</h2>"]
    link = _link(report.output, folder)
    parts.append(f'<p class="size">{_safe(shown.size)}{" · " + link if link else ""}</p>')
    parts.append(f'<p class="status {_safe(report.status)}">{_safe(word)} <i>in {_seconds(report.seconds)}</i></p>')
    if report.reason:
        parts.append(f'<p class="reason">{_safe(report.reason)}</p>')
    if report.problem is not None:
        hint = f"<small>{_safe(report.problem.hint)}</small>" if report.problem.hint else ""
        parts.append(f'<p class="reason">{_safe(report.problem.message)}{hint}</p>')
    return "".join(parts)


def _findings(report: ItemReport, steps: Sequence[StepRecord]) -> str:
    """The verdicts, by step where there are several."""
    if len(steps) < 2:
        return _verdicts("Verdicts", report.verdicts)
    return "".join(_verdicts(s.id, s.verdicts) for s in steps)


def _verdicts(title: str, verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    rows = "".join(map(_verdict, verdicts))
    return f"<h3>{_safe(title)}</h3><table><tbody>{rows}</tbody></table>"


def _verdict(verdict: Verdict) -> str:
    mark = '<td class="m pass">✓</td>' if verdict.passed else '<td class="m fail">✗</td>'
    unit = f" {_safe(verdict.unit)}" if verdict.unit else ""
    detail = f"<small>{_safe(verdict.detail)}</small>" if verdict.detail else ""
    name = _safe(verdict.gate.replace("-", " ").replace("_", " "))
    return (
        f'<tr>{mark}<td>{name}{detail}</td><td class="n">{_figure(verdict.value)}{unit}'
        f"<small>limit {_figure(verdict.limit)}{unit}</small></td></tr>"
    )


def _figures(report: ItemReport) -> str:
    """What the result says in single figures and words; lists stand in the file's record."""
    simple = {k: v for k, v in report.figures.items() if isinstance(v, str | int | float) and v != ""}
    if not simple:
        return ""
    rows = "".join(
        f'<tr><td>{_safe(key.replace("_", " "))}</td><td class="n">{_safe(_word(value))}</td></tr>'
        for key, value in simple.items()
    )
    return f"<h3>Result</h3><table><tbody>{rows}</tbody></table>"


def _notices(report: ItemReport) -> str:
    rows = "".join(f"<li>{_safe(n.message)}</li>" for n in report.notices)
    return f'<ul class="notices">{rows}</ul>' if rows else ""


def _story(steps: Sequence[StepRecord]) -> str:
    if not steps:
        return ""
    count = len(steps)
    title = f"How it came to be: {count} step{'s' if count > 1 else ''}, {_seconds(sum(s.seconds for s in steps))}"
    return f'<details><summary>{title}</summary><div class="story">{"".join(map(_step, steps))}</div></details>'


def _step(step: StepRecord) -> str:
    engines = ", ".join(dict.fromkeys(e.id for e in step.engines))
    facts = [
        _WORDS.get(step.status, step.status).lower(),
        "taken from the store" if step.reused else _seconds(step.seconds),
    ]
    facts += [f"with {engines}"] if engines else []
    name = step.operation if step.id == step.operation else f"{step.id}: {step.operation}"
    reason = f"<small>{_safe(step.reason)}</small>" if step.reason else ""
    rows = "".join(map(_attempt, step.attempts[:MAX_ATTEMPTS]))
    left = len(step.attempts) - MAX_ATTEMPTS
    more = f"<small>and {left} more</small>" if left > 0 else ""
    table = f"<table><tbody>{rows}</tbody></table>{more}" if rows else ""
    return f"<h3>{_safe(name)} · {_safe(', '.join(facts))}</h3>{reason}{table}"


def _attempt(attempt: Attempt) -> str:
    verdicts = "; ".join(
        f"{v.gate} {_figure(v.value)}{'' if v.passed else f' (limit {_figure(v.limit)})'}" for v in attempt.verdicts
    )
    kept = "kept" if attempt.accepted else "dropped"
    because = _safe(attempt.chosen_because) + (f"<small>{_safe(verdicts)}</small>" if verdicts else "")
    return (
        f"<tr{'' if attempt.accepted else ' class=dropped'}><td>{_safe(attempt.what)}</td><td>{_safe(attempt.engine)}</td>"
        f'<td>{because}</td><td>{kept}</td><td class="n">{_seconds(attempt.seconds)}</td></tr>'
    )


def _rest(reports: Sequence[ItemReport]) -> str:
    if not reports:
        return ""
    rows = "".join(
        f'<tr><td>{_safe(r.input)}</td><td class="{_safe(r.status)}">{_safe(r.status.replace("_", " "))}</td>'
        f"<td>{_safe(r.problem.message if r.problem is not None else r.reason)}</td></tr>"
        for r in reports
    )
    return f'<section class="rest"><h3>Without pictures</h3><table><tbody>{rows}</tbody></table></section>'


def _link(output: str, folder: Path) -> str:
    if not output or output == "-":
        return ""
    try:
        target = os.path.relpath(output, folder)
    except ValueError:
        return _safe(output)
    return f'<a href="{escape(quote(target))}">{_safe(Path(output).name)}</a>'


def _cut(mask: Mask | None) -> float:
    """Where the wipe begins, in percent of the width: across the middle of what was edited."""
    box = None if mask is None else mask.box
    return 50.0 if box is None or mask is None else min(90.0, max(10.0, 50.0 * (box.x0 + box.x1) / mask.width))


def _size(before: Picture | None, after: Picture | None) -> str:
    sizes: Iterable[str] = dict.fromkeys(f"{p.width} × {p.height}" for p in (before, after) if p is not None)
    return " → ".join(sizes)


def _seconds(seconds: float) -> str:
    if seconds >= 90:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.1f} s" if seconds >= 0.095 else f"{seconds * 1000:.0f} ms"


def _word(value: str | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _figure(value: float) -> str:
    return f"{value:.4g}"


def _safe(text: str) -> str:
    return escape(plain(text), quote=True)
