"""SAMPLERS: who may propose candidates; Optuna's own, each as it does best here."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import optuna
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler


@dataclass(frozen=True, slots=True)
class Sampler:
    make: Callable[[int, int], BaseSampler]
    """From a seed and the number of trials that are planned."""
    flat: bool = False
    """Whether it looks at axes that all trials have alone: then every method's knobs are
    shown for every trial, those of other methods in the middle of their ranges."""
    newest: int = 1000
    """So many trials are shown to it, beside the front; the time it takes grows with them."""
    looks: bool = True
    """Whether it looks at results at all."""
    enumerates: bool = False
    """Whether it takes every architecture once, in a random order, and one fixed recipe."""


def _tpe(seed: int, trials: int) -> BaseSampler:
    """Ozaki et al., 2022, doi:10.1613/jair.1.13188 (several objectives)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _nsga2(seed: int, trials: int) -> BaseSampler:
    """Deb et al., 2002, doi:10.1109/4235.996017; generations of a tenth of the trials."""
    return NSGAIISampler(seed=seed, population_size=min(50, max(8, trials // 10)))


def _gp(seed: int, trials: int) -> BaseSampler:
    """Expected log hypervolume improvement (Ament et al., 2023, arXiv:2310.20708)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return GPSampler(seed=seed, warn_independent_sampling=False)


def _random(seed: int, trials: int) -> BaseSampler:
    return RandomSampler(seed=seed)


SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "tpe": Sampler(_tpe),
        "nsga2": Sampler(_nsga2, flat=True),
        "gp": Sampler(_gp, flat=True, newest=200),
        "random": Sampler(_random, looks=False),
        "grid": Sampler(_random, looks=False, enumerates=True),
    }
)
