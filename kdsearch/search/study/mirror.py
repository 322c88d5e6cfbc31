"""What a sampler proposes, from an in-memory mirror study of one rung.

Optuna has no intermediate values for several objectives and scores a pruned trial as nothing,
so samplers never see the journal: they see the highest rung with enough results (Falkner et
al., 2018, arXiv:1807.01774, sec. 3.2).
"""

import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Axis, Choice, Point
from kdsearch.search.pool import Pool
from kdsearch.search.study.axes import suggest
from kdsearch.search.study.record import frozen_running
from kdsearch.search.trial import Trial


def _tpe(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = MappingProxyType(
    {"tpe": _tpe, "random": lambda seed: RandomSampler(seed=seed)}
)


Direction: TypeAlias = Literal["maximize", "minimize"]


def directions(objectives: int) -> list[Direction]:
    """The first objective is an accuracy, the others are costs."""
    return ["maximize", *(["minimize"] * (objectives - 1))]  # type: ignore[list-item]


def ask(
    pool: Pool, sampler: str, seed: int, known: Sequence[Trial], toward: Sequence[Direction]
) -> Candidate:
    """What the sampler proposes next, from the highest rung with enough results.

    At rung 0 scores are a property of the architecture, so the recipe is drawn at random.
    """
    rung = best_known_rung(known, len(pool.architectures.axes) + 1)
    with_recipe = rung > 0
    mirror = optuna.create_study(directions=toward, sampler=SAMPLERS[sampler](seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        mirror.add_trials(
            [t for k in known if (t := reflect(k, pool, rung, len(toward))) is not None]
        )
        asked = mirror.ask()
        architecture = suggest_all(asked, pool.architectures.axes)
        if not with_recipe:
            recipe = pool.draw_recipe(random.Random(derive(seed, "recipe")))
            return Candidate(Architecture.of(architecture), recipe)
        method = str(suggest(asked, "method", Choice(tuple(pool.methods))))
        axes = {f"{method}.{knob}": axis for knob, axis in pool.methods[method].axes.items()}
        knobs = {n.removeprefix(f"{method}."): v for n, v in suggest_all(asked, axes).items()}
    return Candidate(Architecture.of(architecture), Recipe.of(method, knobs))


def suggest_all(asked: optuna.trial.Trial, axes: Mapping[str, Axis]) -> Point:
    return {name: suggest(asked, name, axis) for name, axis in axes.items()}


def best_known_rung(known: Sequence[Trial], parameters: int) -> int:
    """The highest rung with at least max(10, parameters + 1) results, else 0."""
    enough = max(10, parameters + 1)
    top = max((trial.rung for trial in known), default=0)
    full = [r for r in range(top + 1) if sum(r in t.scores for t in known) >= enough]
    return max(full, default=0)


def reflect(trial: Trial, pool: Pool, rung: int, objectives: int) -> FrozenTrial | None:
    """A trial as it stands at one rung; None where it tells nothing there.

    A trial over budget is infeasible at every rung, and was scored at none where nothing is
    inherited: what it misses by is all that a sampler looks at. A running one is known to be
    under way.
    """
    running = trial.state == "running"
    scored = rung in trial.scores or bool(trial.violations)
    if not running and not scored:
        return None
    whole = frozen_running(trial, pool)
    arch = set(pool.architectures.axes)
    names = [n for n in whole.params if rung > 0 or n in arch]
    scores = trial.scores.get(rung) or trial.scores.get(0) or (0.0,) * objectives
    return create_trial(
        state=TrialState.RUNNING if running else TrialState.COMPLETE,
        params={n: whole.params[n] for n in names},
        distributions={n: whole.distributions[n] for n in names},
        values=None if running else list(scores),
        constraints=dict(trial.violations) or None,
    )
