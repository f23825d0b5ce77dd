"""The library door: what it accepts, what it gives back, that it never mutates, and that it may be shared by threads."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gesso import Studio
from gesso.contracts.errors import BadImage, BadInput, BadParams, Cancelled, GessoError, StorageError
from tests.support.ground_truth import TextSpec, burn, photographs

SPEC = TextSpec("fresh coffee", "DejaVuSans-Bold.ttf", 30, (255, 255, 255), at=(0.5, 0.5))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="module")
def burnt() -> Any:
    flat = np.full((200, 320, 3), (90, 120, 60), np.uint8)
    return burn(flat, SPEC).image


def png(pixels: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_every_kind_of_source_gives_the_same_picture(studio: Studio, burnt: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(burnt))
    sources = (path, str(path), path.read_bytes(), Image.open(path), burnt)
    results = [studio.remove_text(source) for source in sources]
    assert len({r.image.sha256 for r in results}) == 1
    first = results[0]
    assert first.status == "passed"
    assert first.mask is not None and first.mask.area > 0.001
    assert first.provenance.steps[0].operation == "remove-text"
    assert first.pil().size == (320, 200)


def test_inputs_are_never_mutated_and_results_are_read_only(studio: Studio, burnt: Any) -> None:
    before = burnt.copy()
    result = studio.remove_text(burnt)
    assert np.array_equal(burnt, before)
    with pytest.raises(ValueError, match="read-only"):
        result.image.pixels[0, 0] = 0
    burnt_again = burnt.copy()
    kept = studio.measure(burnt_again)
    burnt_again[:] = 0
    assert kept.provenance.inputs[0].width == 320


def test_pixels_outside_the_mask_are_byte_identical(studio: Studio) -> None:
    for name in ("chelsea", "brick"):
        image = burn(photographs()[name], SPEC).image
        result = studio.remove_text(image)
        outside = ~result.mask.touched
        assert np.array_equal(result.image.rgb[outside], image[outside])


def test_thirty_two_at_once_equal_thirty_two_in_series(burnt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars, determinism: identical pixel hashes; the store is off, so that everything is really computed."""
    monkeypatch.setenv("GESSO_STORE_BYTES", "0")
    studio = Studio()
    rng = np.random.default_rng(5)
    pictures = [np.clip(burnt.astype(int) + rng.integers(-9, 9, 3), 0, 255).astype(np.uint8) for _ in range(32)]
    series = [studio.remove_text(p).image.sha256 for p in pictures]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda p: studio.remove_text(p).image.sha256, pictures))
    assert parallel == series
    assert len(set(series)) > 8


def test_saving_embeds_the_record_and_never_overwrites(studio: Studio, burnt: Any, tmp_path: Path) -> None:
    result = studio.remove_text(burnt)
    path = result.save(tmp_path / "out.png")
    assert studio.bench.codec.provenance(path.read_bytes()) == result.provenance
    with pytest.raises(StorageError) as caught:
        result.save(path)
    assert caught.value.code == "output_exists"
    result.save(path, force=True)
    with pytest.raises(BadInput) as format_error:
        result.save(tmp_path / "out.xyz")
    assert format_error.value.code == "format_not_writable"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.png"]


def test_paths_that_cannot_be_are_storage_errors(studio: Studio, burnt: Any) -> None:
    with pytest.raises(StorageError):
        studio.resize(burnt, width=8).save("\0.png")


def test_a_recipe_without_inputs_refuses_a_picture(studio: Studio, burnt: Any, tmp_path: Path) -> None:
    recipe = tmp_path / "own.yaml"
    recipe.write_text("gesso: 1\nname: own\nsteps:\n- {use: gate}\noutput: {passed: $gate.passed}\n")
    with pytest.raises(BadInput):
        studio.run(recipe, burnt)


def test_recipes_run_from_the_library(studio: Studio, burnt: Any) -> None:
    result = studio.run("thumbnail", burnt)
    assert result.image.size == (1280, 720)
    assert [s.operation for s in result.provenance.steps]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "image_empty"),
        (b"<html><body>not a picture</body></html>", "format_not_allowed"),
        ("no-such-file.png", "file_not_found"),
        (np.zeros((0, 4, 3), np.uint8), None),
        (np.full((4, 4, 3), np.nan, np.float32), None),
        (np.zeros((4, 4, 7), np.uint8), None),
        (np.array(["a"]), None),
        (42, "source_not_supported"),
        (None, None),
    ],
)
def test_bad_sources_are_typed_errors(studio: Studio, source: Any, code: str | None) -> None:
    with pytest.raises((BadImage, BadInput)) as caught:
        studio.upscale(source)
    assert code is None or caught.value.code == code


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("upscale", {"scale": 10**7}),
        ("erase", {}),
        ("erase", {"boxes": ["nan,1,2,3"]}),
        ("erase", {"boxes": [(0, 0, 10, 10)] * 65}),
        ("erase", {"points": [(1, 1)] * 10_001}),
        ("erase", {"points": [(5000, 1)]}),
        ("erase", {"boxes": [(5000, 5000, 6000, 6000)]}),
        ("erase", {"mask": np.zeros((200, 320), np.uint8)}),
        ("erase", {"mask": np.ones((10, 10), np.uint8)}),
        ("erase", {"mask": np.full((200, 320), np.inf, np.float32)}),
        ("erase", {"boxes": [(0, 0, 9, 9)], "seed": 2**63}),
        ("erase", {"boxes": [(0, 0, 9, 9)], "hint": {"kind": "nonsense"}}),
        ("erase", {"boxes": [(0, 0, 9, 9)], "model": "../../etc/passwd"}),
        ("cutout", {"box": (5, 5, 5, 9)}),
        ("resize", {"width": 10**9, "height": 10**9}),
        ("resize", {"width": -1}),
        ("gate", {}),
    ],
)
def test_bad_parameters_are_typed_errors(studio: Studio, burnt: Any, method: str, values: dict[str, Any]) -> None:
    """Bad inputs 23–29 and 31 of the list, as they reach the library."""
    with pytest.raises(GessoError) as caught:
        getattr(studio, method)(burnt, **values)
    assert isinstance(caught.value, BadInput)
    assert caught.value.code not in ("error", "engine_failed")
    assert caught.value.message


def test_all_faults_at_once(studio: Studio, burnt: Any) -> None:
    with pytest.raises(BadParams) as caught:
        studio.erase(burnt, boxes=["x"], feather_px=10**9, seed="abc", nonsense=1)
    assert len(caught.value.faults) >= 4


def test_progress_and_cancellation(studio: Studio, burnt: Any) -> None:
    seen: list[float] = []

    def stop(fraction: float, message: str) -> None:
        seen.append(fraction)
        if len(seen) > 1:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        studio.upscale(burnt, scale=4, on_step=stop)
    assert all(0 <= f <= 1 for f in seen)


def test_unknown_names_are_attribute_errors_with_a_suggestion(studio: Studio) -> None:
    with pytest.raises(AttributeError, match="remove_text"):
        studio.remove_txt  # noqa: B018
