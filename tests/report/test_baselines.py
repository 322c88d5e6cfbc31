"""The section on simpler searches, and how far the trials of a search came."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kdsearch.report.baselines import baselines, figures, spread
from kdsearch.report.page import page
from kdsearch.report.searched import rungs_climbed, what_was_searched
from kdsearch.report.summary import RungRow, Summary


def arm(name: str, says: str | None = None, **changed: Any) -> dict[str, Any]:
    known = {"mean": 0.02, "ci95": [-0.01, 0.05], "says": says}
    return {
        "name": name, "about": f"about <{name}>", "volumes": [0.8, 0.9], "mean": 0.85,
        "ci95": [0.8, 0.9], "trials": [40, 52], "complete": [9, 8],
        "device_seconds": [30.0, 65.0], "short": ["", ""],
        **({} if says is None else {"difference": known}), **changed,
    }  # fmt: skip


CONTENT = {
    "seeds": 2,
    "device_seconds": 30.0,
    "arms": [arm("search"), arm("random", "says nothing")],
    "skipped": {"no-teacher": "the search has no other method"},
}


def test_figures_have_their_interval() -> None:
    assert list(figures(CONTENT)) == [
        ("search", "0.8500 (0.8000 to 0.9000)", "", "", "40, 52", "30 s, 1 min 05 s"),
        (
            "random",
            "0.8500 (0.8000 to 0.9000)",
            "+0.0200 (-0.0100 to +0.0500)",
            "says nothing",
            "40, 52",
            "30 s, 1 min 05 s",
        ),
    ]
    assert spread({"mean": 0.5, "ci95": None}, ".2f") == "0.50"


def test_the_section_says_what_may_be_claimed(example: Callable[..., Summary]) -> None:
    html = str(baselines(CONTENT))
    assert "about &lt;random&gt;" in html and "about <random>" not in html
    assert "says nothing" in html and "where it holds zero, nothing is claimed" in html
    assert "Left out: no-teacher, the search has no other method." in html
    title = "Is the search better than simpler ones?"
    assert title in page(replace(example(), baselines=CONTENT))
    assert title not in page(example())


CLIMBED = (
    RungRow(0, 60, None, "they rank alike only in part", 0.41),
    RungRow(1, 31, 125.5, "not known yet"),
    RungRow(2, 9, 61.0),
)


def test_rungs_with_their_trials_and_their_device_time(
    example: Callable[..., Summary],
) -> None:
    search = example().search
    assert search is not None
    told = replace(search, rungs=(0.1, 0.3, 1.0), climbed=CLIMBED)
    html = str(rungs_climbed(told))
    for words in (
        "inherited weights", "10 % of full distillation", "30 % of full distillation", "60",
        "2 min 06 s", "they rank alike only in part", "tau 0.41", "not known yet",
    ):  # fmt: skip
        assert words in html
    assert html.count("tau") == 1
    assert rungs_climbed(search) == rungs_climbed(None) == ""
    assert "How far trials came" in page(replace(example(), search=told))


def test_what_ended_a_search_is_a_fact_of_it(example: Callable[..., Summary]) -> None:
    search = example().search
    assert search is not None
    assert "ended by" not in str(what_was_searched(search))
    ended = replace(search, ended_by="search.patience: 40 trials that did not add to the front")
    assert "40 trials that did not add to the front" in str(what_was_searched(ended))
