"""The verbs whose answer is a page, as they are typed."""

import shutil
import socket
from pathlib import Path

import pytest

from kdsearch import cli
from kdsearch.rundir import RunDir


def test_report_of_one_run(copied: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    copied.report.unlink()
    assert cli.main(["report", str(copied.root)]) == 0
    assert capsys.readouterr().out == f"{copied.report}\n"
    assert "</html>" in copied.report.read_text()


def test_report_to_a_file_leaves_the_run_alone(copied: RunDir, tmp_path: Path) -> None:
    copied.report.unlink()
    to = tmp_path / "new" / "page.html"
    assert cli.main(["report", str(copied.root), "--to", str(to)]) == 0
    assert "</html>" in to.read_text() and not copied.report.exists()


def test_report_of_several_runs_goes_to_the_current_folder(
    copied: RunDir,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = tmp_path / "other"
    shutil.copytree(copied.root, other, symlinks=True)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", str(copied.root), "other"]) == 0
    assert capsys.readouterr().out == "runs.html\n"
    assert "2 runs with" in Path("runs.html").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["report", "{run}", "--to", "{tmp}"], "a folder; --to names a file"),
        (["report", "{run}", "{run}"], "named more than once"),
        (["report", "{run}", "{tmp}/none"], "no run here"),
        (["watch", "{tmp}/none"], "no run here"),
        (["watch", "{run}", "--port", "{taken}"], "address already in use; name another port"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str],
    line: str,
    copied: RunDir,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        known = {"run": copied.root, "tmp": tmp_path, "taken": taken.getsockname()[1]}
        assert cli.main([word.format(**known) for word in words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("kdsearch: ") and err.count("\n") == 1
    assert line in err


@pytest.mark.parametrize("port", ["0", "70000", "x"])
def test_a_port_is_a_number(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["watch", "run", "--port", port])
    assert ended.value.code == 2
    assert "must be a whole number from 1 to 65535" in capsys.readouterr().err
