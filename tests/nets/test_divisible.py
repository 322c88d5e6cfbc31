import pytest

from kdsearch.nets.divisible import make_divisible


@pytest.mark.parametrize(
    ("width", "expected"),
    [(1, 8), (8, 8), (8.8, 8), (9, 16), (11, 16), (16, 16), (17, 16), (18, 24), (20, 24)],
)
def test_values_by_hand(width: float, expected: int) -> None:
    """The nearest multiple of 8, and one more where that is below 90 %: 8 < 0.9 · 9."""
    assert make_divisible(width) == expected


def test_another_divisor() -> None:
    assert [make_divisible(w, 4) for w in (1, 4, 5, 6, 42)] == [4, 4, 8, 8, 44]


def test_never_below_nine_tenths_and_never_falling() -> None:
    """A wider student's middle is never narrower, or it would not hold the narrower one's."""
    widths = [w / 4 for w in range(4, 2000)]
    found = [make_divisible(w) for w in widths]
    assert all(f >= 0.9 * w and f % 8 == 0 for f, w in zip(found, widths, strict=True))
    assert found == sorted(found)
