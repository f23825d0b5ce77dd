from __future__ import annotations

import errno

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gesso.cli.errors import exit_code_of, problem_of, storage_error
from gesso.contracts.errors import BadParams, Fault, GateFailed, PolicyRefused, Unavailable


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (Unavailable("x"), "unavailable", 3),
        (PolicyRefused("x"), "policy_refused", 5),
        (GateFailed("x"), "gate_failed", 1),
        (MemoryError(), "out_of_memory", 4),
        (KeyboardInterrupt(), "cancelled", 130),
        (click.Abort(), "cancelled", 130),
        (click.UsageError("x"), "usage", 2),
        (BadParams((Fault("a", "too_large", "is too large"),)), "too_large", 2),
        (OSError(errno.ENOSPC, "No space"), "storage_full", 1),
        (PermissionError(errno.EACCES, "no"), "permission_denied", 1),
        (ValueError("one\ntwo"), "internal_error", 1),
        (RecursionError(), "internal_error", 1),
    ],
)
def test_every_error_becomes_a_problem(error: BaseException, code: str, exit_code: int) -> None:
    problem = problem_of(error)
    assert (problem.code, problem.exit_code) == (code, exit_code)
    assert problem.lines()[0].startswith("error: ") and problem.details["code"] == code
    assert all("\n" not in line for line in problem.lines())


def test_where_it_happened_is_said() -> None:
    error = GateFailed("too bright")
    error.add_note("in step b")
    assert "in step b" in problem_of(error).lines()[0]
    assert problem_of(error).details["where"] == "in step b"


def test_several_faults_stand_on_lines_of_their_own() -> None:
    lines = problem_of(BadParams((Fault("--a", "x", "bad"), Fault("--b", "y", "worse")))).lines()
    assert lines[1:3] == ("  --a: bad [x]", "  --b: worse [y]")


def test_unknown_system_errors_keep_their_sentence() -> None:
    assert storage_error(OSError(errno.EIO, "Input/output error"), "f").message == "f: Input/output error"


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 130]), max_size=6), st.booleans())
def test_exit_code_of_a_run(codes: list[int], cancelled: bool) -> None:
    code = exit_code_of(codes, cancelled=cancelled)
    if cancelled or 130 in codes:
        assert code == 130
    elif not any(codes):
        assert code == 0
    else:
        assert code == (codes[0] if len(set(codes)) == 1 else 1)
