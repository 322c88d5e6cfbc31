"""Scores on the test split, of published students alone, each network's taken once."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from kdsearch.config.objectives import objectives_of
from kdsearch.core.objectives import beyond_accuracy
from kdsearch.data.test_split import open_test
from kdsearch.errors import RunError
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.rescore import rescored
from kdsearch.places import Place
from kdsearch.rundir import CARD, mapping
from kdsearch.search.rung import STUDENT

SCORES = ("test_accuracy", "test_accuracy_ci95", "test_scores")
"""Of a point of front.json, and of a student's card."""


def tested(
    context: Context,
    ground: Ground,
    students: Mapping[str, tuple[Sequence[Place], Sequence[nn.Module]]],
) -> dict[str, dict[str, Any]]:
    """By student what it scores on the test split, which stays closed where all was known.

    Args:
        students: by id where its runs lie, and their networks.
    """
    objectives = objectives_of(context.config.search.objectives)
    asked = [one.name for one in objectives if one.scored]
    found = {}
    if all(one.function is None for one in objectives):  # a user's own may say otherwise now
        for name, (runs, _) in students.items():
            scores = kept(context, ground, name, runs)
            if scores and set(asked) <= scores["test_scores"].keys():
                found[name] = scores
    fresh = [name for name in students if name not in found]
    if fresh:
        test = open_test(
            ground.data,
            purpose=f"score of {len(fresh)} published students",
            log=context.run.test_openings,
        )
        for name in fresh:
            networks = students[name][1]
            result = rescored(networks, test, ground.info, beyond_accuracy(objectives))
            found[name] = {
                "test_accuracy": result.top1.accuracy,
                "test_accuracy_ci95": list(result.top1.ci95),
                "test_scores": {n: result.values.get(n) for n in asked},
            }
    return found


def kept(
    context: Context, ground: Ground, student: str, runs: Sequence[Place]
) -> dict[str, Any]:
    """Test scores of these very networks, published before; empty where they were not."""
    folder = context.run.student(student)
    try:
        card = mapping(folder / CARD, *SCORES, "seeds", "data")
    except (RunError, OSError):
        return {}
    weights = folder / STUDENT
    same = (
        card["data"] == str(ground.data.resolve())
        and card["seeds"] == len(runs)
        and weights.exists()
        and weights.read_bytes() == (runs[0] / STUDENT).read_bytes()
    )
    return {name: card[name] for name in SCORES} if same else {}
