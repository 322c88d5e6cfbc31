"""SAMPLERS: who may propose candidates; Optuna's own, each as it does best here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from kdsearch.core.pareto import spread_by_layer


@dataclass(frozen=True, slots=True)
class Sampler:
    make: Callable[[int, int], BaseSampler]
    """From a seed and the number of trials that are planned."""
    about: str
    flat: bool = False
    """Whether it looks at axes that all trials have alone: then every method's knobs are
    shown for every trial, those of other methods in the middle of their ranges."""
    newest: int = 1000
    """So many trials are shown to it, beside the front; the time it takes grows with them."""
    attempts: int = 10
    """How often it is asked for one more candidate that may be tried and was not yet."""
    looks: bool = True
    """Whether it looks at results at all."""
    enumerates: bool = False
    """Whether it takes every architecture once, in a random order, and one fixed recipe."""


def _tpe(seed: int, trials: int) -> BaseSampler:
    """Ozaki et al., 2022, doi:10.1613/jair.1.13188 (several objectives)."""
    return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _nsga2(seed: int, trials: int) -> BaseSampler:
    """Deb et al., 2002, doi:10.1109/4235.996017; generations of a tenth of the trials."""
    size = min(50, max(8, trials // 10))
    return NSGAIISampler(
        seed=seed,
        population_size=size,
        elite_population_selection_strategy=partial(elite, size),
    )


def elite(size: int, study: Study, population: list[FrozenTrial]) -> list[FrozenTrial]:
    """The best, layer by layer and least crowded first, those over budget last; by number.

    As Optuna's own, which however gives them in another order the first time it is asked.
    """
    excess = [max([0.0, *t.constraints.values()]) for t in population]
    within = [t for t, over in zip(population, excess, strict=True) if not over]
    signs = [-1 if d == StudyDirection.MAXIMIZE else 1 for d in study.directions]
    points = [[s * v for s, v in zip(signs, t.values, strict=True)] for t in within]
    chosen = [within[i] for i in spread_by_layer(points, size)]
    beyond = [(over, t) for t, over in zip(population, excess, strict=True) if over]
    beyond.sort(key=lambda pair: (pair[0], pair[1].number))
    chosen += [t for _, t in beyond[: size - len(chosen)]]
    return sorted(chosen, key=lambda t: t.number)


def _gp(seed: int, trials: int) -> BaseSampler:
    """Expected log hypervolume improvement (Ament et al., 2023, arXiv:2310.20708)."""
    return GPSampler(seed=seed, warn_independent_sampling=False)


def _random(seed: int, trials: int) -> BaseSampler:
    return RandomSampler(seed=seed)


SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "tpe": Sampler(
            _tpe, "makes more likely what did well (tree-structured Parzen estimator)"
        ),
        "nsga2": Sampler(
            _nsga2, "crosses the best of each generation; for thousands of trials", flat=True
        ),
        "gp": Sampler(
            _gp,
            "a model of all results (Gaussian process); for up to 200 trials that take long",
            flat=True,
            newest=200,
            attempts=2,  # seconds each, and from the same results it proposes much the same
        ),
        "random": Sampler(_random, "uniform draws; what others are held against", looks=False),
        "grid": Sampler(
            _random,
            "every student once, in a random order, with one fixed recipe",
            looks=False,
            enumerates=True,
        ),
    }
)
