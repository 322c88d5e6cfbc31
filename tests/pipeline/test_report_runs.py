"""Verb `report` of several runs: what compares and what does not is said."""

import shutil
from pathlib import Path

import pytest

from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.report_runs import compared, flat, read
from kdsearch.report.runs import OTHER_IMAGES, differing, groups, warnings
from kdsearch.rundir import RunDir


def another(run: RunDir, name: str) -> RunDir:
    root = run.root.parent.parent / name / run.root.name
    shutil.copytree(run.root, root, symlinks=True)
    return RunDir(root)


def test_runs_of_the_same_name_are_told_by_their_paths(copied: RunDir) -> None:
    rows = list(read([copied, another(copied, "b")]))
    assert [one.name for one in rows] == [str(copied.root), rows[1].name]
    assert len({one.name for one in rows}) == 2


def test_hypervolumes_compare_where_the_box_is_the_same(copied: RunDir) -> None:
    b, c = another(copied, "b"), another(copied, "c")
    front = read_json(c.front)
    moved = {**front["reference_point"], "macs": 1.0}
    write_json(c.front, {**front, "reference_point": moved})
    rows = list(read([copied, b, c]))
    assert groups(rows) == [[rows[0].name, rows[1].name], [rows[2].name]]


def test_settings_that_differ_are_told_and_no_others(copied: RunDir) -> None:
    b = another(copied, "b")
    text = b.config.read_text()
    assert "trials: 8" in text
    b.config.write_text(text.replace("trials: 8", "trials: 9"))
    assert differing(list(read([copied, b]))) == {"search.trials": ["8", "9"]}


def test_flat() -> None:
    content = {"a": {"b": {"c": 1}, "d": []}, "e": {}, "f": None}
    assert dict(flat(content)) == {"a.b.c": "1", "a.d": "[]", "e": "{}", "f": "not set"}


def test_a_run_without_a_front_is_no_obstacle(copied: RunDir, tmp_path: Path) -> None:
    b = another(copied, "b")
    b.front.unlink()
    rows = list(read([copied, b]))
    said = list(warnings(rows))
    assert [line for line in said if "has no front yet" in line] and OTHER_IMAGES not in said
    page = compared([copied, b], tmp_path / "both.html").read_text()
    assert "has no front yet" in page


def test_mistakes_are_one_line(copied: RunDir, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="named more than once"):
        compared([copied, RunDir(copied.root / ".." / copied.root.name)], tmp_path / "x.html")
    with pytest.raises(UserError, match="a folder; --to names a file"):
        compared([copied, another(copied, "b")], tmp_path)
    with pytest.raises(RunError, match="no run here"):
        compared([copied, RunDir(tmp_path / "none")], tmp_path / "x.html")
