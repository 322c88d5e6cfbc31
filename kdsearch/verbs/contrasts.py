"""The verbs that hold one thing against another."""

import argparse
import sys
from pathlib import Path

from kdsearch.pipeline.table import table
from kdsearch.pipeline.terminal import terminal_progress
from kdsearch.rundir import RunDir
from kdsearch.verbs.say import out_of, say


def compare(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.compare import compare as run_all
    from kdsearch.pipeline.compare import names_of
    from kdsearch.pipeline.comparison import comparison_text

    config = read_config(arguments.config, arguments.set)
    methods = names_of(config, arguments.methods)
    with terminal_progress(sys.stderr) as progress:
        content = run_all(
            config, out_of(arguments), progress, methods=methods, seeds=arguments.seeds
        )
    say(content, arguments.json, comparison_text(content))
    if not arguments.json:
        print(f"page: {out_of(arguments) / 'comparison.html'}")
    return 0


def compare_teachers(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.arms import names_of
    from kdsearch.pipeline.compare_teachers import PAGE, Asked, text
    from kdsearch.pipeline.compare_teachers import compare_teachers as run_all

    config = read_config(arguments.config, arguments.set)
    kinds = names_of(config, arguments.kinds)
    asked = Asked(kinds, arguments.students, arguments.seeds, arguments.specialised)
    with terminal_progress(sys.stderr) as progress:
        content = run_all(config, out_of(arguments), progress, asked)
    say(content, arguments.json, text(content))
    if not arguments.json:
        print(f"page: {out_of(arguments) / PAGE}")
    return 0


def audit(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.audit import audit as audited
    from kdsearch.pipeline.report import reported
    from kdsearch.report.ranking import figures

    found = RunDir(Path(arguments.run))
    with terminal_progress(sys.stderr) as progress:
        content = audited(
            found,
            progress,
            students=arguments.students,
            seeds=arguments.seeds,
            method=arguments.method,
        )
    reported(found)
    headers = ("ranks students by", "tau", "95 % interval")
    lines = [
        f"{content['students']} students, {content['seeds']} standalone trainings each "
        f"({content['method']}); Kendall's tau-b with their ranking:",
        table(figures(content), headers),
        content["verdict"],
    ]
    say(content, arguments.json, "\n".join(lines))
    return 0
