import pytest

from kdsearch.core.progress import Noting, Once, Progress, Silent


def test_silent_keeps_still(capfd: pytest.CaptureFixture[str]) -> None:
    progress: Progress = Silent()
    progress.start("task", 3)
    progress.step("task", 1, "loss 0.1")
    progress.finish("task", "done")
    progress.say("a line")
    assert capfd.readouterr() == ("", "")


def test_lines_are_kept_and_everything_is_handed_on() -> None:
    inner = Noting(Silent())
    progress: Progress = (outer := Noting(inner))
    progress.start("task", 3)
    progress.step("task", 1)
    progress.finish("task")
    progress.say("a line")
    assert inner.lines == outer.lines == ["a line"]


def test_a_line_is_said_once() -> None:
    inner = Noting(Silent())
    once = Once(inner)
    for line in ("", "one", "two", "one"):
        once.say(line)
    assert inner.lines == ["one", "two"]
