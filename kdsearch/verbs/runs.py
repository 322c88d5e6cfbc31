"""The verbs on a config: what it would take, and doing it."""

import argparse
import sys

from kdsearch.pipeline.terminal import terminal_progress
from kdsearch.rundir import RunDir
from kdsearch.verbs.say import out_of, show_front


def init(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.init import starter, write_starter

    if arguments.to is None:
        print(starter(arguments.data, arguments.max), end="")
    else:
        write_starter(arguments.to, arguments.data, arguments.max)
        print(f"{arguments.to}: `kdsearch check {arguments.to}` says what a run would take")
    return 0


def check(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.check import check as checked
    from kdsearch.pipeline.check import words

    config = read_config(arguments.config, arguments.set)
    with terminal_progress(sys.stderr) as progress:
        text, found = checked(config, out_of(arguments), progress)
    print(text)
    print("\n".join(f"# {line}" for line in words(found)))
    return 0


def run(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.last_error import error_kept
    from kdsearch.pipeline.run import run as run_stages
    from kdsearch.pipeline.team import follows

    config = read_config(arguments.config, arguments.set)
    out = RunDir(out_of(arguments))
    with terminal_progress(sys.stderr) as progress, error_kept(out):
        done = run_stages(config, out.root, progress, until=arguments.until)
    if follows():
        return 0  # the first of the processes tells
    if done.front.exists() and arguments.until in (None, "finalists", "report"):
        show_front(done.read(done.front))
    if done.report.exists():
        print(f"report: {done.report}")
    return 0


def distill(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.distill import distill as teach
    from kdsearch.pipeline.distill import words

    config = read_config(arguments.config, arguments.set)
    with terminal_progress(sys.stderr) as progress:
        card = teach(config, out_of(arguments), progress)
    print("\n".join(words(card, out_of(arguments) / "student")))
    return 0
