import numpy as np
import pytest

from tests.support.ground_truth import STYLES, TextSpec, burn, cases, photographs, random_spec


def test_the_mask_is_exactly_what_changed() -> None:
    photo = photographs()["coffee"]
    case = burn(photo, TextSpec("Words", size_px=40, shadow_px=3, outline_px=2, angle=12, band=(0, 0, 0)))
    assert np.array_equal(case.mask, (case.image != photo).any(axis=2)) and 0 < case.mask.mean() < 0.3
    assert np.array_equal(case.clean, photo)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_changes_pixels_inside_the_picture(style: str) -> None:
    photo = photographs()["rocket"]
    spec = random_spec(np.random.default_rng(4), photo, style)  # type: ignore[arg-type]
    case = burn(photo, spec)
    assert spec.style == style and case.mask.sum() > 100
    if spec.angle == 0 and style != "headline":
        assert not case.mask[0].any() and not case.mask[:, 0].any()


def test_a_seed_names_a_set() -> None:
    photos = {"rocket": photographs()["rocket"]}
    first, second = cases(7, 4, photos), cases(7, 4, photos)
    assert [c.spec for _, c in first] == [c.spec for _, c in second]
    assert [c.spec for _, c in cases(8, 4, photos)] != [c.spec for _, c in first]
