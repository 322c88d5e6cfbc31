"""A run's page in a real browser: a slider moves, the right students light up."""

import json
import random
import shlex
from pathlib import Path
from typing import Any

import pytest

from kdsearch.arguments import parser
from kdsearch.core.amounts import UNITS
from kdsearch.core.budget import COSTS
from kdsearch.core.quantities import plain_number
from kdsearch.errors import BudgetError
from kdsearch.files import read_json
from kdsearch.pipeline.query import asked
from kdsearch.pipeline.query_words import sure
from kdsearch.pipeline.report import reported
from kdsearch.rundir import RunDir

LIT = "#decide .candidate.within"
LEFT, RIGHT, HOME, ENTER = "\ue012", "\ue014", "\ue011", "\ue007"
SET = """
const field = document.querySelector(`[data-bound="${arguments[0]}"] input[type=text]`);
field.value = arguments[1];
field.dispatchEvent(new Event("input", { bubbles: true }));
"""
MOVE = """
const slider = document.querySelector(`[data-bound="${arguments[0]}"] input[type=range]`);
slider.value = arguments[1];
slider.dispatchEvent(new Event("input", { bubbles: true }));
return document.querySelector(`[data-bound="${arguments[0]}"] input[type=text]`).value;
"""
SAID = """
const lit = [...document.querySelectorAll("#decide .candidate.within")];
const command = document.querySelector("#decide .command input");
return {
  lit: lit.map((one) => one.dataset.student),
  best: document.querySelector("#decide .candidate.best")?.dataset.student ?? null,
  rows: [...document.querySelectorAll(".students tr.out")].map((one) => one.id),
  verdict: document.querySelector("#decide .verdict").innerText,
  command: command && command.value,
};
"""


@pytest.fixture
def page(browser: Any, finished: RunDir) -> Any:
    """The finished run's page, without the trials of other tests' zooming."""
    if not finished.report.exists():
        reported(finished)
    browser.open(finished.report)
    return browser


def answer(run: RunDir, upper: list[str], lower: list[str]) -> tuple[str | None, set[str]]:
    """The best student and all within, by `kdsearch query`."""
    try:
        found = asked(run, upper, lower)
    except BudgetError:
        return None, set()
    return found.student["id"], {found.student["id"], *found.others}


def ends(points: list[dict[str, Any]], name: str) -> tuple[float, float]:
    values = [p["search_accuracy"] if name == "accuracy" else p["costs"][name] for p in points]
    return min(values), max(values)


def test_the_front_takes_the_place_of_its_picture(page: Any, finished: RunDir) -> None:
    ids = {p["id"] for p in read_json(finished.front)["points"]}
    assert set(page.all("#decide .candidate", "data-student")) == ids
    assert page.run("return document.querySelector('.static-front').offsetParent === null")
    assert page.complaints() == [] and page.requests() == []


def test_a_slider_moves_and_the_right_students_light_up(page: Any, finished: RunDir) -> None:
    for place in (2, 30, 55, 80, 99):
        text = page.run(MOVE, "macs", place)
        best, within = answer(finished, [f"macs={text}"], [])
        said = page.run(SAID)
        assert (said["best"], set(said["lit"])) == (best, within), text
        assert len(said["rows"]) == len(read_json(finished.front)["points"]) - len(within)
    assert page.run(MOVE, "macs", 100) == ""
    ids = {p["id"] for p in read_json(finished.front)["points"]}
    assert set(page.run(SAID)["lit"]) == ids
    text = page.run(MOVE, "accuracy", 60)
    best, within = answer(finished, [], [f"accuracy={text}"])
    said = page.run(SAID)
    assert within < ids and (said["best"], set(said["lit"])) == (best, within)


def test_any_bounds_are_answered_as_query_answers_them(page: Any, finished: RunDir) -> None:
    rng, points = random.Random(7), read_json(finished.front)["points"]
    upper_names = [name for name in COSTS if name in points[0]["costs"]]
    met = set()
    for _ in range(60):
        asked_for: dict[str, str] = {}
        for name in rng.sample([*upper_names, "accuracy"], rng.choice((1, 1, 2, 3))):
            low, high = ends(points, name)
            value = low + (high - low) * rng.uniform(-0.2, 1.2)
            relative = name != "accuracy" and rng.random() < 0.3
            exact = rng.random() < 0.3  # a limit that one of them just keeps
            point = rng.choice(points)
            held = point["search_accuracy"] if name == "accuracy" else point["costs"][name]
            text = f"{rng.uniform(1, 130):.4g}%" if relative else repr(held if exact else value)
            if value > 0:
                asked_for[name] = text
        for name in [*upper_names, "accuracy"]:
            page.run(SET, name, asked_for.get(name, ""))
        upper = [f"{n}={t}" for n, t in asked_for.items() if n != "accuracy"]
        lower = [f"{n}={t}" for n, t in asked_for.items() if n == "accuracy"]
        best, within = answer(finished, upper, lower) if asked_for else (None, set())
        said = page.run(SAID)
        if asked_for:
            assert (said["best"], set(said["lit"])) == (best, within), asked_for
            met.add(len(within))
    assert len(upper_names) >= 5 and len(met) > 2, "bounds that shut out all, some and none"


def test_the_command_asks_for_the_same_student(page: Any, finished: RunDir) -> None:
    page.run(MOVE, "macs", 70)
    page.run(MOVE, "accuracy", 10)
    said = page.run(SAID)
    words = shlex.split(said["command"])
    assert words[:3] == ["kdsearch", "deliver", str(finished.root)]
    assert words[-2:] == ["--to", "student"] and parser().parse_args(words[1:]).verb
    pairs = list(zip(words[3:-2:2], words[4:-2:2], strict=True))
    upper = [bound for flag, bound in pairs if flag == "--max"]
    lower = [bound for flag, bound in pairs if flag == "--min"]
    assert len(upper) == len(lower) == 1
    assert asked(finished, upper, lower).student["id"] == said["best"]
    assert "of room" in page.text("#decide .margins")


def test_it_is_as_sure_as_query_is(page: Any, finished: RunDir) -> None:
    points = read_json(finished.front)["points"]
    limits = {next(iter(p["latency"].values()))["ci95"][1] for p in points}
    said = set()
    for limit in sorted(limits):
        for more in (1.0, 1.003, 1.02):
            page.run(SET, "latency_ms", repr(limit * more))
            best, *_ = asked(finished, [f"latency_ms={limit * more!r}"], []).choices
            (kept,) = best.kept
            words = f"holds with {sure(kept.confidence)}"
            assert page.text("#decide .margins").endswith(words)
            said.add(words)
    assert "holds with 97.5 %" in said and len(said) > 1
    page.run(SET, "latency_ms", "")
    page.run(SET, "macs", "100%")
    assert "of room" in page.text("#decide .margins")
    assert "holds" not in page.text("#decide .margins"), "they are counted"


def test_what_nobody_keeps_names_the_bound_and_the_nearest(page: Any, finished: RunDir) -> None:
    page.run(SET, "macs", "1")
    with pytest.raises(BudgetError) as refused:
        asked(finished, ["macs=1"], [])
    nearest = str(refused.value).partition("nearest is ")[2].split()[0]
    said = page.run(SAID)
    assert said["lit"] == [] and said["best"] is None and said["command"] is None
    assert said["verdict"].startswith("No student keeps MACs at most 1. Nearest is " + nearest)
    assert "The least in the space is" in said["verdict"]


@pytest.mark.parametrize("text", ["much", "-3", "0", "1e999", "60%%", "0x10"])
def test_a_bound_that_is_none_says_so(page: Any, text: str) -> None:
    page.run(SET, "macs", text)
    assert page.text("[data-bound=macs] .wrong").startswith("a number above 0")
    assert page.all("[data-bound=macs] input[type=text]", "aria-invalid") == ["true"]
    page.run(SET, "accuracy", "60%")
    assert page.text("[data-bound=accuracy] .wrong").startswith("a score is absolute")


def test_the_keyboard_does_it_all(page: Any, finished: RunDir) -> None:
    page.run("document.querySelector('[data-bound=macs] input[type=range]').focus()")
    before = page.run(SAID)["lit"]
    page.press(HOME)
    assert page.run(SAID)["lit"] == []
    lit = []
    for _ in range(99):
        page.press(RIGHT)
        lit.append(len(page.run(SAID)["lit"]))
    assert lit == sorted(lit), "more room, no fewer students"
    macs = sorted(p["costs"]["macs"] for p in read_json(finished.front)["points"])
    assert lit[-1] == len(before) == len(macs)
    if macs[-1] > 1.1 * macs[0]:  # a step is less than that
        assert any(0 < one < len(before) for one in lit), (lit, macs)
    slider = "[data-bound=macs] input[type=range]"
    (told,) = page.all(slider, "aria-valuetext")
    assert told.startswith("at most ")
    page.run("document.querySelector('#decide .candidate').focus()")
    page.press("+++")
    assert page.run("return document.activeElement.matches('.candidate')"), "it stays in sight"
    page.press(RIGHT * 9)
    assert page.run("return document.activeElement.matches('.live-chart')"), "it went out of it"
    page.press("0")
    page.run("document.querySelector('#decide .candidate').focus()")
    page.press(ENTER)
    assert page.run("return document.querySelector(location.hash).open")


def test_a_focused_student_tells_its_numbers(page: Any, finished: RunDir) -> None:
    point = read_json(finished.front)["points"][0]
    assert page.run("return document.querySelector('.tip').hidden")
    page.run("document.querySelector(`[data-student=${arguments[0]}]`).focus()", point["id"])
    said = page.text(".tip")
    assert point["id"] in said and point["recipe"]["method"] in said
    assert UNITS["accuracy"](point["search_accuracy"]) in said
    page.press("\ue00c")  # Escape
    assert page.run("return document.querySelector('.tip').hidden")


def test_a_pointer_over_a_student_tells_them_too(page: Any) -> None:
    at = page.run(
        "const one = document.querySelector('#decide .candidate .student');"
        "one.scrollIntoView({block: 'center'});"
        "const box = one.getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2].map(Math.round)"
    )
    move = {"type": "pointerMove", "x": at[0], "y": at[1], "duration": 0}
    page.act({"type": "pointer", "id": "mouse", "actions": [move]})
    assert page.run("return !document.querySelector('.tip').hidden")


def test_dragging_zooms_and_reset_shows_everything(page: Any) -> None:
    ticks = (
        "return [...document.querySelectorAll('.live-chart > text')].map((t) => t.textContent)"
    )
    whole = page.run(ticks)
    left, top = page.run(
        "const chart = document.querySelector('.live-chart');"
        "chart.scrollIntoView({block: 'center'});"
        "const box = chart.getBoundingClientRect(); return [box.x, box.y].map(Math.round)"
    )
    page.act(
        {
            "type": "pointer",
            "id": "mouse",
            "actions": [
                {"type": "pointerMove", "x": left + 150, "y": top + 60, "duration": 0},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerMove", "x": left + 350, "y": top + 220, "duration": 60},
                {"type": "pointerUp", "button": 0},
            ],
        }
    )
    zoomed = page.run(ticks)
    assert zoomed != whole
    page.click(".zoom-in")
    assert page.run(ticks) != zoomed
    page.click(".zoom-reset")
    assert page.run(ticks) == whole


def test_any_two_quantities_are_drawn(page: Any, finished: RunDir) -> None:
    names = page.all("#axis-x option", "value")
    assert {"accuracy", "latency_ms", "latency_p95_ms", "macs", "test_accuracy"} <= set(names)
    choose = (
        "const axis = document.getElementById(arguments[0]); axis.value = arguments[1];"
        "axis.dispatchEvent(new Event('change'))"
    )
    ids = {p["id"] for p in read_json(finished.front)["points"]}
    for name in names:
        page.run(choose, "axis-x", name)
        page.run(choose, "axis-y", names[0])
        assert set(page.all("#decide .candidate", "data-student")) == ids
    assert page.complaints() == []


def test_light_and_dark(page: Any) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(paper)
    page.click("#theme")
    dark = page.run(paper)
    assert dark != light and page.all("#theme", "aria-pressed") == ["true"]
    page.likes("dark")
    assert page.run(paper) == dark
    page.click("#theme")
    assert page.run(paper) == light, "chosen, whatever the system asks for"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_sticks_out_of_a_narrow_screen(page: Any, width: int) -> None:
    page.size(width, 800)
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wide = page.run("return document.documentElement.scrollWidth")
    assert wide <= width
    assert page.run("return document.querySelector('.live-chart').clientWidth") <= width


def test_numbers_are_written_as_everywhere_else(page: Any, tmp_path: Path) -> None:
    """The script's own amounts, put to the test in a page of nothing else."""
    from kdsearch.report.embedded import read

    rng = random.Random(5)
    values = [
        0.0,
        1.0,
        999.5,
        0.9995,
        12345.0,
        *(10 ** rng.uniform(-7, 13) for _ in range(300)),
    ]
    said = page.run(
        read("amounts.js") + "return Object.fromEntries(Object.keys(UNITS).map("
        "(unit) => [unit, arguments[0].map((value) => amount(unit, value))]))",
        values,
    )
    writers = {one.__name__: one for one in (*UNITS.values(), plain_number)}
    assert said.keys() == writers.keys()
    for name, found in said.items():
        assert found == [writers[name](value) for value in values], name


def test_cards_open_from_the_table_and_the_picture(page: Any, finished: RunDir) -> None:
    last = len(read_json(finished.front)["points"])
    page.run("document.querySelector(`#student-${arguments[0]} th a`).click()", last)
    page.until(
        lambda: page.run("return document.getElementById(`card-${arguments[0]}`).open", last)
    )
    text = page.text(f"#card-{last}")
    assert "Architecture" in text and "p99" in text and "search-validation" in text


def test_the_data_are_those_of_the_front(page: Any, finished: RunDir) -> None:
    (found,) = json.loads(page.run("return document.getElementById('choices').textContent"))
    points = read_json(finished.front)["points"]
    assert [one["id"] for one in found["candidates"]] == [p["id"] for p in points]
