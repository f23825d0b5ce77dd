"""Shared set-up: passive threads before anything heavy is imported, and the `fast` subset by folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

HERE = Path(__file__).parent
FAST = ("contracts", "recipes", "storage", "cli", "quality", "test_house_rules.py", "test_one_declaration.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make check` runs what is marked fast: whole folders, less what is marked slow."""
    for item in items:
        part = item.path.relative_to(HERE).parts[0]
        if part in FAST and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.fast)


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's step store."""
    monkeypatch.setenv("GESSO_STORE", str(tmp_path_factory.mktemp("store")))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With ``CI=true`` nothing may be skipped: what is missing must be installed, not passed over."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI: {report.longrepr}"
