"""Progressive shrinking: which part of a space is open when."""

import pytest

from kdsearch.core.shrinking import check_order, opened, openings
from kdsearch.core.space import Choice, Space
from kdsearch.errors import UserError

SPACE = Space(
    {
        "stage1.width": Choice((2, 4, 8)),
        "stage2.width": Choice((4, 8)),
        "stage1.depth": Choice((1, 2)),
        "resolution": Choice((16, 32)),
    }
)


def test_turns_by_hand() -> None:
    """Four turns of 0.1: the largest alone, depths, second widths, third widths."""
    found = [
        opened(SPACE, p / 100 + 0.001, ("depth", "width"), 0.4).choices() for p in range(50)
    ]
    widths = [len(c["stage1.width"]) for c in found]
    assert [widths.index(n) for n in (1, 2, 3)] == [0, 20, 30]
    assert found[29]["stage1.width"] == (4, 8) and found[29]["stage2.width"] == (4, 8)
    depths = [len(c["stage1.depth"]) for c in found]
    assert depths.index(2) == 10
    assert all(c["resolution"] == (16, 32) for c in found)  # not named: open throughout


def test_after_its_share_the_space_is_whole() -> None:
    assert opened(SPACE, 0.4, ("width",), 0.4) is SPACE
    assert opened(SPACE, 0.0, (), 0.5) == SPACE


def test_open_parts_only_grow() -> None:
    before = 0
    for progress in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5):
        count = opened(SPACE, progress, ("resolution", "depth", "width"), 0.5).count()
        assert count >= before
        before = count
    assert before == SPACE.count()


def test_an_unknown_kind_says_which_there_are() -> None:
    check_order(SPACE, ("depth", "resolution"))
    with pytest.raises(UserError, match="'dept' is no kind of axis here; did you mean"):
        check_order(SPACE, ("dept",))


def test_openings_are_where_values_join() -> None:
    found = openings(SPACE, "width", ("depth", "width"), 0.4)
    assert found == [(pytest.approx(0.2), ()), (pytest.approx(0.3), (4,))]
    for share, before in found:
        was = opened(SPACE, share - 1e-6, ("depth", "width"), 0.4).choices()["stage1.width"]
        now = opened(SPACE, share + 1e-6, ("depth", "width"), 0.4).choices()["stage1.width"]
        assert len(now) == len(was) + 1 and set(before) == set(was) - {8}
    assert openings(SPACE, "expand", ("depth", "width"), 0.4) == []
