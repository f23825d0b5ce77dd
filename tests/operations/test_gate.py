import cv2
import numpy as np
import pytest
from skimage import data

from gesso.contracts.context import Context
from gesso.contracts.errors import BadInput, BadParams
from gesso.contracts.fields import fields_of
from gesso.contracts.model import validated
from gesso.contracts.picture import Picture
from gesso.contracts.tools import Tools
from gesso.operations.gate import GATE, GateResult, field_of
from gesso.quality.catalogue import GATES

COFFEE = np.ascontiguousarray(data.coffee()[:200, :240])


def judged(**values: object) -> GateResult:
    return GATE.run(validated(GATE.params, values), Tools(), Context())


def sharpened() -> np.ndarray:
    plane = COFFEE.astype(np.float32)
    return np.clip(plane + 2 * (plane - cv2.GaussianBlur(plane, (0, 0), 2)), 0, 255).astype(np.uint8)


def test_every_gate_has_its_flag() -> None:
    flags = {f.flag for f in fields_of(GATE.params)}
    assert {"--max-halo", "--min-psnr", "--max-seam", "--max-outside-mask", "--max-residual-text"} <= flags
    assert all(field_of(gate) in GATE.params.model_fields for gate in GATES)


def test_passes_when_every_limit_is_kept() -> None:
    found = judged(image=Picture(COFFEE), before=Picture(COFFEE), max_halo=1.0, min_psnr=40, max_noise=20)
    assert found.passed and [v.gate for v in found.verdicts] == ["halo", "noise", "psnr"]
    assert [v.limit for v in found.verdicts] == [1.0, 20.0, 40.0]


def test_one_broken_limit_fails_it() -> None:
    found = judged(image=Picture(sharpened()), before=Picture(COFFEE), max_halo=4.0, min_ssim=0.1)
    assert not found.passed
    assert {v.gate: v.passed for v in found.verdicts} == {"halo": False, "ssim": True}


def test_no_limits_and_missing_evidence_are_errors() -> None:
    with pytest.raises(BadParams) as none:
        judged(image=Picture(COFFEE))
    assert none.value.code == "no_limits" and "max_halo" in none.value.hint
    with pytest.raises(BadInput) as caught:
        judged(image=Picture(COFFEE), max_seam=2)
    assert caught.value.code == "gate_not_applicable" and caught.value.field == "max_seam"
    assert "'mask' is missing" in caught.value.message
    with pytest.raises(BadInput, match="no engine offers TextDetector"):
        judged(image=Picture(COFFEE), max_residual_text=0)


def test_unknown_limits_and_nan_are_refused() -> None:
    with pytest.raises(BadParams) as caught:
        judged(image=Picture(COFFEE), max_beauty=1, max_halo=float("nan"))
    assert {f.code for f in caught.value.faults} == {"unknown_field", "not_finite"}
