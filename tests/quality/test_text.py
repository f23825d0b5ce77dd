import numpy as np
import pytest

from gesso.contracts.capabilities import TextDetector
from gesso.contracts.gate import Evidence
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools, tools_of
from gesso.quality.text import RESIDUAL_TEXT, overlap, touches
from tests.support.text_fakes import ToldDetector, region

PICTURE = Picture(np.full((100, 200, 3), 90, np.uint8))


def evidence(*regions: object, mask: Mask | None = None) -> Evidence:
    detector = ToldDetector(tuple(regions))  # type: ignore[arg-type]
    return Evidence(after=PICTURE, mask=mask, tools=tools_of({TextDetector: detector}))


def box_mask(x0: int, y0: int, x1: int, y1: int) -> Mask:
    plane = np.zeros((100, 200), np.float32)
    plane[y0:y1, x0:x1] = 1
    return Mask.of(plane)


def test_text_anywhere_fails_without_a_mask() -> None:
    verdict = RESIDUAL_TEXT.judge(evidence(region(10, 10, 90, 30)))
    assert verdict is not None and not verdict.passed and verdict.value == 1
    clean = RESIDUAL_TEXT.judge(evidence())
    assert clean is not None and clean.passed


def test_unsure_finds_do_not_count() -> None:
    verdict = RESIDUAL_TEXT.judge(evidence(region(10, 10, 90, 30, confidence=0.3)))
    assert verdict is not None and verdict.passed


def test_with_a_mask_only_text_in_the_edit_counts() -> None:
    there, elsewhere = region(10, 10, 90, 30), region(110, 60, 190, 90)
    verdict = RESIDUAL_TEXT.judge(evidence(there, elsewhere, mask=box_mask(12, 12, 88, 28)))
    assert verdict is not None and verdict.value == 1


def test_without_detector_or_with_a_foreign_mask_it_does_not_apply() -> None:
    assert RESIDUAL_TEXT.judge(Evidence(after=PICTURE, tools=Tools())) is None
    assert RESIDUAL_TEXT.judge(evidence(mask=Mask.of(np.ones((5, 5), np.float32)))) is None


def test_overlap_is_of_the_smaller_one_and_symmetric() -> None:
    big, small = region(0, 0, 100, 40).corners, region(10, 10, 30, 20).corners
    assert overlap(big, small) == pytest.approx(1) == pytest.approx(overlap(small, big))
    assert overlap(big, region(200, 0, 300, 40).corners) == 0
    assert overlap(big, ((5, 5), (5, 5), (5, 5), (5, 5))) == 0


def test_touches_a_soft_mask_and_not_the_outside() -> None:
    assert touches(region(10, 10, 90, 30), box_mask(50, 10, 90, 30))
    assert not touches(region(10, 10, 90, 30), box_mask(120, 60, 180, 90))
    assert not touches(region(500, 500, 600, 520), box_mask(0, 0, 50, 50))
