"""Burn text into freely licensed photographs: the pictures that `make run` starts from.

The clean originals ship with scikit-image and scikit-learn (licences: samples/README.md); the text is ours.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from tests.support.ground_truth import TextSpec, burn, photographs

FOLDER = Path(__file__).parents[1] / "samples" / "photos"
QUALITY = 92
WHITE = (255, 255, 255)

SPECS: dict[str, tuple[str, TextSpec]] = {
    "coffee-band": (
        "coffee",
        TextSpec("fresh every morning", "DejaVuSans-Bold.ttf", 34, at=(0.5, 0.9), band=(20, 20, 24), band_opacity=0.55),
    ),
    "cat-timestamp": (
        "chelsea",
        TextSpec("21:08:26 07:42", size_px=20, colour=(255, 150, 40), at=(0.78, 0.92), seven_segment=True),
    ),
    "rocket-headline": (
        "rocket",
        TextSpec("LIFT-OFF", "DejaVuSans-Bold.ttf", 56, (255, 236, 120), at=(0.72, 0.2), outline_px=2, shadow_px=4),
    ),
    "astronaut-caption": (
        "astronaut",
        TextSpec("Mission specialist", "DejaVuSerif-Bold.ttf", 36, WHITE, at=(0.5, 0.88), outline_px=2),
    ),
    "temple-rotated": (
        "china",
        TextSpec("Summer Palace", "DejaVuSerif-Bold.ttf", 44, (200, 30, 40), angle=12, at=(0.55, 0.16)),
    ),
    "flower-watermark": (
        "flower",
        TextSpec("sample picture", "DejaVuSans-Bold.ttf", 46, WHITE, opacity=0.55, at=(0.5, 0.5)),
    ),
    "bricks-sale": (
        "brick",
        TextSpec("SALE 30 % OFF", "DejaVuSans-Bold.ttf", 48, (235, 40, 40), at=(0.5, 0.45), shadow_px=3),
    ),
}


def main() -> int:
    """Write every sample; the same bytes each time, with the same libraries."""
    photos = photographs()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (photo, spec) in SPECS.items():
        out = io.BytesIO()
        Image.fromarray(burn(photos[photo], spec).image).save(out, "JPEG", quality=QUALITY, subsampling=0)
        (FOLDER / f"{name}.jpg").write_bytes(out.getvalue())
        sys.stderr.write(f"{name}.jpg {len(out.getvalue()) // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
