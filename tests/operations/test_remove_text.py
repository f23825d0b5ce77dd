import cv2
import numpy as np
import pytest

from gesso.contracts.capabilities import Inpainter, TextDetector, TextRegion
from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, Cancelled, EngineFailed, Unavailable
from gesso.contracts.geometry import Box
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools, tools_of
from gesso.operations.remove_text import REMOVE_TEXT, RemoveTextParams, RemoveTextResult
from tests.support.ground_truth import Burnt, TextSpec, burn
from tests.support.text_fakes import TeleaFill, ToldDetector, region


def slope(height: int = 160, width: int = 320) -> np.ndarray:
    ramp = np.linspace(90, 130, width)[None, :, None] + np.linspace(0, 20, height)[:, None, None]
    return np.rint(np.broadcast_to(ramp, (height, width, 3)) * (1.0, 0.9, 1.1)).astype(np.uint8)


def frame_of(case: Burnt, margin: int = 3) -> TextRegion:
    rows, columns = np.nonzero(case.mask)
    return region(columns.min() - margin, rows.min() - margin, columns.max() + margin, rows.max() + margin)


def remove(case: Burnt, detector: ToldDetector, fills: object = None, **params: object) -> RemoveTextResult:
    tools = tools_of({TextDetector: detector, Inpainter: fills or TeleaFill()})
    return REMOVE_TEXT.run(RemoveTextParams(image=Picture(case.image), **params), tools, Context())


@pytest.fixture(scope="module")
def case() -> Burnt:
    return burn(slope(), TextSpec("Hello text", size_px=30, at=(0.5, 0.5)))


def test_text_on_smooth_ground_is_gone_and_nothing_else_changes(case: Burnt) -> None:
    result = remove(case, ToldDetector((frame_of(case),)))
    assert result.status == "done"
    after = result.image.pixels.astype(int)
    assert np.abs(after - case.clean)[case.mask].max() <= 12
    assert np.array_equal(after[~result.mask.touched], case.image[~result.mask.touched])
    assert (result.mask.coverage[case.mask] > 0.99).all()
    assert {v.gate for v in result.verdicts} >= {"residual_text", "outside_mask"}
    assert all(v.passed for v in result.verdicts if v.gate != "seam")


def test_mask_is_of_strokes_not_of_the_frame() -> None:
    case = burn(slope(240, 520), TextSpec("Hello text", size_px=80, at=(0.5, 0.5)))
    result = remove(case, ToldDetector((frame_of(case),)))
    (report,) = result.regions
    assert (report.mask, report.fate, report.ground) == ("strokes", "removed", "smooth")
    rows, columns = np.nonzero(case.mask)
    frame = (rows.max() - rows.min()) * (columns.max() - columns.min())
    assert np.count_nonzero(result.mask.coverage > 0.5) < 0.75 * frame


def test_no_text_returns_the_picture_itself(case: Burnt) -> None:
    result = remove(case, ToldDetector(()))
    assert (result.status, result.reason) == ("unchanged", "no text")
    assert result.image.sha256 == Picture(case.image).sha256
    assert result.mask.is_empty


def test_what_cannot_be_removed_is_given_back_with_the_reason(case: Burnt) -> None:
    found = frame_of(case)
    result = remove(case, ToldDetector((found,), left=lambda picture: (found,)), max_retries=2)
    assert result.status == "rolled_back"
    assert result.image.sha256 == Picture(case.image).sha256
    assert result.mask.is_empty
    assert len(result.attempts) == 3 and not any(a.accepted for a in result.attempts)
    assert "still found" in result.regions[0].reason
    assert not next(v for v in result.verdicts if v.gate == "residual_text").passed


def test_retries_take_more_each_time_and_stop_when_it_works(case: Burnt) -> None:
    found, fill = frame_of(case), TeleaFill()
    answers = iter([(found,), ()])
    result = remove(case, ToldDetector((found,), left=lambda picture: next(answers)), fill)
    assert result.status == "repaired"
    assert [a.accepted for a in result.attempts] == [False, True]
    assert fill.holes[1] > fill.holes[0]


def test_one_lost_line_does_not_cost_the_other() -> None:
    photo = slope(300, 320)
    first = burn(photo, TextSpec("Upper line", size_px=28, at=(0.5, 0.15)))
    both = burn(first.image, TextSpec("Lower line", size_px=28, at=(0.5, 0.85)))
    upper, lower = frame_of(first), frame_of(both)
    result = remove(both, ToldDetector((upper, lower), left=lambda picture: (lower,)))
    assert [r.fate for r in result.regions] == ["removed", "rolled_back"]
    assert np.array_equal(result.image.pixels[both.mask], both.image[both.mask])
    assert np.abs(result.image.pixels.astype(int) - photo)[first.mask].max() <= 12
    assert {n.code for n in result.notices} == {"text_rolled_back"}


def test_unsure_lines_are_reported_not_removed(case: Burnt) -> None:
    found = frame_of(case)
    faint = TextRegion(found.corners, 0.4)
    result = remove(case, ToldDetector((faint,)))
    assert result.status == "unchanged" and result.regions[0].fate == "uncertain"
    assert remove(case, ToldDetector((faint,)), min_confidence=0.3).status == "done"


def test_kept_areas_and_the_outside_of_where_stay(case: Burnt) -> None:
    found = frame_of(case)
    width = case.image.shape[1]
    kept = remove(case, ToldDetector((found,)), keep=(Box(x0=0, y0=0, x1=width, y1=160),))
    assert kept.status == "unchanged" and kept.regions[0].fate == "outside"
    half = np.zeros(case.mask.shape, np.float32)
    half[:, : width * 3 // 4] = 1
    result = remove(case, ToldDetector((found,)), where=Mask.of(half))
    assert result.status == "done"
    assert np.array_equal(result.image.pixels[:, width * 3 // 4 :], case.image[:, width * 3 // 4 :])


def test_the_second_look_is_only_at_the_text(case: Burnt) -> None:
    detector = ToldDetector((frame_of(case),))
    remove(case, detector)
    assert detector.calls[0] is None
    box = detector.calls[1]
    assert box is not None and box.width * box.height < 0.6 * case.mask.size


def test_alpha_and_sixteen_bits_survive(case: Burnt) -> None:
    wide = case.image.astype(np.uint16) * 257
    alpha = np.full((*case.mask.shape, 1), 40000, np.uint16)
    picture = Picture(np.concatenate([wide, alpha], axis=2))
    tools = tools_of({TextDetector: ToldDetector((frame_of(case),)), Inpainter: TeleaFill()})
    result = REMOVE_TEXT.run(RemoveTextParams(image=picture), tools, Context())
    assert result.image.bit_depth == 16 and result.image.alpha is not None
    assert (result.image.alpha == 40000).all()
    assert np.abs(result.image.rgb.astype(int) // 257 - case.clean)[case.mask].max() <= 12


def test_same_request_same_pixels(case: Burnt) -> None:
    first, second = (remove(case, ToldDetector((frame_of(case),))) for _ in range(2))
    assert first.image.sha256 == second.image.sha256 and first.mask.sha256 == second.mask.sha256


def test_a_semi_transparent_plate_is_undone() -> None:
    rng = np.random.default_rng(3)
    waves = cv2.GaussianBlur(rng.normal(0, 120, (200, 360)), (0, 0), 3)[:, :, None]
    ground = np.clip(slope(200, 360) + waves, 0, 255).astype(np.uint8)
    plate = burn(ground, TextSpec("Band text", size_px=30, at=(0.5, 0.5), band=(0, 0, 0), band_opacity=0.6))
    bare = burn(ground, TextSpec("Band text", size_px=30, at=(0.5, 0.5)))
    result = remove(plate, ToldDetector((frame_of(bare, 5),)))
    assert "unblend" in result.regions[0].synthesis
    between = plate.mask & ~bare.mask
    error = np.abs(result.image.pixels.astype(int) - ground)[between]
    assert error.mean() < 6 < np.abs(plate.image.astype(int) - ground)[between].mean()


def test_a_mask_of_another_size_is_refused(case: Burnt) -> None:
    with pytest.raises(BadInput, match="size"):
        remove(case, ToldDetector(()), where=Mask.of(np.ones((4, 4), np.float32)))


def test_without_engines_it_says_what_is_missing(case: Burnt) -> None:
    with pytest.raises(Unavailable, match="TextDetector"):
        REMOVE_TEXT.run(RemoveTextParams(image=Picture(case.image)), Tools(), Context())


def test_it_can_be_cancelled(case: Burnt) -> None:
    tools = tools_of({TextDetector: ToldDetector((frame_of(case),)), Inpainter: TeleaFill()})
    with pytest.raises(Cancelled):
        REMOVE_TEXT.run(RemoveTextParams(image=Picture(case.image)), tools, Context(cancelled=lambda: True))


@pytest.mark.parametrize(("asked", "expected"), [("membrane", "a"), ("patch", "b"), ("model", "c")])
def test_synthesis_can_be_asked_for(case: Burnt, asked: str, expected: str) -> None:
    fills = (
        TeleaFill("a", frozenset({"smooth"})),
        TeleaFill("b", frozenset({"texture"})),
        TeleaFill("c", frozenset({"structure"}), learned=True),
    )
    result = remove(case, ToldDetector((frame_of(case),)), fills, synthesis=asked)
    assert result.regions[0].synthesis == expected


def test_what_is_asked_for_and_not_installed_is_an_error(case: Burnt) -> None:
    with pytest.raises(Unavailable) as caught:
        remove(case, ToldDetector((frame_of(case),)), (TeleaFill(),), synthesis="model")
    assert caught.value.code == "capability_unavailable"


def test_a_fill_that_gives_up_rolls_its_lines_back(case: Burnt) -> None:
    class GivesUp(TeleaFill):
        def fill(self, *args: object, **values: object) -> Picture:
            raise EngineFailed("nothing is known around the hole", code="nothing_known")

    result = remove(case, ToldDetector((frame_of(case),)), (GivesUp(),))
    assert result.status == "rolled_back"
    assert np.array_equal(result.image.pixels, case.image)
    assert "nothing is known" in result.regions[0].reason
