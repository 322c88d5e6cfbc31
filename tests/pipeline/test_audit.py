"""An audit of a small real run: every student trained alone, twice, and what is made of it."""

import json
import shutil
from pathlib import Path

import pytest

from kdsearch.cli import main
from kdsearch.core.progress import Silent
from kdsearch.core.space import Choice, Space
from kdsearch.errors import RunError, UserError
from kdsearch.pipeline.audit import audit, content_of, drawn
from kdsearch.pipeline.report import reported
from kdsearch.rundir import RunDir


@pytest.fixture(scope="module")
def run(finished: RunDir, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A copy, in whose page an audit may appear."""
    root = tmp_path_factory.mktemp("audited") / "run"
    shutil.copytree(finished.root, root, symlinks=True)
    return RunDir(root)


def test_students_are_trained_alone_and_their_order_compared(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(run.root), "--students", "8", "--seeds", "2"]) == 0
    printed = capsys.readouterr().out
    content = json.loads(run.audit.read_text())
    assert content["verdict"] in printed and "multiply-accumulates" in printed
    assert content["students"] == 8 and content["failed"] == []
    for row in content["rows"]:
        assert 0 <= row["inherited"] <= 1 and len(row["standalone"]) == 2
        assert row["params"] > 0 and row["macs"] > 0
    assert content["ceiling"]["ci95"] is not None
    page = run.report.read_text()
    assert "Can the ranking be trusted?" in page and "drawn from the space" in page


def test_again_trains_nothing_and_another_count_only_the_new(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads(run.audit.read_text())
    done: list[str] = []
    from kdsearch.search.rung import Rungs

    distilled = Rungs.distilled
    monkeypatch.setattr(
        Rungs, "distilled", lambda self, job: (done.append(job.name), distilled(self, job))[1]
    )
    assert audit(run, Silent(), students=8, seeds=2, method="hard") == before
    assert done == []
    more = audit(run, Silent(), students=9, seeds=2, method="hard")
    assert len(done) == 2  # one more student, two seeds
    assert more["rows"][:8] == before["rows"]


def test_the_audit_of_another_supernet_is_not_shown(run: RunDir) -> None:
    content = json.loads(run.audit.read_text())
    assert content["verdict"] in reported(run).read_text()
    run.audit.write_text(json.dumps({**content, "supernet": "another"}))
    page = reported(run).read_text()
    assert content["verdict"] not in page and "Not audited" in page


def test_a_run_that_was_not_audited_says_so(finished: RunDir) -> None:
    assert not finished.audit.exists()
    assert "Not audited" in finished.report.read_text()


def test_what_cannot_be_audited(run: RunDir, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs at least 8 students and 1 seed"):
        audit(run, Silent(), students=7, seeds=2, method="hard")
    with pytest.raises(UserError, match="unknown method 'hrad'"):
        audit(run, Silent(), students=8, seeds=2, method="hrad")
    with pytest.raises(RunError, match="no run here"):
        audit(RunDir(tmp_path), Silent(), students=8, seeds=2, method="hard")


def test_students_are_drawn_without_repetition() -> None:
    space = Space({"width": Choice((1, 2, 3, 4)), "depth": Choice((1, 2, 3, 4))})
    found = drawn(space, 10, 0)
    assert len(set(found)) == 10 and found == drawn(space, 10, 0) != drawn(space, 10, 1)
    assert drawn(space, 12, 0)[:10] == found
    assert len(drawn(space, 100, 0)) == 16


def test_students_that_failed_are_named_and_left_out() -> None:
    rows = [
        {"id": str(n), "inherited": n / 10, "standalone": [n / 10], "params": n, "macs": n}
        for n in range(1, 10)
    ]
    rows[3] = {**rows[3], "standalone": [None]}
    content = content_of(rows, 1, "hard", 0)
    assert content["failed"] == ["4"] and content["students"] == 8
    assert content["tau"]["value"] == 1 and content["ceiling"]["value"] is None
    with pytest.raises(UserError, match="only 7 of 8 students could be trained"):
        content_of(rows[:8], 1, "hard", 0)
