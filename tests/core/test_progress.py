import pytest

from kdsearch.core.progress import Progress, Silent


def test_silent_keeps_still(capfd: pytest.CaptureFixture[str]) -> None:
    progress: Progress = Silent()
    progress.start("task", 3)
    progress.step("task", 1, "loss 0.1")
    progress.finish("task", "done")
    progress.say("a line")
    assert capfd.readouterr() == ("", "")
