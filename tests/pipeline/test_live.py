import io
import re

import pytest

from kdsearch.pipeline.live import Live

SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


def plain(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


def test_bars_come_and_go_and_leave_a_line() -> None:
    stream, clock = io.StringIO(), Clock()
    live = Live(stream, clock=clock)
    live.start("teacher [red]", 10)
    clock.seconds += 1
    live.step("teacher [red]", 4, "loss [bold]0.3")
    assert "4/10" in plain(stream) and "loss [bold]0.3" in plain(stream)
    clock.seconds += 11
    live.finish("teacher [red]", "accuracy 98.9 %")
    assert "teacher [red]: done in 12 s, accuracy 98.9 %\n" in plain(stream)
    assert stream.getvalue().count(HIDE_CURSOR) == stream.getvalue().count(SHOW_CURSOR) == 1


def test_frames_are_drawn_ten_times_a_second_at_most() -> None:
    stream, clock = io.StringIO(), Clock()
    live = Live(stream, clock=clock)
    live.start("teacher", 1000)
    before = stream.getvalue().count("teacher")
    for done in range(1000):
        clock.seconds += 0.001
        live.step("teacher", done)
    assert 8 <= stream.getvalue().count("teacher") - before <= 11
    live.close()


def test_an_error_gives_the_terminal_back_and_says_how_far_it_came() -> None:
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), Live(stream, clock=Clock()) as live:
        live.start("search", 4)
        live.start("trial 1", 10)
        live.step("trial 1", 7)
        raise KeyboardInterrupt
    assert plain(stream).endswith(
        "search: 0/4 (0 %) after 0.0 s\ntrial 1: 7/10 (70 %) after 0.0 s\n"
    )
    assert stream.getvalue().rindex(SHOW_CURSOR) > stream.getvalue().rindex(HIDE_CURSOR)


def test_a_task_may_begin_again_or_never_have_begun() -> None:
    stream = io.StringIO()
    with Live(stream, clock=Clock()) as live:
        live.start("teacher", 10)
        live.start("teacher", 20)
        live.step("teacher", 20)
        live.finish("teacher")
        live.step("probing", 1)
        live.finish("probing")
        live.finish("nothing")
    done = [line for line in plain(stream).splitlines() if "done in" in line]
    assert [line.strip().split(":")[0] for line in done] == ["teacher", "probing", "nothing"]
