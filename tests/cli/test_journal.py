from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.cli.inputs import expand
from gesso.cli.journal import Journal, key_of
from tests.cli.conftest import Gesso


def test_finished_items_are_known_again(tmp_path: Path) -> None:
    out = tmp_path / "o.png"
    out.write_bytes(b"abc")
    with Journal(tmp_path / "j", resume=False) as journal:
        journal.start("k")
        journal.start("half")
        journal.finish("k", {"status": "done"}, (out,))
    with Journal(tmp_path / "j", resume=True) as journal:
        found = journal.finished("k")
        assert found is not None and found["status"] == "done"
        assert journal.finished("half") is None and journal.interrupted("half")
        out.write_bytes(b"changed")
        assert journal.finished("k") is None
        out.unlink()
        assert journal.finished("k") is None
    with Journal(tmp_path / "j", resume=False) as journal:
        assert journal.finished("k") is None and not journal.interrupted("half")


@settings(max_examples=40)
@given(st.binary(max_size=60))
def test_torn_and_foreign_lines_are_ignored(tmp_path_factory: pytest.TempPathFactory, torn: bytes) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    with Journal(path, resume=False) as journal:
        journal.finish("k", {"status": "done"}, ())
    with path.open("ab") as file:
        file.write(torn)
    with Journal(path, resume=True) as journal:
        assert journal.finished("k") is not None
        journal.finish("m", {"status": "done"}, ())
    with Journal(path, resume=True) as journal:
        assert journal.finished("m") is not None


def test_entries_of_wrong_shape(tmp_path: Path) -> None:
    rows = [1, [], {"key": []}, {"event": "finished", "key": "k", "report": 1, "files": {}}]
    rows += [{"event": "finished", "key": "k", "report": {}, "files": 3}, {"event": "started", "key": {"a": 1}}]
    (tmp_path / "j").write_text("\n".join(map(json.dumps, rows)) + "\n" + "[" * 20_000)
    with Journal(tmp_path / "j", resume=True) as journal:
        assert journal.finished("k") is None


def test_runs_at_the_same_time_share_it_and_the_last_removes_it(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j", resume=False)
    second = Journal(tmp_path / "j", resume=False)
    first.finish("a", {"status": "done"}, ())
    second.finish("b", {"status": "done"}, ())
    first.close(keep=False)
    second.finish("c", {"status": "done"}, ())
    third = Journal(tmp_path / "j", resume=True)
    assert all(third.finished(key) is not None for key in "abc")
    second.close(keep=False)
    assert (tmp_path / "j").exists()
    third.close(keep=False)
    assert not (tmp_path / "j").exists()
    third.close(keep=True)


def test_keys_follow_file_parameters_and_versions(folder: Path) -> None:
    (item,) = expand(["in/a.png"], verb="v")
    key = key_of(item, {"version": 1, "params": {"a": 1}})
    assert key == key_of(item, {"params": {"a": 1}, "version": 1})
    assert key != key_of(item, {"version": 2, "params": {"a": 1}})
    assert key != key_of(item, {"version": 1, "params": {"a": 2}})
    with (folder / "in" / "a.png").open("ab") as file:
        file.write(b"x")
    assert key != key_of(item, {"version": 1, "params": {"a": 1}})


def test_resuming_never_replaces_an_output_that_someone_changed(gesso: Gesso, folder: Path) -> None:
    (folder / "in" / "bad.png").write_bytes(b"no picture")
    assert gesso("paint-over", "in", "-o", "out").code == 1
    mine = folder / "out" / "a.paint-over.png"
    mine.write_bytes(b"retouched by hand")
    said = gesso("paint-over", "in", "-o", "out", "--resume", "--json")
    assert mine.read_bytes() == b"retouched by hand", said.everything
    named = gesso("paint-over", "in/a.png", "in/bad.png", "-o", "out", "--no-skip-existing", "--json")
    assert named.lines[0]["error"]["code"] == "output_exists"
