from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.cli.contact_sheet import Gallery
from gesso.cli.report import ItemReport
from gesso.cli.sheet_pictures import data_uri, mask_view, shrunk
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.verdict import Notice, Verdict
from tests.cli.conftest import Gesso
from tests.support.fake_bench import PillowCodec

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&\u202e.png"


class Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def page(report: ItemReport) -> str:
    gallery = Gallery(EVIL, "1", PillowCodec())
    grey = Picture(np.full((6, 8, 3), 90, np.uint8))
    gallery.add(0, grey, grey, Mask.of(np.eye(6, 8, dtype=np.float32)), None)
    return gallery.html([report], Path())


def test_strings_from_outside_stay_strings() -> None:
    verdict = Verdict(gate=EVIL, passed=False, value=1, limit=0, unit=EVIL, detail=EVIL)
    notice = Notice(code="x", message=EVIL)
    clean = Tags()
    clean.feed(
        page(
            ItemReport(
                "a",
                "done",
                output="a",
                verdicts=(Verdict(gate="g", passed=False, value=1, limit=0, unit="u", detail="d"),),
                notices=(Notice(code="x", message="m"),),
                reason="r",
            )
        )
    )
    evil = Tags()
    evil.feed(page(ItemReport(EVIL, "done", output=EVIL, verdicts=(verdict,), notices=(notice,), reason=EVIL)))
    assert evil.tags == clean.tags
    assert evil.attributes == clean.attributes
    assert not [a for a in evil.attributes if a.startswith("on") or a == "style"]


def test_the_policy_admits_exactly_its_own_style_and_script() -> None:
    text = page(ItemReport("a", "done"))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None and "default-src 'none'" in policy[1]
    for tag in ("style", "script"):
        (inner,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert "http://" not in text and "https://" not in text


def test_a_sheet_of_a_run(gesso: Gesso, folder: Path) -> None:
    (folder / "in" / "bad.png").write_bytes(b"bad")
    said = gesso("paint-over", "in", "-o", "out", "--sheet", "out/sheet.html")
    assert said.code == 1 and "contact sheet → out/sheet.html" in said.out
    text = (folder / "out" / "sheet.html").read_text()
    assert text.count("<article") == 3 and 'href="sub/c.paint-over.png"' in text
    assert "Without pictures" in text and "bad.png" in text
    assert "smooth ground" in text and "level" in text
    assert gesso("paint-over", "in", "-o", "out2", "--sheet", "out/sheet.html").code == 1
    assert not (folder / "out2").exists()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.booleans(), st.booleans())
def test_shrinking_keeps_size_rules_and_mean(height: int, width: int, side: int, alpha: bool, deep: bool) -> None:
    rng = np.random.default_rng(height * 41 + width)
    pixels = rng.integers(0, 256, (height, width, 4 if alpha else 3)).astype(np.uint16 if deep else np.uint8)
    small = shrunk(Picture(pixels * 257 if deep else pixels), side)
    assert max(small.size) <= max(side, 1) or max(small.size) == max(height, width) <= side
    assert small.bit_depth == 8 and small.has_alpha == alpha
    flat = shrunk(Picture(np.full((height, width, 3), 77, np.uint8)), side)
    assert np.all(flat.pixels == 77)


def test_hidden_colours_do_not_bleed() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (200, 100, 50, 255)
    pixels[:, 4:] = (0, 255, 0, 0)
    assert np.abs(shrunk(Picture(pixels), 3).pixels[:, 1, :3].astype(int) - (200, 100, 50)).max() <= 1


def test_the_mask_view_marks_what_is_covered() -> None:
    cover = np.zeros((10, 10), np.float32)
    cover[:, :5] = 1
    view = mask_view(Picture(np.full((10, 10, 3), 128, np.uint8)), Mask.of(cover)).pixels.astype(int)
    assert view[0, 0, 0] - view[0, 0, 2] > 60 and np.ptp(view[0, 9]) == 0


@pytest.mark.parametrize("size", [(1, 1), (16384, 1), (1, 16384)])
def test_extreme_sizes(size: tuple[int, int]) -> None:
    picture = Picture(np.zeros((size[1], size[0], 3), np.uint8))
    assert data_uri(shrunk(picture), PillowCodec()).startswith("data:image/webp;base64,")
