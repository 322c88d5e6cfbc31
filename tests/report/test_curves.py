from xml.etree import ElementTree

import pytest

from kdsearch.report.curves import NAMED, accuracy_panel, loss_panel, stages, thinned
from kdsearch.report.summary import Curve

NAN = float("nan")


def test_few_points_stay_and_many_become_means_with_the_last_point_kept() -> None:
    points = tuple((float(i), float(i % 2)) for i in range(1001))
    assert thinned(points, 2000) == points
    few = thinned(points, 11)
    assert len(few) == 11
    assert few[-1] == points[-1]
    assert [value for _, value in few[:-1]] == pytest.approx([0.5] * 10, abs=0.01)
    steps = [step for step, _ in few]
    assert steps == sorted(steps)


def test_stages_keep_their_order() -> None:
    curves = [Curve("b", "1"), Curve("a", "2"), Curve("b", "3")]
    assert [(s, [c.name for c in of]) for s, of in stages(curves)] == [
        ("b", ["1", "3"]),
        ("a", ["2"]),
    ]


def test_no_panel_without_numbers() -> None:
    assert loss_panel([Curve("teacher", "teacher")]) is None
    assert accuracy_panel([Curve("teacher", "teacher", accuracy=((0, NAN),))]) is None


def test_losses_over_a_decade_are_logarithmic() -> None:
    wide = loss_panel([Curve("teacher", "t", loss=((0, 2.0), (1, 0.01)))])
    narrow = loss_panel([Curve("teacher", "t", loss=((0, 2.0), (1, 0.5)))])
    negative = loss_panel([Curve("teacher", "t", loss=((0, 2.0), (1, -5.0)))])
    assert "logarithmic" in str(wide)
    assert "logarithmic" not in str(narrow)
    assert "logarithmic" not in str(negative)


def test_a_line_runs_from_left_to_right_without_what_is_not_a_number() -> None:
    loss = ((0.0, 1.0), (1.0, NAN), (2.0, 0.5))
    panel = loss_panel([Curve("teacher", "t", loss=loss)])
    paths = [e for e in ElementTree.fromstring(str(panel)).iter() if e.tag.endswith("path")]
    (first, last) = (point.split() for point in paths[0].get("d", "")[1:].split("L"))
    assert float(first[0]) < float(last[0])
    assert float(first[1]) < float(last[1]), "a falling loss goes down the page"


def test_a_single_point_is_a_dot() -> None:
    panel = loss_panel([Curve("teacher", "t", loss=((5.0, 1.0),))])
    assert "<circle" in str(panel)
    at_zero = accuracy_panel([Curve("teacher", "t", accuracy=((0.0, 0.0),))])
    assert "<circle" in str(at_zero)


@pytest.mark.parametrize("lines", [2, NAMED, NAMED + 1])
def test_lines_are_named_while_there_is_room(lines: int) -> None:
    curves = [Curve("f", f"s{i:03d}", loss=((0, 1.0), (1, 0.5))) for i in range(lines)]
    named = [
        e.text
        for e in ElementTree.fromstring(str(loss_panel(curves))).iter()
        if (e.text or "").startswith("s0")
    ]
    assert len(named) == (lines if lines <= NAMED else 0)
