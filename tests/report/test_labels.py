import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.report.labels import Box, place, shortened, spread, text_width

FRAME = Box(0, 0, 200, 200)


def test_boxes_overlap_or_not() -> None:
    assert Box(0, 0, 10, 10).overlaps(Box(9, 9, 20, 20))
    assert not Box(0, 0, 10, 10).overlaps(Box(10, 0, 20, 10))


def test_a_label_avoids_what_is_taken() -> None:
    free = place(100, 100, (30, 12), [], FRAME)
    assert free is not None
    assert free.right < 100 and free.bottom < 100, "above left comes first"
    other = place(100, 100, (30, 12), [free], FRAME)
    assert other is not None and not other.overlaps(free)
    assert place(100, 100, (30, 12), [FRAME], FRAME) is None


def test_a_label_stays_within_the_frame() -> None:
    corner = place(2, 2, (30, 12), [], FRAME)
    assert corner is not None and corner.inside(FRAME)


@given(st.lists(st.floats(0, 100), max_size=12))
def test_spread_places_keep_order_distance_and_bounds(places: list[float]) -> None:
    moved = spread(places, 8, 0, 100)
    order = sorted(range(len(places)), key=lambda i: places[i])
    gaps = [moved[b] - moved[a] for a, b in zip(order, order[1:], strict=False)]
    assert all(gap >= 8 - 1e-9 for gap in gaps)
    assert all(-1e-9 <= at <= 100 + 1e-9 for at in moved)


def test_places_far_apart_stay() -> None:
    assert spread([90, 10, 50], 8, 0, 100) == [90, 10, 50]


def test_too_many_places_share_what_there_is() -> None:
    assert spread([5, 5, 5], 80, 0, 100) == pytest.approx([0, 50, 100])


def test_text() -> None:
    assert shortened("student", 7) == "student"
    assert shortened("students", 7) == "studen…"
    assert text_width("数") > text_width("m") > text_width("i") > 0
