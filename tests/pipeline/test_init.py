"""The starter config reads, and what its comments show are the defaults."""

import re
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import Config, parse_config, read_config
from kdsearch.config.targets import names_of
from kdsearch.errors import UserError
from kdsearch.pipeline.init import starter, write_starter
from kdsearch.spaces.marked import read_text


def content(text: str) -> dict[str, Any]:
    return read_text(text, "starter").content


def uncommented(text: str) -> str:
    """The text with its commented keys live, those of the budget aside."""
    before, budget, after = re.split(r"(?=^budget:)|(?=^search:)", text, flags=re.MULTILINE)
    live = [
        re.sub(r"^( *)# (\w+: )", r"\1\2", part, flags=re.MULTILINE) for part in (before, after)
    ]
    return live[0] + budget + live[1]


def test_the_starter_is_a_config_of_defaults() -> None:
    assert parse_config(content(starter())) == Config()


def test_what_its_comments_show_are_the_defaults() -> None:
    live, short = content(uncommented(starter())), content(starter())
    assert parse_config(live) == Config()
    assert len(live["data"]) >= len(short["data"]) + 3
    assert "finalists" in live and "finalists" not in short


def test_the_targets_it_shows_are_a_config() -> None:
    shown = re.findall(r"^  # (- \{.*\})$", starter(), flags=re.MULTILINE)
    listed = parse_config(content("\n".join(["latency:", *shown])))
    assert names_of(listed) == ("server", "edge")


def test_data_and_bounds_are_written_in(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.yaml"
    write_starter(path, "folder:/my images: all", ["latency_ms=5", "params=60%"])
    config = read_config(path)
    assert config.data.name == "folder:/my images: all"
    given = config.budget.model_dump(exclude_none=True)
    assert given == {"latency_ms": 5, "params": "60%"}
    assert "# macs: 60%" in path.read_text()
    assert "# params" not in path.read_text()


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("mine")
    with pytest.raises(UserError, match=r"run\.yaml exists already; remove it or write to"):
        write_starter(path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("data", "bounds", "line"),
    [
        ("digts", [], "data 'digts': unknown; did you mean 'digits'?"),
        ("", [], "data '': unknown; allowed: digits"),
        ("module:x", [], "data 'module:x': must have the form module:pkg.mod:factory"),
        (None, ["latency=5"], "unknown bound 'latency'; did you mean 'latency_ms'?"),
        (None, ["latency_ms"], "bound 'latency_ms' must have the form latency_ms=5"),
        (None, ["params=-1"], "params = '-1'; a bound is a number above 0"),
    ],
)
def test_a_wrong_wish_gives_one_line(data: str | None, bounds: list[str], line: str) -> None:
    with pytest.raises(UserError) as caught:
        starter(data, bounds)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value).splitlines()) == 1
