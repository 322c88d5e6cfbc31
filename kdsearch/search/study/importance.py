"""How much of a score's variance each axis explains alone: fANOVA (Hutter, Hoos &
Leyton-Brown, 2014, ICML, sec. 3), by Optuna's evaluator over a study in memory.
"""

from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import FrozenTrial, create_trial

from kdsearch.core.space import Point, Value

optuna.logging.set_verbosity(optuna.logging.WARNING)


def importances(
    points: Sequence[Point], scores: Sequence[float], *, trees: int, seed: int
) -> dict[str, float]:
    """Shares in [0, 1]; what they lack of 1 together lies in how axes act on each other.

    An axis is taken as evenly spread over the values that the points have, whatever its scale.

    Args:
        points: all with the same axes; an axis of a single value explains nothing.
        trees: of the forest that is fitted to the scores.
    """
    names = list(points[0])
    if min(scores) == max(scores):
        return dict.fromkeys(names, 0.0)
    columns = {name: Column([point[name] for point in points]) for name in names}
    study = optuna.create_study()
    study.add_trials(
        [told(point, score, columns) for point, score in zip(points, scores, strict=True)]
    )
    evaluator = FanovaImportanceEvaluator(n_trees=trees, seed=seed)
    found = evaluator.evaluate(study, target=lambda trial: trial.values[0])
    return {name: float(found[name]) for name in names}


class Column:
    """The values of one axis, as an Optuna distribution sees them."""

    def __init__(self, values: Sequence[Value]) -> None:
        self.named = any(isinstance(value, str) for value in values)
        self.distinct = sorted(set(values), key=str if self.named else None)

    @property
    def distribution(self) -> BaseDistribution:
        if self.named:
            return CategoricalDistribution(self.distinct)
        return FloatDistribution(0.0, 1.0)

    def place(self, value: Value) -> Value:
        """A number's place is the middle of its cell, all cells being of one width."""
        if self.named:
            return value
        return (self.distinct.index(value) + 0.5) / len(self.distinct)


def told(point: Point, score: float, columns: dict[str, Column]) -> FrozenTrial:
    return create_trial(
        params={name: columns[name].place(value) for name, value in point.items()},
        distributions={name: columns[name].distribution for name in point},
        value=score,
    )
