"""docs/query.md: its commands and bounds are understood."""

import re
import shlex
from pathlib import Path

import pytest

from kdsearch.arguments import parser
from kdsearch.core.objectives import KNOWN, known_on
from kdsearch.pipeline.query import read_bounds

PAGE = (Path(__file__).parents[1] / "docs" / "query.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^kdsearch ((?:query|deliver) .*)$", PAGE, re.MULTILINE)
KNOWN_HERE = tuple(known_on(("server", "edge")).values())


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_understood(command: str) -> None:
    asked = parser().parse_args(shlex.split(command))
    assert asked.verb in ("query", "deliver")
    assert read_bounds(asked.max, asked.min, KNOWN_HERE, "server")


def test_its_table_of_bounds_is_understood() -> None:
    rows = re.findall(r"^\| `--(max|min) ([^|]*)\|", PAGE, re.MULTILINE)
    assert len(rows) == 6
    for side, cells in rows:
        texts = [text.strip().strip("`") for text in cells.split(",")]
        upper, lower = (texts, []) if side == "max" else ([], texts)
        bounds = read_bounds(upper, lower, KNOWN_HERE, "server")
        assert len(bounds) == len(texts)
        assert all(bound.name.partition("@")[0] in KNOWN for bound in bounds)
