import itertools

import cv2
import numpy as np
import pytest

from gesso.contracts.geometry import Box
from gesso.contracts.picture import Picture
from gesso.engines.ocr.engine import RapidText, scale_of, starts
from tests.support.ground_truth import Burnt, TextSpec, burn, photographs


@pytest.fixture(scope="module")
def engine() -> RapidText:
    return RapidText.load(1)


@pytest.fixture(scope="module")
def case() -> Burnt:
    photo = np.ascontiguousarray(photographs()["rocket"][:256, :384])
    return burn(photo, TextSpec("Summer sale", size_px=34, at=(0.5, 0.3)))


def covered(case: Burnt, corners: tuple[tuple[float, float], ...]) -> float:
    (x0, y0), (x1, y1) = np.min(corners, axis=0), np.max(corners, axis=0)
    rows, columns = np.nonzero(case.mask)
    return float(((columns >= x0) & (columns <= x1) & (rows >= y0) & (rows <= y1)).mean())


def test_finds_and_reads_a_line(engine: RapidText, case: Burnt) -> None:
    (found,) = engine.detect_text(Picture(case.image), read=True)
    assert found.confidence > 0.8 and covered(case, found.corners) > 0.95
    assert found.text is not None and found.text.replace(" ", "") == "Summersale"


def test_within_a_box_gives_the_pictures_coordinates(engine: RapidText, case: Burnt) -> None:
    rows, columns = np.nonzero(case.mask)
    box = Box(x0=int(columns.min()) - 20, y0=int(rows.min()) - 20, x1=int(columns.max()) + 20, y1=int(rows.max()) + 20)
    (found,) = engine.detect_text(Picture(case.image), within=box)
    assert covered(case, found.corners) > 0.95 and found.text is None
    elsewhere = engine.detect_text(Picture(case.image), within=Box(x0=0, y0=200, x1=384, y1=256))
    assert [r for r in elsewhere if r.confidence >= 0.5] == []


def test_transparent_and_deep_pictures_are_seen(engine: RapidText, case: Burnt) -> None:
    alpha = np.full((*case.mask.shape, 1), 255, np.uint8)
    deep = np.concatenate([case.image, alpha], axis=2).astype(np.uint16) * 257
    assert len(engine.detect_text(Picture(deep))) == 1
    hidden = np.concatenate([case.image, alpha * 0], axis=2)
    assert engine.detect_text(Picture(hidden)) == ()


@pytest.mark.parametrize("name", ["chelsea", "coffee", "brick"])
def test_photographs_without_text_have_none(engine: RapidText, name: str) -> None:
    assert [r for r in engine.detect_text(Picture(photographs()[name])) if r.confidence >= 0.5] == []


def shapes() -> dict[str, np.ndarray]:
    """Drawings without a letter, on white."""
    out = {
        name: np.full((400, 400, 3), 255, np.uint8) for name in ("disc", "ring", "stripes", "board", "cross", "dots")
    }
    cv2.circle(out["disc"], (200, 200), 110, (210, 20, 30), -1, cv2.LINE_AA)
    cv2.circle(out["ring"], (200, 200), 110, (210, 20, 30), 12, cv2.LINE_AA)
    rows, columns = np.indices((400, 400))
    out["stripes"][columns // 20 % 2 == 0] = 0
    out["board"][(columns // 20 + rows // 20) % 2 == 0] = 30
    out["cross"][180:220, 100:300] = out["cross"][100:300, 180:220] = (220, 30, 30)
    for index in range(5):
        cv2.circle(out["dots"], (60 + 70 * index, 200), 16, (20, 60, 200), -1, cv2.LINE_AA)
    return out


@pytest.mark.parametrize("name", sorted(shapes()))
def test_drawings_without_letters_have_no_text(engine: RapidText, name: str) -> None:
    assert all(region.confidence < 0.5 for region in engine.detect_text(Picture(shapes()[name])))


def test_tiny_pictures_are_no_error(engine: RapidText) -> None:
    assert engine.detect_text(Picture(np.zeros((1, 1, 3), np.uint8))) == ()
    assert engine.detect_text(Picture(np.zeros((3, 700, 3), np.uint8))) == ()


def test_same_picture_same_answer_and_a_name(engine: RapidText, case: Burnt) -> None:
    picture = Picture(case.image)
    assert engine.detect_text(picture) == engine.detect_text(picture)
    assert engine.info.deterministic and all(len(w.sha256) == 64 for w in engine.info.weights)


@pytest.mark.slow
def test_small_text_on_a_large_picture_is_found(engine: RapidText) -> None:
    photo = cv2.resize(photographs()["rocket"], (1500, 1000), interpolation=cv2.INTER_CUBIC)
    case = burn(np.ascontiguousarray(photo), TextSpec("tiny words here", size_px=16, at=(0.52, 0.3)))
    found = engine.detect_text(Picture(case.image))
    assert len(found) == 1 and covered(case, found[0].corners) > 0.95


def test_scales_and_tiles() -> None:
    assert scale_of(1024, 1024) == 1.0
    assert scale_of(368, 400) == pytest.approx(2.0)
    assert scale_of(10, 10) == 3.0
    assert starts(1280) == (0,)
    for length in (1281, 2000, 5000):
        tiles = starts(length)
        assert tiles[0] == 0 and tiles[-1] == length - 1280
        assert all(after - before <= 1280 - 160 for before, after in itertools.pairwise(tiles))
