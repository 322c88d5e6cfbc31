"""What several verbs say on stdout, and where they write."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def say(content: Any, as_json: bool, text: str) -> None:
    """One JSON document, or the text for a person."""
    print(json.dumps(content) if as_json else text)


def show_front(content: Mapping[str, Any]) -> None:
    from kdsearch.pipeline.front import front_table

    print(front_table(content))


def out_of(arguments: argparse.Namespace) -> Path:
    """--out, or runs/ and the file's name."""
    file = vars(arguments).get("manifest") or arguments.config
    return Path(arguments.out or Path("runs") / Path(file).stem)
