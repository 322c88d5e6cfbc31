"""The index page of a batch: balanced, self-contained, its figures those it was given."""

from html.parser import HTMLParser
from typing import Any

import pytest

from kdsearch.report.batch import page
from kdsearch.report.markup import LEAVES

ATTACK = "</title><script>alert(1)</script>"


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in LEAVES
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def student(name: str, accuracy: float, latency: float) -> dict[str, Any]:
    return {
        "id": name,
        "search_accuracy": accuracy,
        "search_accuracy_ci95": [accuracy - 0.01, accuracy + 0.01],
        "test_accuracy": accuracy,
        "test_accuracy_ci95": [accuracy - 0.02, accuracy + 0.02],
        "params": 1200.0,
        "macs": 3.4e6,
        "latency_ms": latency,
        "latency_p95_ms": 2 * latency,
        "busy": False,
    }


def cell(name: str, state: str = "done", **more: Any) -> dict[str, Any]:
    points = [student("s1", 0.91, 0.1), student("s2", 0.9234, 0.25)]
    found = {"best": points[1], "points": points, "students": 2, "has_report": True}
    if state != "done":
        found = {"best": None, "points": [], "students": 0, "has_report": False}
    return {
        "name": name,
        "folder": f"cells/{name}",
        "state": state,
        "reason": "",
        "seconds": 90.0,
        "data": "digits",
        "teacher": "plain",
        "space": "resnet-tiny",
        "budget": "none",
        "data_hash": "abc",
        "target": "eager, 1 thread, batch 1",
        **found,
        **more,
    }


def content(*cells: dict[str, Any], best: Any = ()) -> dict[str, Any]:
    return {
        "kdsearch_version": "0",
        "batch": "many",
        "cells": list(cells),
        "best": list(best),
        "warnings": [],
    }


def read(html: str) -> Balanced:
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    return parser


def test_a_page_is_whole_and_loads_nothing() -> None:
    chosen = {
        **student("s2", 0.9234, 0.25),
        "data": "digits",
        "target": "eager, 1 thread, batch 1",
        "budget": "params <= 20%",
        "of": 2,
        "cell": "a",
        "next": {"cell": "b", **student("s1", 0.911, 0.1)},
    }
    failed = cell("c", "failed", reason="killed by SIGKILL")
    html = page(content(cell("a"), cell("b"), failed, best=[chosen]), "now")
    found = read(html)
    assert set(found.links) == {"data:,", "cells/a/report.html", "cells/b/report.html"}
    assert "script" not in found.seen
    assert found.seen.count("path") == 4  # two fronts, against latency and size
    for words in ("92.3 %", "91.3 – 93.3", "250 µs", "params &lt;= 20%", "killed by SIGKILL"):
        assert words in html
    assert "91.1 %, 90.1 – 92.1" in html
    assert "2 of 3 searches came to a front." in html


def test_a_front_of_other_images_is_drawn_apart() -> None:
    html = page(content(cell("a"), cell("b", data_hash="other"), cell("c", target="x")), "now")
    assert html.count("Search accuracy against latency p50") == 3


@pytest.mark.parametrize("number", [0, 1, 40])
def test_any_number_of_cells_has_a_page(number: int) -> None:
    read(page(content(*(cell(f"cell-{n}") for n in range(number))), "now"))


def test_nothing_in_a_page_is_obeyed() -> None:
    html = page(content(cell(ATTACK), cell("b", "failed", reason=ATTACK)), "now")
    assert "script" not in read(html).seen
    assert "<script" not in html
