"""Flags that several verbs share."""

import argparse
from typing import Any


def add(verbs: Any, name: str, about: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = verbs.add_parser(name, help=about, description=about)
    made.set_defaults(verb=name)
    return made


def of_run(verbs: Any, name: str, about: str) -> argparse.ArgumentParser:
    made = add(verbs, name, about)
    made.add_argument("run", metavar="RUN", help="a run's folder")
    return made


def config(
    made: argparse.ArgumentParser,
    *,
    file: str = "config",
    about: str = "a YAML file; see `kdsearch init`",
) -> None:
    made.add_argument(file, metavar=file.upper(), help=about)
    made.add_argument(
        "--out", metavar="DIR", help=f"the run's folder; default runs/{file.upper()}"
    )
    made.add_argument(
        "--set",
        metavar="a.b=value",
        action="extend",
        nargs="+",
        default=[],
        help="values in place of the file's, for example search.trials=80",
    )


def bounds(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--max",
        metavar="COST=LIMIT",
        action="append",
        default=[],
        help="latency_ms=0.5, latency_ms.p95=6, latency_ms.p95=6@TARGET, params=60%% (of the "
        "largest student), macs=1e6, energy_uj; may be repeated",
    )
    if not made.prog.endswith("init"):
        made.add_argument(
            "--min",
            metavar="SCORE=X",
            action="append",
            default=[],
            help="accuracy=0.9, or another objective of the run; may be repeated",
        )


def as_json(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", action="store_true", help="one JSON document on stdout")
