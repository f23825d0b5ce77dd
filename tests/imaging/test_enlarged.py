import cv2
import numpy as np
import pytest

from gesso.imaging.enlarged import add_enlarged, blend_enlarged


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("height", [1, 63, 64, 65, 200])
def test_adding_equals_adding_the_whole_layer(height: int, dtype: type) -> None:
    rng = np.random.default_rng(height)
    top = np.iinfo(dtype).max
    pixels = rng.integers(0, top, (height * 3, 60, 3), dtype)
    layer = rng.normal(0, top / 8, (height, 20, 3)).astype(np.float32)
    whole = cv2.resize(layer, (60, height * 3), interpolation=cv2.INTER_LINEAR)
    expected = np.clip(np.rint(pixels + whole), 0, top).astype(dtype)
    assert np.abs(add_enlarged(pixels, layer).astype(int) - expected).max() <= 1


def test_blending_follows_the_coverage() -> None:
    target, source = np.full((80, 80, 3), 10, np.uint8), np.full((80, 80, 3), 210, np.uint8)
    coverage = np.zeros((40, 40), np.float32)
    coverage[:, 20:] = 1.0
    blend_enlarged(target, source, coverage)
    assert (target[:, :38] == 10).all() and (target[:, 42:] == 210).all()
    assert (np.diff(target[0, :, 0].astype(int)) >= 0).all()
