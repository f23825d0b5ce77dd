import numpy as np
import pytest

from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import BadInput, OutOfMemory
from gesso.contracts.limits import Limits
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.imaging.enlarging import check_size, colours, enlarge, painted, with_enlarged_alpha


class Repeater:
    """Repeats pixels; counts what it is shown and may have too little memory for anything larger than `room`."""

    is_model = True

    def __init__(self, *scales: int, room: int = 10**9, limit: int = 0) -> None:
        self.scales, self.room, self.limit = scales, room, limit
        self.seen: list[tuple[int, int]] = []

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id="repeater", version=1, max_pixels=self.limit)

    def upscale(self, picture: Picture, scale: int, *, context: Context | None = None) -> Picture:
        assert scale in self.scales
        self.seen.append(picture.size)
        if max(picture.size) > self.room:
            raise OutOfMemory("too large")
        return Picture(picture.pixels.repeat(scale, axis=0).repeat(scale, axis=1))


def noise_picture(height: int, width: int, channels: int = 3) -> Picture:
    return Picture(np.random.default_rng(1).integers(0, 256, (height, width, channels), dtype=np.uint8))


@pytest.mark.parametrize("engine", [Repeater(2), Repeater(2, room=64), Repeater(2, limit=80 * 80), Repeater(4)])
def test_whatever_the_tiles_the_result_is_the_same(engine: Repeater) -> None:
    picture = noise_picture(150, 210)
    done = enlarge(engine, picture, 2, Context())
    assert (done.pixels == picture.pixels.repeat(2, axis=0).repeat(2, axis=1)).all()
    assert len(set(engine.seen[-2:])) == 1


def test_tiles_no_larger_than_the_engine_takes() -> None:
    engine = Repeater(2, limit=80 * 80)
    enlarge(engine, noise_picture(150, 210), 2, Context())
    assert set(engine.seen) == {(80, 80)}


def test_a_smaller_native_factor_is_made_up_for() -> None:
    assert enlarge(Repeater(2), noise_picture(20, 30), 3, Context()).size == (90, 60)


def test_memory_that_never_suffices_is_an_error() -> None:
    with pytest.raises(OutOfMemory):
        enlarge(Repeater(2, room=8), noise_picture(150, 210), 2, Context())


def test_only_regions_are_shown_and_painted() -> None:
    coverage = np.zeros((300, 400), np.float32)
    coverage[10:40, 20:60] = 1.0
    coverage[250:280, 330:390] = 1.0
    colour, engine = noise_picture(300, 400), Repeater(2)
    image = Picture(np.zeros((600, 800, 3), np.uint8))
    done = painted(engine, colour, image, Mask.of(coverage), 2, Context()).pixels
    large = colour.pixels.repeat(2, axis=0).repeat(2, axis=1)
    covered = coverage.repeat(2, axis=0).repeat(2, axis=1) > 0
    assert (done[~covered] == 0).all() and (done[24:76, 44:116] == large[24:76, 44:116]).all()
    assert sum(width * height for width, height in engine.seen) < 0.5 * 300 * 400


def test_colours_and_alpha_are_joined_straight() -> None:
    pixels = np.zeros((6, 6, 4), np.uint8)
    pixels[..., 1] = 255
    pixels[:, 3:] = (200, 10, 20, 255)
    picture = Picture(pixels)
    rgb = colours(picture)
    assert not rgb.has_alpha and rgb.pixels[..., 1].max() < 40
    engine = Repeater(2)
    joined = with_enlarged_alpha(enlarge(engine, rgb, 2, Context()), picture, engine, 2, Context())
    assert (joined.pixels[:, :6] == 0).all() and (joined.pixels[:, 6:] == (200, 10, 20, 255)).all()


def test_a_result_that_could_not_be_read_back_is_refused() -> None:
    side = Limits().max_side
    check_size(side, 2, "scale")
    for size in ((side + 1, 2), (10_000, 10_000)):
        with pytest.raises(BadInput) as caught:
            check_size(*size, "scale")
        assert caught.value.code == "too_many_pixels" and caught.value.field == "scale"
