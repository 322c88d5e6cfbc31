"""The section of a page that says what mattered."""

import re
from dataclasses import replace
from typing import Any

from kdsearch.report.importance import importance
from kdsearch.report.page import page


def axis(name: str, share: float, *, told: bool = True) -> dict[str, Any]:
    ends = [share - 0.1, share + 0.1]
    return {"axis": name, "part": "architecture", "share": share, "ci95": ends,
            "chance": 0.1, "above_chance": told}  # fmt: skip


def entry(**changed: Any) -> dict[str, Any]:
    parts = [{"part": "architecture", "share": 0.7, "ci95": [0.6, 0.8], "above_chance": True}]
    whole = {"objective": "accuracy", "rung": 1, "trials": 24, "needed": 10, "parts": parts,
             "axes": [axis("stage1.width", 0.6), axis("method", 0.05, told=False)],
             "within": {}}  # fmt: skip
    return {**whole, **changed}


def test_bars_are_as_long_as_their_shares() -> None:
    drawn = importance([entry()])
    assert "<h3>Accuracy at rung 1, 24 trials</h3>" in drawn
    assert re.findall(r'width="([\d.]+)%" height="8" rx="2" class="(\w+)"', drawn) == [
        ("100", "track"), ("60.00", "length"), ("100", "track"), ("5.00", "unsure"),
    ]  # fmt: skip
    assert "Together: architecture 70 %." in drawn


def test_intervals_stay_on_the_scale() -> None:
    drawn = importance([entry(axes=[axis("a", 0.95), axis("b", 0.05)])])
    spans = re.findall(r'x="([\d.]+)%" y="10" width="([\d.]+)%"', drawn)
    assert [(float(x), float(x) + float(w)) for x, w in spans] == [(85, 100), (0, 15)]


def test_a_methods_own_knobs_stand_under_it() -> None:
    inner = {"trials": 12, "needed": 10, "axes": [axis("soften.weight", 0.4)], "parts": []}
    silent = {"trials": 3, "needed": 10, "axes": [], "parts": []}
    drawn = importance([entry(within={"soften": inner, "dist": silent})])
    assert "Within soften, 12 trials:" in drawn and ">weight</th>" in drawn
    assert "dist" not in drawn


def test_an_objective_with_too_few_trials_is_left_out() -> None:
    drawn = importance([entry(), entry(objective="macs", rung=None, axes=[])])
    assert drawn.count("<h3>") == 1
    cost = importance([entry(objective="latency_ms", rung=None)])
    assert "<h3>Latency p50, 24 architectures</h3>" in cost


def test_the_page_has_the_section_where_there_is_enough(example: Any) -> None:
    assert "What mattered" not in page(example())
    assert "What mattered" in page(replace(example(), importance=(entry(),)))


def test_names_are_escaped() -> None:
    assert "<b>" not in importance([entry(axes=[axis("<b>x", 0.5)])])
