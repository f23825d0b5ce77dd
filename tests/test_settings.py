from __future__ import annotations

import pytest

from gesso.contracts.errors import BadParams
from gesso.settings import Settings, read_settings


def test_nested_names_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GESSO_LIMITS__MAX_PIXELS", "100")
    assert read_settings().limits.max_pixels == 100
    assert read_settings().limits.max_side == Settings().limits.max_side > 100


@pytest.mark.parametrize("name", ["MAX_PIXELS", "MAX_SIDE", "MAX_BYTES", "DECODE_SECONDS", "DECODE_MEMORY"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "rubbish", ""])
def test_limits_without_meaning_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GESSO_LIMITS__{name}", value)
    with pytest.raises(BadParams) as refused:
        read_settings()
    assert refused.value.code == "bad_settings" and refused.value.exit_code == 2
    assert refused.value.faults[0].field == f"GESSO_LIMITS__{name}"


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GESSO_STORE_BYTES", "-1")
    monkeypatch.setenv("GESSO_THREADS", "many")
    with pytest.raises(BadParams) as refused:
        read_settings()
    assert {f.field for f in refused.value.faults} == {"GESSO_STORE_BYTES", "GESSO_THREADS"}


def test_lists_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GESSO_RECIPES", "recipes")
    with pytest.raises(BadParams, match="recipes") as refused:
        read_settings()
    assert refused.value.hint
