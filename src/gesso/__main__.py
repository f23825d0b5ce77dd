"""`gesso` and `python -m gesso`: hands wiring's builders to the command line, nothing else."""

from __future__ import annotations

import os
import sys

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""Idle OpenMP threads sleep instead of spinning; must be set before any runtime is loaded."""


def main() -> None:
    """Run the command line and exit with its code."""
    for name, value in PASSIVE.items():
        os.environ.setdefault(name, value)
    from gesso.cli.main import run
    from gesso.wiring import command_line

    sys.exit(run(command_line()))


if __name__ == "__main__":
    main()
