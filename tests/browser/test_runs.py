"""Several runs on one page in a real browser."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from kdsearch.errors import BudgetError
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.query import asked
from kdsearch.pipeline.report_runs import compared
from kdsearch.rundir import RunDir

SET = """
const field = document.querySelector('[data-bound=macs] input[type=text]');
field.value = arguments[0];
field.dispatchEvent(new Event("input", { bubbles: true }));
"""
LIT = """
return [0, 1].map((run) =>
  [...document.querySelectorAll(`#decide .candidate.within[data-run="${run}"]`)].map(
    (one) => one.dataset.student,
  ),
);
"""


@pytest.fixture
def other(copied: RunDir, tmp_path: Path) -> RunDir:
    """Of another name, with fewer students."""
    root = tmp_path / "other"
    shutil.copytree(copied.root, root, symlinks=True)
    found = RunDir(root)
    front = read_json(found.front)
    write_json(found.front, {**front, "points": front["points"][1:]})
    return found


def within(run: RunDir, text: str) -> set[str]:
    try:
        found = asked(run, [f"macs={text}"], [])
    except BudgetError:
        return set()
    return {found.student["id"], *found.others}


def test_one_budget_is_asked_of_every_run(
    browser: Any, copied: RunDir, other: RunDir, tmp_path: Path
) -> None:
    browser.open(compared([copied, other], tmp_path / "both.html"))
    assert browser.run(LIT) == [
        [p["id"] for p in read_json(run.front)["points"]] for run in (copied, other)
    ]
    sizes = sorted(p["macs"] for p in read_json(copied.front)["points"])
    for text in [f"{size:g}" for size in sizes] + ["50%", "2%", "1"]:
        browser.run(SET, text)
        lit = [set(one) for one in browser.run(LIT)]
        assert lit == [within(copied, text), within(other, text)], text
        rows = browser.run(
            "return [...document.querySelectorAll('.answers tbody tr')].map((r) => r.innerText)"
        )
        assert len(rows) == 2
        for run, row in zip((copied, other), rows, strict=True):
            expected = within(run, text)
            best = asked(run, [f"macs={text}"], []).student["id"] if expected else "No student"
            assert best in row
    assert browser.complaints() == [] and browser.requests() == []


def test_it_fits_a_phone_and_has_no_dead_links(
    browser: Any, copied: RunDir, other: RunDir, tmp_path: Path
) -> None:
    browser.size(360, 780)
    browser.open(compared([copied, other], tmp_path / "both.html"))
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.run("return document.documentElement.scrollWidth") <= 360
    assert browser.all("#decide a[href]", "href") == []
