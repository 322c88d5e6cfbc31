"""What may stand on the command line of the verbs whose answer is a page."""

import argparse
from collections.abc import Callable


def pages(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """`add`: makes the parser of a verb with this name and help."""
    one = add("report", "writes RUN/report.html; of several runs, a page that compares them")
    one.add_argument("runs", metavar="RUN", nargs="+", help="a run's folder")
    one.add_argument(
        "--to",
        metavar="FILE",
        help="for the page; default RUN/report.html, of several runs.html",
    )
    one = add("watch", "serves a run's page on 127.0.0.1 and keeps it up to date")
    one.add_argument("run", metavar="RUN", help="a run's folder")
    one.add_argument("--port", type=port, default=8090, help="default: %(default)s")


def port(text: str) -> int:
    """Raises ArgumentTypeError for what is no port's number."""
    if text.isdecimal() and 1 <= int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': must be a whole number from 1 to 65535")
