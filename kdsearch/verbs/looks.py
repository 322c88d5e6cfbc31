"""The verbs that look at a run, and at what a config may name."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kdsearch.pipeline.table import paragraphs, table
from kdsearch.rundir import RunDir
from kdsearch.verbs.say import say, show_front


def status(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.status import lines
    from kdsearch.pipeline.status import status as state

    content = state(RunDir(Path(arguments.run)))
    say(content, arguments.json, "\n".join(lines(content)))
    return 0


def front(arguments: argparse.Namespace) -> int:
    found = RunDir(Path(arguments.run))
    content = found.read(found.front, "points")
    if arguments.json:
        print(json.dumps(content))
    else:
        show_front(content)
    return 0


def trials(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.trials import (
        as_csv,
        further_columns,
        objective_names,
        trial_rows,
        trial_table,
    )

    found = RunDir(Path(arguments.run))
    rows = trial_rows(found)
    if arguments.csv:
        print(as_csv(rows), end="")
    else:
        print(trial_table(rows, further_columns(rows, objective_names(found))))
    return 0


def explain(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.explain import explain as explained
    from kdsearch.pipeline.explain import lines

    content = explained(RunDir(Path(arguments.run)))
    say(content, arguments.json, "\n".join(lines(content)))
    return 0


def dashboard(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.dashboard import dashboard as served

    served(RunDir(Path(arguments.run)), arguments.port)
    return 0


def clean(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.clean import clean as cleaned
    from kdsearch.pipeline.clean import lines

    content = cleaned(RunDir(Path(arguments.run)), every=arguments.all, dry=arguments.dry_run)
    say(content, arguments.json, "\n".join(lines(content)))
    return 0


def listing(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.listing import LISTINGS

    rows = LISTINGS[arguments.what]()
    headers = list(dict.fromkeys(name for r in rows for name in r))
    lay = paragraphs if arguments.what == "methods" else table
    text = lay([[cell(r.get(h)) for h in headers] for r in rows], headers)
    say(rows, arguments.json, text)
    return 0


def cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {item}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return " to ".join(map(str, value))
    return "" if value is None else str(value)
