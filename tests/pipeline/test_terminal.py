import io
import subprocess
import sys

import pytest

from kdsearch.pipeline.lines import Lines
from kdsearch.pipeline.table import table
from kdsearch.pipeline.terminal import terminal_progress


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gets_lines_and_a_terminal_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    from kdsearch.pipeline.live import Live

    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(terminal_progress(io.StringIO()), Lines)
    assert isinstance(terminal_progress(Screen()), Live)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(terminal_progress(Screen()), Lines)


def test_rich_and_torch_are_not_imported_for_lines() -> None:
    code = (
        "import io, sys\n"
        "from kdsearch.pipeline.terminal import terminal_progress\n"
        "terminal_progress(io.StringIO()).say('x')\n"
        "sys.exit('rich' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_at_most_a_line_in_five_seconds_and_the_last_one_always() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = terminal_progress(stream, clock=clock)
    progress.start("teacher", 1120)
    for done in range(1, 1121):
        clock.seconds += 0.01
        progress.step("teacher", done, f"loss {1 / done:.3f}")
    progress.finish("teacher", "accuracy 98.9 %")
    assert stream.getvalue().splitlines() == [
        "teacher: 500/1,120 (45 %) after 5.0 s, loss 0.002",
        "teacher: 1,000/1,120 (89 %) after 10 s, loss 0.001",
        "teacher: done in 11 s, accuracy 98.9 %",
    ]


def test_each_task_has_its_own_five_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Lines(stream, clock=clock)
    progress.start("search", 3)
    progress.start("trial 1", 10)
    clock.seconds += 6
    progress.step("search", 1)
    progress.step("trial 1", 2)
    progress.step("trial 1", 3)
    assert stream.getvalue().splitlines() == [
        "search: 1/3 (33 %) after 6.0 s",
        "trial 1: 2/10 (20 %) after 6.0 s",
    ]


def test_an_error_leaves_the_last_state_behind() -> None:
    stream = io.StringIO()
    with pytest.raises(RuntimeError), terminal_progress(stream, clock=Clock()) as progress:
        progress.start("teacher", 10)
        progress.step("teacher", 4, "loss 0.3")
        raise RuntimeError
    assert stream.getvalue() == "teacher: 4/10 (40 %) after 0.0 s, loss 0.3\n"


def test_what_was_shown_is_not_shown_again_on_closing() -> None:
    stream, clock = io.StringIO(), Clock()
    with Lines(stream, clock=clock) as progress:
        progress.start("teacher", 10)
        clock.seconds += 5
        progress.step("teacher", 4)
    assert len(stream.getvalue().splitlines()) == 1


def test_unknown_tasks_and_totals() -> None:
    stream = io.StringIO()
    with Lines(stream, clock=Clock()) as progress:
        progress.step("probing", 3)
        progress.finish("never begun")
    assert stream.getvalue().splitlines() == [
        "never begun: done in 0.0 s",
        "probing: 3 after 0.0 s",
    ]


def test_names_cannot_steer_the_terminal() -> None:
    for stream in (io.StringIO(), Screen()):
        progress = terminal_progress(stream)
        progress.say("class \x1b]0;title\x07 [bold]cat[/bold] :cat:")
        assert "\ufffd]0;title\ufffd [bold]cat[/bold] :cat:" in stream.getvalue()


def test_a_table() -> None:
    rows = [["s001", "97.2 %", "34 µs", "hard"], ["数字", "–", "1.25 ms", ""]]
    assert table(rows, ["id", "accuracy", "p50", "method"]).splitlines() == [
        "id    accuracy      p50  method",
        "----  --------  -------  ------",
        "s001    97.2 %    34 µs  hard",
        "数字         –  1.25 ms",
    ]


def test_a_table_without_rows_or_with_foreign_text() -> None:
    assert table([], ["id", "accuracy"]) == "id  accuracy\n--  --------"
    assert table([["a\nb\x1b[31m"]], ["name"]).splitlines()[2] == "a b\ufffd[31m"
    with pytest.raises(ValueError, match="argument"):
        table([["a", "b"]], ["name"])
