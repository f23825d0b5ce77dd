import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.gate import Evidence
from gesso.contracts.mask import Mask
from gesso.contracts.picture import Picture
from gesso.quality.catalogue import GATES


def test_gates_are_named_once_and_described() -> None:
    names = [gate.id for gate in GATES]
    assert len(names) == len(set(names)) >= 10
    for gate in GATES:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", gate.id)
        assert gate.title and gate.summary.endswith(".") and len(gate.summary) > 30


def test_a_gate_says_what_it_requires() -> None:
    picture = Picture(np.zeros((32, 32, 3), np.uint8))
    mask = Mask.of(np.eye(32, dtype=np.float32))
    for gate in GATES:
        given_all = {"before": picture, "mask": mask}
        if not gate.needs:
            assert gate.judge(Evidence(picture, **given_all)) is not None, gate.id
        for missing in gate.requires:
            assert gate.judge(Evidence(picture, **{**given_all, missing: None})) is None, (gate.id, missing)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 20), st.integers(1, 3), st.booleans())
def test_no_picture_breaks_a_gate(seed: int, height: int, width: int, factor: int, alpha: bool) -> None:
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 256, (height, width, 4 if alpha else 3), dtype=np.uint8)
    after = rng.integers(0, 65536, (height * factor, width * factor, 3), dtype=np.uint16)
    mask = Mask.of(rng.random((height * factor, width * factor), dtype=np.float32))
    for gate in GATES:
        if not gate.needs:
            verdict = gate.judge(Evidence(Picture(after), Picture(before), mask))
            assert verdict is None or np.isfinite(verdict.value), gate.id
