"""Writers that store entries without end, until they are killed: run as a subprocess by test_steps."""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
from pathlib import Path

import numpy as np

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.storage.steps import FileStepStore


def key_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def values_of(number: int) -> dict[str, object]:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 256, (120, 160, 3), np.uint8)
    return {"image": Picture(pixels), "mask": Mask.of(pixels[:, :, 0]), "number": number}


def write_without_end(root: str, start: int) -> None:
    store = FileStepStore(Path(root))
    for number in itertools.count(start):
        store.put(key_of(number), values_of(number))


def main() -> None:
    """For every line "start root" on stdin, fork a writer, say its process id, and say when it is gone.

    Forking here, in a process of one thread, spares each writer the time of starting Python.
    """
    for line in sys.stdin:
        start, _, root = line.strip().partition(" ")
        child = os.fork()
        if child == 0:
            write_without_end(root, int(start))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)
        sys.stdout.write("gone\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
