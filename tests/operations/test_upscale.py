from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from gesso.contracts.capabilities import Upscaler
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import BadInput, Cancelled, EngineFailed, OutOfMemory, Unavailable
from gesso.contracts.mask import Mask
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools, tools_of
from gesso.engines.upscale.engine import OrientedKriging
from gesso.operations.upscale import UPSCALE, UpscaleResult
from gesso.quality.reference import psnr, ssim

PLAIN = OrientedKriging()
ASTRONAUT = np.ascontiguousarray(data.astronaut()[:384, 64:448])


@dataclass
class FakeModel:
    """A learned upscaler's stand-in: cubic, with `shift` added so that its work can be seen; it notes what it was shown."""

    shift: int = 3
    scales: tuple[int, ...] = (4,)
    error: Exception | None = None
    limit: int = 0
    is_model: bool = True
    seen: list[tuple[int, int]] = field(default_factory=list)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id="fake-model", version=1, max_pixels=self.limit)

    def upscale(self, picture: Picture, scale: int, *, context: Context | None = None) -> Picture:
        self.seen.append(picture.size)
        if self.error is not None and max(picture.size) > 64:
            raise self.error
        large = cv2.resize(picture.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        return Picture(np.clip(large.astype(int) + self.shift, 0, 255).astype(large.dtype))


def upscaled(pixels: np.ndarray, *engines: object, **values: object) -> UpscaleResult:
    tools: Tools = tools_of({Upscaler: (PLAIN, *engines)})
    picture = Picture(np.ascontiguousarray(pixels))
    return UPSCALE.run(validated(UPSCALE.params, {"image": picture, **values}), tools, Context())


def shrunk(pixels: np.ndarray, scale: int) -> np.ndarray:
    return cv2.resize(pixels, (pixels.shape[1] // scale, pixels.shape[0] // scale), interpolation=cv2.INTER_AREA)


def figures(after: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    a, b = after.astype(np.float32), truth.astype(np.float32)
    return psnr(a, b), ssim(a, b)


def attempts(result: UpscaleResult) -> list[str]:
    return [attempt.what for attempt in result.attempts]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_clean_photograph_beats_lanczos_and_passes_its_gates(scale: int) -> None:
    coarse = shrunk(ASTRONAUT, scale)
    found = upscaled(coarse, scale=scale)
    theirs = np.asarray(Image.fromarray(coarse).resize((384, 384), Image.Resampling.LANCZOS))
    ours_psnr, ours_ssim = figures(found.image.pixels, ASTRONAUT)
    their_psnr, their_ssim = figures(theirs, ASTRONAUT)
    assert ours_psnr > their_psnr and ours_ssim > their_ssim
    assert found.status == "done" and [v.gate for v in found.verdicts] == list(UPSCALE.gates)
    assert all(v.passed for v in found.verdicts)
    assert attempts(found) == ["enhance", "denoise: skipped", "align: skipped"]


def test_noise_is_measured_and_taken_away() -> None:
    coarse = shrunk(ASTRONAUT, 2)
    grain = np.random.default_rng(2).normal(0, 10, coarse.shape)
    noisy = np.clip(np.rint(coarse + grain), 0, 255).astype(np.uint8)
    auto, off = upscaled(noisy), upscaled(noisy, denoise=0.0)
    assert 7 < auto.noise < 12 and "denoise" in attempts(auto)
    assert "denoise: skipped" in attempts(off)
    gain = np.subtract(figures(auto.image.pixels, ASTRONAUT), figures(off.image.pixels, ASTRONAUT))
    assert gain[0] > 1.5 and gain[1] > 0.1


@pytest.mark.parametrize("name", ["grass", "gravel"])
def test_texture_is_not_taken_for_noise(name: str) -> None:
    texture = np.ascontiguousarray(np.dstack([getattr(data, name)()[:384, :384]] * 3))
    found = upscaled(shrunk(texture, 2))
    assert found.noise > 5 and "denoise: skipped" in attempts(found)
    assert "is texture" in found.attempts[1].chosen_because


def test_denoising_that_destroys_is_taken_back() -> None:
    deviation = np.full((128, 128, 1), 15.0)
    deviation[:64, :64] = 5.0
    grain = np.random.default_rng(3).normal(128, 1, (128, 128, 3))
    texture = np.clip(np.rint(128 + deviation * (grain - 128)), 0, 255).astype(np.uint8)
    found, fine = upscaled(texture, denoise=1.0), upscaled(texture, denoise=0.0)
    assert "denoise: rolled back" in attempts(found)
    assert found.status == "repaired" and found.reason and found.image == fine.image


def test_transparent_lime_stays_out_of_the_edges() -> None:
    """Bad input B3 19: colours of transparent pixels must not reach the edge."""
    ys, xs = np.mgrid[0:60, 0:60]
    inside = (ys - 30) ** 2 + (xs - 30) ** 2 < 400
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[..., :3] = (0, 255, 0)
    rgba[inside] = (200, 30, 40, 255)
    found = upscaled(rgba, scale=4)
    pixels = found.image.pixels
    visible = pixels[..., 3] > 0
    assert pixels.shape == (240, 240, 4)
    assert pixels[visible][:, 1].max() < 60 and pixels[visible][:, 0].min() > 150
    assert (pixels[~visible] == 0).all()
    assert set(np.unique(pixels[..., 3][100:140, 100:140])) == {255}
    assert 0 < ((pixels[..., 3] > 0) & (pixels[..., 3] < 255)).sum() < 6000
    assert found.verdicts and all(v.passed for v in found.verdicts)


def test_sixteen_bits_keep_their_depth() -> None:
    coarse = shrunk(ASTRONAUT, 4)
    narrow, wide = upscaled(coarse, scale=2), upscaled(coarse.astype(np.uint16) * 257, scale=2)
    assert wide.image.bit_depth == 16
    assert np.abs(wide.image.pixels / 257.0 - narrow.image.pixels).max() < 1


@pytest.mark.parametrize("size", [(1, 1), (17, 13), (1, 50), (50, 1)])
@pytest.mark.parametrize("channels", [3, 4])
def test_odd_sizes_work(size: tuple[int, int], channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, channels), dtype=np.uint8)
    for engines in ((), (FakeModel(),)):
        assert upscaled(pixels, *engines, scale=3).image.pixels.shape == (size[0] * 3, size[1] * 3, channels)


def test_too_large_a_result_is_refused_before_any_work() -> None:
    model = FakeModel()
    with pytest.raises(BadInput) as caught:
        upscaled(np.zeros((4000, 4000, 3), np.uint8), model, scale=4)
    assert caught.value.code == "too_many_pixels" and caught.value.limit and not model.seen


def test_auto_sends_only_poor_regions_to_the_model() -> None:
    pixels = ASTRONAUT.copy()
    pixels[:, 192:] = cv2.GaussianBlur(pixels, (0, 0), 2.5)[:, 192:]
    model, nothing = FakeModel(), FakeModel()
    found, plain = upscaled(pixels, model, denoise=0.0), upscaled(pixels, denoise=0.0)
    changed = (found.image.pixels != plain.image.pixels).any(axis=2)
    assert changed[:, 440:].mean() > 0.3 and changed[:, :300].mean() < 0.1
    assert found.mask is not None and found.mask.coverage[:, 220:].mean() > 4 * found.mask.coverage[:, :150].mean()
    (attempt,) = [a for a in found.attempts if a.what == "model"]
    assert attempt.accepted and attempt.engine == "fake-model" and "blurred or noisy" in attempt.chosen_because
    crisp = upscaled(np.ascontiguousarray(np.dstack([data.brick()[:200, :200]] * 3)), nothing)
    assert not nothing.seen and "model: skipped" in attempts(crisp) and crisp.mask is None


def test_a_mask_bounds_the_model_and_leaves_no_seam() -> None:
    coverage = np.zeros((96, 96), np.float32)
    coverage[20:60, 30:70] = 1.0
    coverage = cv2.GaussianBlur(coverage, (0, 0), 3)
    coverage[coverage < 0.01] = 0.0
    coarse = shrunk(ASTRONAUT, 4)
    found = upscaled(coarse, FakeModel(shift=1), scale=4, mask=Mask.of(coverage))
    plain = upscaled(coarse, scale=4)
    changed = np.abs(found.image.pixels.astype(int) - plain.image.pixels).max(axis=2)
    outside = cv2.resize(coverage, (384, 384), interpolation=cv2.INTER_NEAREST) == 0
    assert "model" in attempts(found) and "align" not in attempts(found)
    assert changed[outside].max() == 0 and changed[~outside].mean() > 0.5
    with pytest.raises(BadInput) as caught:
        upscaled(coarse, FakeModel(), mask=Mask.of(np.ones((3, 3), np.float32)))
    assert caught.value.code == "mask_size"


def test_everywhere_means_everywhere_in_tiles() -> None:
    model = FakeModel(shift=0, limit=128 * 128)
    coarse = shrunk(ASTRONAUT, 2)
    found = upscaled(coarse, model, where="all", scale=4)
    assert len(model.seen) >= 4 and set(model.seen) == {(128, 128)}
    whole = cv2.resize(coarse, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert np.abs(found.image.pixels.astype(int) - whole)[40:-40, 40:-40].max() <= 1


def test_a_model_that_spoils_the_picture_is_taken_back() -> None:
    coarse = shrunk(ASTRONAUT, 4)
    found = upscaled(coarse, FakeModel(shift=60), where="all", scale=4)
    assert found.status == "repaired" and "model: rolled back" in attempts(found) and found.mask is None
    assert found.image == upscaled(coarse, scale=4).image


def test_a_small_drift_of_the_model_is_aligned() -> None:
    coarse = np.clip(shrunk(ASTRONAUT, 4), 10, 240)
    found = upscaled(coarse, FakeModel(shift=2), where="all", scale=4)
    assert "align" in attempts(found)
    assert {v.gate: v.value for v in found.verdicts}["low_frequency_drift"] < 0.7


def test_a_broken_model_costs_only_itself() -> None:
    coarse = shrunk(ASTRONAUT, 4)
    found = upscaled(coarse, FakeModel(error=EngineFailed("weights exploded")), where="all")
    assert [n.code for n in found.notices] == ["model_failed"] and "model: failed" in attempts(found)
    assert found.image == upscaled(coarse).image
    tight = FakeModel(shift=1, error=OutOfMemory("no room"))
    assert "model" in attempts(upscaled(coarse, tight, where="all")) and min(tight.seen) == (64, 64)


def test_asking_for_a_model_that_is_not_there_is_said() -> None:
    assert [n.code for n in upscaled(shrunk(ASTRONAUT, 4), where="all").notices] == ["no_model"]
    assert not upscaled(shrunk(ASTRONAUT, 4)).notices


def test_needs_an_engine_and_can_be_cancelled() -> None:
    params = validated(UPSCALE.params, {"image": Picture(shrunk(ASTRONAUT, 4))})
    with pytest.raises(Unavailable):
        UPSCALE.run(params, Tools(), Context())
    with pytest.raises(Cancelled):
        UPSCALE.run(params, tools_of({Upscaler: PLAIN}), Context(cancelled=lambda: True))


def test_the_same_request_gives_the_same_pixels() -> None:
    coarse = shrunk(ASTRONAUT, 3)
    assert upscaled(coarse, scale=3).image.sha256 == upscaled(coarse, scale=3).image.sha256
