"""The verbs on devices, as a shell calls them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kdsearch.cli import main


@pytest.fixture
def config(
    tiny: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny()))
    return str(path)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--bundle", "b", "--import", "r.json"], "one of them at a time"),
        (["--students", "runs/x"], "--students RUN goes with --bundle"),
        (["--networks", "3"], "a profile of 3 networks (--networks 3, a space of 1000)"),
        (["--bundle", "b", "--networks", "3"], "an interval needs 20 at least"),
        (["--import", "none.json"], "none.json: No such file"),
        (["--import", "tiny.yaml"], "tiny.yaml: not whole JSON"),
        (["--import", "tiny.yaml", "--name", "a b"], "--name 'a b': must begin with a letter"),
        (["--bundle", "b", "--students", "runs/none"], "runs/none"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    config: str, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", config, *more]) == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("kdsearch:")]
    assert words in line


def test_a_bundle_says_what_to_do_with_it(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", config, "--networks", "20", "--bundle", "b.zip"]) == 0
    out = capsys.readouterr().out
    assert "b.zip: " in out
    assert "python measure.py" in out
    assert "kdsearch profile CONFIG --import result.json" in out
    assert (tmp_path / "b.zip").stat().st_size > 1000


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["profile", "--help"])
    assert "--bundle phone.zip" in capsys.readouterr().out
