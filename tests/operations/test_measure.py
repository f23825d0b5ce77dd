import json

import numpy as np
import pytest
from skimage import data

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, BadParams
from gesso.contracts.mask import Mask
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.operations.measure import MEASURE, MeasureResult
from gesso.quality.catalogue import GATES

COFFEE = np.ascontiguousarray(data.coffee()[:200, :240])


def measured(**values: object) -> MeasureResult:
    return MEASURE.run(validated(MEASURE.params, values), Tools(), Context())


def test_a_picture_alone_gets_what_applies_and_hears_what_does_not() -> None:
    found = measured(image=Picture(COFFEE))
    assert {f.id for f in found.figures} == {"halo", "blocking", "sharpness", "noise"}
    (notice,) = found.notices
    assert notice.code == "not_measured" and "psnr ('reference' is missing)" in notice.message
    assert "residual_text (no engine offers TextDetector)" in notice.message


def test_with_reference_and_mask_everything_without_an_engine_is_measured() -> None:
    mask = Mask.of(np.pad(np.ones((40, 40), np.float32), ((60, 100), (80, 120))))
    found = measured(image=Picture(COFFEE), reference=Picture(COFFEE), mask=mask)
    assert [f.id for f in found.figures] == [g.id for g in GATES if not g.needs]
    figures = {f.id: f for f in found.figures}
    assert figures["psnr"].value == 100.0 and figures["psnr"].passed and figures["psnr"].unit == "dB"
    assert figures["outside_mask"].value == 0.0
    json.dumps([f.model_dump() for f in found.figures])


def test_only_named_measures_are_made() -> None:
    found = measured(image=Picture(COFFEE), measures=("noise", "sharpness"))
    assert [f.id for f in found.figures] == ["sharpness", "noise"] and not found.notices


def test_a_named_measure_without_its_evidence_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        measured(image=Picture(COFFEE), measures=("ssim",))
    assert caught.value.code == "measure_not_applicable" and "'reference' is missing" in caught.value.message
    with pytest.raises(BadInput, match="another frame"):
        measured(image=Picture(COFFEE), reference=Picture(COFFEE[:, :100]), measures=("ssim",))


def test_bad_params_are_refused() -> None:
    with pytest.raises(BadParams) as caught:
        measured(image=Picture(COFFEE), measures=("beauty",))
    assert caught.value.code == "not_a_choice"
    with pytest.raises(BadInput) as other:
        measured(image=Picture(COFFEE), mask=Mask.of(np.zeros((2, 2), np.float32)))
    assert other.value.code == "mask_size"
