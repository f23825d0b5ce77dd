import numpy as np

from gesso.contracts.gate import Evidence
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.quality.evidence import missing_for
from gesso.quality.outside import OUTSIDE_MASK
from gesso.quality.reference import PSNR
from gesso.quality.seam import SEAM
from gesso.quality.text import RESIDUAL_TEXT

PICTURE = Picture(np.zeros((20, 30, 3), np.uint8))
SMALL = Mask.of(np.zeros((2, 2), np.float32))


def test_everything_that_is_missing_is_named() -> None:
    assert missing_for(OUTSIDE_MASK, Evidence(PICTURE)) == "'before' is missing and 'mask' is missing"
    assert missing_for(PSNR, Evidence(PICTURE), before="reference") == "'reference' is missing"
    assert missing_for(RESIDUAL_TEXT, Evidence(PICTURE)) == "no engine offers TextDetector"


def test_what_does_not_fit_is_named_with_its_size() -> None:
    assert "mask is 2×2, the picture 30×20" in missing_for(SEAM, Evidence(PICTURE, mask=SMALL))
    crop = Picture(np.zeros((20, 20, 3), np.uint8))
    assert "another frame: 20×20 against 30×20" in missing_for(PSNR, Evidence(PICTURE, before=crop))
    large = Picture(np.zeros((40, 60, 3), np.uint8))
    mask = Mask.of(np.zeros((20, 30), np.float32))
    assert "'before' is 60×40, the picture 30×20" in missing_for(OUTSIDE_MASK, Evidence(PICTURE, large, mask))
