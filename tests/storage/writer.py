"""Stores entries without end, until it is killed: run as a subprocess by test_steps."""

from __future__ import annotations

import hashlib
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


def main(root: str, start: int) -> None:
    store = FileStepStore(Path(root))
    number = start
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        store.put(key_of(number), values_of(number))
        number += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
