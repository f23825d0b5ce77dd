"""`python -m bench [--quick] [--json FILE] [ID …]`: measure, print one table, never assert a time."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from bench.row import Row

MODULES = (
    "c01_png",
    "c04_patch_fill",
    "c05_paste_back",
    "c06_text_removal",
    "c12_start_up",
    "c13_tiles",
    "q01_text_quality",
    "q02_upscale",
    "q03_cutout",
    "q04_edits",
)


def main() -> int:
    """Run the chosen benchmarks and print their rows; exit 1 only when a benchmark itself broke."""
    parser = argparse.ArgumentParser(prog="bench", description="Ratios against the peer, measured in the same run.")
    parser.add_argument("ids", nargs="*", help="module names or their beginnings, e.g. c04 q01; default: all")
    parser.add_argument("--quick", action="store_true", help="smaller sets; figures are indicative only")
    parser.add_argument("--json", type=Path, help="write the rows to this file as well")
    options = parser.parse_args()
    chosen = [m for m in MODULES if not options.ids or any(m.startswith(i.lower()) for i in options.ids)]
    if not chosen:
        parser.error(f"no benchmark matches {' '.join(options.ids)}; there are: {', '.join(MODULES)}")
    rows: list[Row] = []
    broken: list[str] = []
    for name in chosen:
        print(f"… {name}", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"bench.{name}").run(options.quick)
        except Exception as error:  # noqa: BLE001  one broken benchmark must not hide the others
            broken.append(f"{name}: {type(error).__name__}: {error}")
    show(rows)
    for line in broken:
        print(f"BROKEN {line}")
    if options.json:
        facts = {"machine": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        options.json.write_text(json.dumps({**facts, "rows": [asdict(r) for r in rows], "broken": broken}, indent=1))
    return 1 if broken else 0


def show(rows: list[Row]) -> None:
    """Print the table: id, what, peer, its figure, ours, ratio, bar, met."""
    cells: list[tuple[str, ...]] = [("id", "what", "peer", "peer's", "ours", "unit", "ratio", "bar", "met")]
    for row in rows:
        met = {True: "yes", False: "NO", None: "–"}[row.met]
        figures = [_figure(v) for v in (row.peer_value, row.ours_value)]
        cells.append((row.id, row.what, row.peer, *figures, row.unit, _figure(row.ratio), row.bar, met))
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for number, line in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("─" * width for width in widths))
    for row in rows:
        if row.note:
            print(f"  {row.id} {row.what}: {row.note}")
    judged = [row for row in rows if row.met is not None]
    print(f"{sum(bool(r.met) for r in judged)} of {len(judged)} bars met")


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
