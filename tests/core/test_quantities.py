import pytest

from kdsearch.core.quantities import count, duration, milliseconds, percent, printable, several


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (999.6, "1.0 k"),
        (1234, "1.2 k"),
        (99_960, "100 k"),
        (123_456, "123 k"),
        (999_600, "1.0 M"),
        (1_250_000, "1.2 M"),
        (3.84e10, "38.4 G"),
        (7e15, "7000 T"),
        (-1234, "-1.2 k"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_counts(number: float | None, text: str) -> None:
    assert count(number) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.034, "34 µs"),
        (0.0123, "12.3 µs"),
        (0.9994, "999 µs"),
        (0.9996, "1 ms"),
        (1.254, "1.25 ms"),
        (999.4, "999 ms"),
        (999.9, "1 s"),
        (12_345.0, "12.3 s"),
        (2_000_000.0, "2000 s"),
        (None, "–"),
        (float("inf"), "–"),
    ],
)
def test_latencies(ms: float | None, text: str) -> None:
    assert milliseconds(ms) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (12.3, "12 s"),
        (59.6, "1 min 00 s"),
        (65, "1 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7380, "2 h 03 min"),
        (86_399, "1 d 00 h"),
        (100_000, "1 d 04 h"),
        (None, "–"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_percents() -> None:
    assert percent(0.9717) == "97.2 %"
    assert percent(0.5, digits=0) == "50 %"
    assert percent(None) == percent(float("nan")) == "–"


def test_printable_text_cannot_steer_a_terminal_or_break_xml() -> None:
    assert printable("a\nb\tc") == "a b c"
    assert printable("\x1b[31m\x00\x9b\u202e\ud800\ufffe") == "\ufffd[31m" + "\ufffd" * 5
    assert printable("Größe 数字 😀 é") == "Größe 数字 😀 é"


def test_one_and_several() -> None:
    assert [several(n, "student") for n in (0, 1, 1204)] == [
        "0 students", "1 student", "1,204 students",
    ]  # fmt: skip
    assert [several(n, "search", "searches") for n in (1, 2)] == ["1 search", "2 searches"]
