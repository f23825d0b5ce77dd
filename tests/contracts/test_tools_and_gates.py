"""Tools, contexts, gates, provenance."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from gesso.contracts.capabilities import TextDetector, Upscaler
from gesso.contracts.context import Context
from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import BadInput, Cancelled, Unavailable
from gesso.contracts.gate import Evidence, Gate, Measurement
from gesso.contracts.picture import Picture
from gesso.contracts.provenance import SCHEMA_VERSION, Provenance, read_provenance
from gesso.contracts.tools import Offer, Tools, tools_of


@dataclass
class Engine:
    name: str

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(id=self.name, version=1)


def test_engines_are_built_once_and_in_order() -> None:
    built: list[str] = []

    def build(name: str) -> Engine:
        built.append(name)
        return Engine(name)

    tools = Tools(
        (
            Offer(Upscaler, "big", lambda: build("big"), lambda: "weights are missing: gesso models pull big"),
            Offer(Upscaler, "small", lambda: build("small")),
        )
    )
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda _: tools.one(Upscaler), range(32)))
    assert built == ["small"]
    assert {id(e) for e in engines} == {id(engines[0])}
    assert len(tools.all(Upscaler)) == 1


def test_a_missing_capability_says_why() -> None:
    tools = Tools((Offer(TextDetector, "ocr", lambda: Engine("ocr"), lambda: "install rapidocr"),))
    assert tools.find(TextDetector) is None
    with pytest.raises(Unavailable, match="TextDetector") as caught:
        tools.one(TextDetector)
    assert "install rapidocr" in caught.value.hint
    assert caught.value.exit_code == 3


def test_recording_views_do_not_mix() -> None:
    tools = tools_of({Upscaler: Engine("u"), TextDetector: Engine("t")})
    one, two = tools.recording(), tools.recording()
    one.one(Upscaler)
    two.one(TextDetector)
    two.one(TextDetector)
    assert [i.id for i in one.used] == ["u"]
    assert [i.id for i in two.used] == ["t"]
    assert tools.used == ()


def test_context_parts_compose_and_cancel() -> None:
    seen: list[float] = []
    context = Context(lambda fraction, message: seen.append(fraction))
    inner = context.part(0.5, 1.0).part(0.0, 0.5)
    inner.progress(0.0)
    inner.progress(1.0)
    inner.progress(7.0)
    assert seen == [0.5, 0.75, 0.75]
    with pytest.raises(Cancelled):
        Context(cancelled=lambda: True).part(0, 1).progress(0.5)


@pytest.mark.parametrize(
    ("better", "value", "passed"), [("lower", 1.0, True), ("lower", 1.1, False), ("higher", 0.9, False)]
)
def test_gates_judge_in_their_direction(better: str, value: float, passed: bool) -> None:
    gate = Gate("g", "G", "", "", better, 1.0, lambda _: Measurement(value))  # type: ignore[arg-type]
    verdict = gate.judge(Evidence(Picture(np.zeros((1, 1, 3), np.uint8))))
    assert verdict is not None
    assert verdict.passed is passed
    never = Gate("g", "G", "", "", "lower", 1.0, lambda _: None)
    assert never.judge(Evidence(Picture(np.zeros((1, 1, 3), np.uint8)))) is None


def test_provenance_round_trip_and_refusals() -> None:
    record = Provenance(gesso="0.1.0", created="2026-11-21T00:00:00Z", output_sha256="ab")
    assert read_provenance(record.model_dump_json()) == record
    newer = json.dumps({**record.model_dump(mode="json"), "schema_version": SCHEMA_VERSION + 1})
    for text, code in (
        ("{", "provenance_invalid"),
        ("[" * 100_000, "provenance_invalid"),
        ("[]", "provenance_invalid"),
        ('{"schema_version": "1"}', "provenance_invalid"),
        ('{"schema_version": 1, "evil": 1}', "provenance_invalid"),
        (newer, "provenance_too_new"),
    ):
        with pytest.raises(BadInput) as caught:
            read_provenance(text)
        assert caught.value.code == code
