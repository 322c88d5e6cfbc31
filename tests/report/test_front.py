from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from kdsearch.report.front import front_chart, front_svg
from kdsearch.report.points import dots
from kdsearch.report.summary import Latency, Limit, StudentRow, Summary, TeacherRow, TrialDot

Example = Callable[..., Summary]
EMPTY = Summary(run="r", made="now", version="0")
NAN = float("nan")


def marks(svg: str, class_: str, tag: str = "circle") -> list[ElementTree.Element]:
    """Elements of a class, those of the legend left out."""
    root = ElementTree.fromstring(svg)
    legend = {
        id(child)
        for group in root.iter()
        if group.get("class") == "legend"
        for child in group.iter()
    }
    return [
        e
        for e in root.iter()
        if e.tag.endswith("}" + tag) and e.get("class") == class_ and id(e) not in legend
    ]


def student(id: str, accuracy: float | None, ms: float | None) -> StudentRow:
    return StudentRow(
        id=id,
        architecture={},
        method="hard",
        knobs={},
        search_accuracy=accuracy,
        params=1000,
        macs=5000,
        latencies=(Latency("eager", ms),),
    )


def test_faster_is_left_and_more_accurate_is_above() -> None:
    rows = (student("a", 0.8, 0.01), student("b", 0.9, 0.02), student("c", 0.95, 0.04))
    svg = front_svg(replace(EMPTY, students=rows))
    xs = [float(e.get("cx", "")) for e in marks(svg, "student")]
    ys = [float(e.get("cy", "")) for e in marks(svg, "student")]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.1), "doubling is one distance"
    assert xs[0] < xs[1] < xs[2]
    assert ys[0] > ys[1] > ys[2]


def test_intervals_are_drawn_where_they_are_known() -> None:
    row = replace(student("a", 0.8, 0.02), search_ci95=(0.7, 0.85))
    both = replace(row, latencies=(Latency("eager", 0.02, 0.03, (0.019, 0.021)),))
    neither = replace(row, search_ci95=(NAN, 0.9), latencies=(Latency("eager", 0.02),))
    for one, arms in ((row, 3), (both, 6), (neither, 0)):
        svg = front_svg(replace(EMPTY, students=(one,)))
        assert len(marks(svg, "bar", "line")) == arms


def test_states_of_trials_look_different(example: Example) -> None:
    trials = (
        TrialDot("t1", "trained", 0.90, 0.03),
        TrialDot("t2", "screened", 0.88, 0.03),
        TrialDot("t3", "stopped", 0.85, 0.03),
        TrialDot("t4", "failed", None, 0.03, reason="out of memory"),
        TrialDot("t5", "trained", NAN, 0.03),
        TrialDot("t6", "trained", 0.9, 0.0),
    )
    svg = front_svg(replace(example(), trials=trials))
    assert [len(marks(svg, c)) for c in ("trained", "screened", "stopped")] == [1, 1, 1]


def test_trials_far_below_become_triangles(example: Example) -> None:
    low = TrialDot("t", "screened", 0.1, 0.03)
    svg = front_svg(replace(example(), trials=(low,)))
    assert len(marks(svg, "screened", "path")) == 1
    assert not marks(svg, "screened", "circle")


def test_the_knee_has_a_ring_and_a_name(example: Example) -> None:
    svg = front_svg(example())
    assert len(marks(svg, "ring")) == 1
    assert "s003 · knee" in svg
    assert not marks(front_svg(replace(example(), knee=None)), "ring")


def test_near_budgets_are_lines_and_far_ones_are_not(example: Example) -> None:
    for value, drawn in ((0.15, 1), (50.0, 0), (NAN, 0), (-1.0, 0)):
        svg = front_svg(replace(example(), limits=(Limit("latency_ms", value, "x"),)))
        assert len(marks(svg, "limit", "line")) == drawn
    other = replace(example(), limits=(Limit("params", 0.15, "x"),))
    assert not marks(front_svg(other), "limit", "line")


def test_the_teacher_is_a_line(example: Example) -> None:
    assert len(marks(front_svg(example()), "teacher", "line")) == 1
    unknown = replace(example(), teacher=TeacherRow("given", None))
    assert not marks(front_svg(unknown), "teacher", "line")


def test_the_line_rises_where_other_objectives_are_on_the_front_too() -> None:
    """The second is slower and worse: there for another reason, below the line."""
    rows = (student("a", 0.9, 0.02), student("b", 0.8, 0.03), student("c", 0.95, 0.04))
    both = replace(EMPTY, students=rows)
    (line,) = marks(front_svg(both), "stairs", "path")
    assert line.get("d", "").count("V") == 1
    assert len(dots(both)) == 3


@pytest.mark.parametrize(
    ("cost", "values", "axis"),
    [
        ("latency_p95_ms", [0.03, 0.05], "latency p95, "),
        ("energy_uj", [0.5, 0.25], "estimated energy (µJ an image) (logarithmic)"),
    ],
)
def test_every_cost_has_an_axis(cost: Any, values: list[float], axis: str) -> None:
    rows = tuple(
        replace(
            student(name, 0.9, 0.02),
            latencies=(Latency("eager", 0.02, value),),
            more={"energy_uj": value},
        )
        for name, value in zip("ab", values, strict=True)
    )
    summary = replace(EMPTY, students=rows, cost=cost)
    assert [dot.cost for dot in dots(summary)] == sorted(values)
    assert axis in front_svg(summary)


def test_the_axis_may_be_another_cost() -> None:
    rows = (student("a", 0.9, None), replace(student("b", 0.95, None), macs=9000))
    summary = replace(EMPTY, students=rows, cost="macs")
    assert [dot.cost for dot in dots(summary)] == [5000, 9000]
    assert "multiply-accumulates (logarithmic)" in front_svg(summary)
    assert dots(replace(summary, cost="latency_ms")) == []


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (student("a", None, 0.02),),
        (student("a", 0.9, None),),
        (student("a", NAN, 0.02),),
        (student("a", 0.9, 0.0),),
    ],
)
def test_nothing_to_draw_is_said(rows: tuple[StudentRow, ...]) -> None:
    svg = front_svg(replace(EMPTY, students=rows))
    assert "No student has both" in svg
    ElementTree.fromstring(svg)


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_one_student_at_the_edge(accuracy: float) -> None:
    svg = front_svg(replace(EMPTY, students=(student("a", accuracy, 0.02),)))
    (dot,) = marks(svg, "student")
    assert 0 < float(dot.get("cx", "")) < 960
    assert 0 < float(dot.get("cy", "")) < 500


def test_trials_alone_make_a_picture(example: Example) -> None:
    svg = front_svg(replace(example(), students=(), knee=None))
    assert len(marks(svg, "trained")) > 5
    assert not marks(svg, "student")


@pytest.mark.parametrize(("width", "height"), [(960, 500), (380, 440)])
def test_names_do_not_overlap(example: Example, width: int, height: int) -> None:
    svg = front_chart(example(14), width=width, height=height, linked=True)
    names = [
        (float(e.get("x", "")), float(e.get("y", ""))) for e in marks(svg, "id halo", "text")
    ]
    assert len(names) >= 5
    for i, (x, y) in enumerate(names):
        for other_x, other_y in names[:i]:
            assert abs(x - other_x) > 20 or abs(y - other_y) >= 13


def test_dots_lead_to_rows_only_within_the_page(example: Example) -> None:
    assert 'href="#student-1"' in front_chart(example(), width=960, height=500, linked=True)
    assert "href" not in front_svg(example())
