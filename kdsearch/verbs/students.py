"""The verbs that pick students of a run and hand them over."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from kdsearch.core.budget import Bound
from kdsearch.errors import BudgetError, UserError
from kdsearch.pipeline.terminal import terminal_progress
from kdsearch.rundir import RunDir
from kdsearch.verbs.say import say


def query(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.query import asked
    from kdsearch.pipeline.query_words import as_json, words

    try:
        answer = asked(
            RunDir(Path(arguments.run)), arguments.max, arguments.min, arguments.among
        )
    except BudgetError as error:
        tell_refusal(error, arguments.json)
        raise
    say(as_json(answer, arguments.top), arguments.json, words(answer, arguments.top))
    return 0


def deliver(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.query import on_run

    found = RunDir(Path(arguments.run))
    names = tuple(name.strip() for name in arguments.format.split(","))
    bounds = on_run(found, arguments.max, arguments.min)
    try:
        if arguments.dry_run:
            return dry(arguments, found, bounds, names)
        from kdsearch.pipeline.deliver import Order
        from kdsearch.pipeline.deliver import deliver as handed_over
        from kdsearch.pipeline.deliver_words import words

        order = Order(
            bounds,
            Path(arguments.to),
            names,
            arguments.among,
            preprocessing=arguments.preprocessing,
            licence=arguments.licence,
        )
        with terminal_progress(sys.stderr) as progress:
            content = handed_over(found, order, progress)
    except BudgetError as error:
        tell_refusal(error, arguments.json)
        raise
    say(content, arguments.json, "\n".join(words(content)))
    return 0


def dry(
    arguments: argparse.Namespace, run: RunDir, bounds: Sequence[Bound], names: Sequence[str]
) -> int:
    """Which student it would be; nothing is written."""
    from kdsearch.pipeline.deliver_words import plan, plan_words, planned
    from kdsearch.pipeline.place import check_place

    check_place(Path(arguments.to))
    answer = planned(run, bounds, arguments.among)
    content = plan(run, answer, Path(arguments.to), names)
    say(content, arguments.json, plan_words(content, answer))
    return 0


def tell_refusal(error: BudgetError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"student": None, "reason": str(error), **error.facts}))


def export(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.query import asked
    from kdsearch.pipeline.students import checked_words
    from kdsearch.pipeline.students import export as hand_over

    found = RunDir(Path(arguments.run))
    student = arguments.student
    if student is None:
        if not (arguments.max or arguments.min):
            raise UserError("export which student? --student ID or --max latency_ms=0.5")
        student = asked(found, arguments.max, arguments.min).student["id"]
    names = [name.strip() for name in arguments.format.split(",")]
    card = hand_over(
        found,
        student,
        Path(arguments.to),
        names,
        preprocessing=arguments.preprocessing,
        licence=arguments.licence,
    )
    print(checked_words(student, card, Path(arguments.to)))
    return 0
