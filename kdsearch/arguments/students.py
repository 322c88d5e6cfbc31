"""The verbs that pick students of a run and hand them over, and their help."""

import argparse
from typing import Any

from kdsearch.arguments.artefacts import export_options
from kdsearch.arguments.flags import as_json, bounds, of_run

AMONG = ("front", "trials")
FORMATS = "safetensors,onnx"


def on_students(verbs: Any) -> None:
    one = of_run(verbs, "query", "the students for a budget, without a new search")
    bounds(one)
    one.add_argument(
        "--top",
        type=positive,
        default=1,
        metavar="N",
        help="a table of the N best, with margins and how sure they are; default: %(default)s",
    )
    among(one, "default: front")
    as_json(one)

    one = of_run(verbs, "deliver", "query, training to the end if need be, export, check")
    bounds(one)
    one.add_argument(
        "--to", metavar="DIR", type=folder, required=True, help="folder for the files"
    )
    formats(one)
    export_options(one)
    among(one, "default: front, and trials where none on it keeps the budget")
    one.add_argument(
        "--dry-run", action="store_true", help="says which student and what it takes"
    )
    as_json(one)

    one = of_run(verbs, "export", "hands a student over, each file checked and measured")
    one.add_argument("--student", metavar="ID", help="for example s012; or give a budget")
    bounds(one)
    one.add_argument(
        "--to", metavar="DIR", type=folder, required=True, help="folder for the files"
    )
    formats(one)
    export_options(one)


def among(made: argparse.ArgumentParser, default: str) -> None:
    made.add_argument(
        "--among",
        choices=AMONG,
        help="front: students trained to the end; trials: also those that the search stopped "
        f"before, by what can be expected of them; {default}",
    )


def formats(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--format",
        default=FORMATS,
        help="comma-separated; `kdsearch formats` lists them (default: %(default)s)",
    )


def positive(text: str) -> int:
    """Raises ArgumentTypeError for what is no whole number above 0."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': must be a whole number above 0")


def folder(text: str) -> str:
    """argparse.ArgumentTypeError for an empty one: that would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("no name of a folder; '.' is the current one")
    return text
