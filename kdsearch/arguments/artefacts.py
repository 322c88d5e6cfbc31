"""What may stand after the verbs on exported folders."""

import argparse
from typing import Any

from kdsearch.arguments.flags import add, as_json


def on_artefacts(verbs: Any) -> None:
    one = add(verbs, "verify", "checks an exported folder again, from the folder alone")
    one.add_argument("folder", metavar="DIR", help="what `kdsearch export --to DIR` wrote")
    one.add_argument(
        "--trust-code",
        action="store_true",
        help="runs source of the folder, or that it names, which kdsearch did not write",
    )
    as_json(one)
    one = add(verbs, "doctor", "versions, devices, threads, and what is missing for what")
    as_json(one)


def export_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--preprocessing",
        action="store_true",
        help="graphs (ONNX, pt2, OpenVINO) take uint8 pixels and normalise them themselves",
    )
    made.add_argument(
        "--licence",
        default="unknown",
        metavar="NAME",
        help="of the student, for its card: mit, apache-2.0, …; default: %(default)s",
    )
