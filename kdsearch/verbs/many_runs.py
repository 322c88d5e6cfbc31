"""The verbs on several searches, and on clusters elsewhere."""

import argparse
import sys
from pathlib import Path

from kdsearch.pipeline.terminal import terminal_progress
from kdsearch.rundir import RunDir
from kdsearch.verbs.say import out_of, say


def batch(arguments: argparse.Namespace) -> int:
    """1 where a cell failed; one whose budget cannot be kept has its answer."""
    if arguments.list:
        return cells(arguments)
    from kdsearch.pipeline.batch import batch as run_all
    from kdsearch.pipeline.batch_results import PAGE, words

    out = out_of(arguments)
    with terminal_progress(sys.stderr) as progress:
        content = run_all(
            arguments.manifest,
            out,
            progress,
            parallel=arguments.parallel,
            overrides=arguments.set,
        )
    say(content, arguments.json, f"{words(content)}\npage: {out / PAGE}")
    return int(any(cell["state"] not in ("done", "unmet") for cell in content["cells"]))


def cells(arguments: argparse.Namespace) -> int:
    """Which there are and what they share; nothing is run."""
    from kdsearch.config.manifest import read_manifest
    from kdsearch.pipeline.shared_stages import listing, listing_words

    content = listing(read_manifest(arguments.manifest, arguments.set).cells)
    say(content, arguments.json, listing_words(content))
    return 0


def submit(arguments: argparse.Namespace) -> int:
    """With --follow the job's own exit code."""
    from kdsearch.pipeline.submit import Order
    from kdsearch.pipeline.submit import submit as hand_over

    order = Order(arguments.config, out_of(arguments).absolute(), arguments.name)
    return hand_over(
        order, arguments.address, shown, overrides=arguments.set, follows=arguments.follow
    )


def search_baselines(arguments: argparse.Namespace) -> int:
    """The run's search against simpler ones; its page shows it, too."""
    from kdsearch.pipeline.baseline_results import text
    from kdsearch.pipeline.baselines import baselines
    from kdsearch.pipeline.report import reported

    found = RunDir(Path(arguments.run))
    with terminal_progress(sys.stderr) as progress:
        content = baselines(found, progress, seeds=arguments.seeds)
    reported(found)
    say(content, arguments.json, text(content))
    return 0


def shown(text: str) -> None:
    """At once: what a job says comes bit by bit."""
    sys.stdout.write(text)
    sys.stdout.flush()
