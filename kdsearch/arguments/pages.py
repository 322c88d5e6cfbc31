"""What may stand on the command line of the verbs whose answer is a page."""

import argparse
from typing import Any

from kdsearch.arguments.flags import add, of_run


def pages(verbs: Any) -> None:
    one = add(verbs, "report", "writes RUN/report.html; of several runs, one to compare them")
    one.add_argument("runs", metavar="RUN", nargs="+", help="a run's folder")
    one.add_argument(
        "--to",
        metavar="FILE",
        help="for the page; default RUN/report.html, of several runs.html",
    )
    one = of_run(verbs, "watch", "serves a run's page on 127.0.0.1 and keeps it up to date")
    one.add_argument("--port", type=port, default=8090, help="default: %(default)s")


def port(text: str) -> int:
    """Raises ArgumentTypeError for what is no port's number."""
    if text.isdecimal() and 1 <= int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': must be a whole number from 1 to 65535")
