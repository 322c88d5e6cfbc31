"""The verbs whose answer is a page: `report` and `watch`."""

import argparse
from pathlib import Path

from kdsearch.rundir import RunDir


def report(arguments: argparse.Namespace) -> int:
    """Of one run its own page; of several, one that compares them."""
    runs = [RunDir(Path(name)) for name in arguments.runs]
    to = None if arguments.to is None else Path(arguments.to)
    if len(runs) == 1:
        from kdsearch.pipeline.report import reported

        print(reported(runs[0], to))
        return 0
    from kdsearch.pipeline.report_runs import PAGE, compared

    print(compared(runs, to or PAGE))
    return 0


def watch(arguments: argparse.Namespace) -> int:
    """Until Ctrl-C, which is how it is meant to end."""
    try:
        from kdsearch.pipeline.watch import Watch, serve

        watched = Watch(RunDir(Path(arguments.run)))
        serve(watched, arguments.port, lambda address: print(address, flush=True))
    except KeyboardInterrupt:
        print()
    return 0
