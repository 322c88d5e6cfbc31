"""What a search is given: what it is for, where its results lie, what students cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsearch.core.budget import Bound
from kdsearch.core.objectives import Objective
from kdsearch.core.records import Architecture

Costs = Callable[[Sequence[Architecture]], Mapping[str, Mapping[str, float]]]
"""Costs by name, for each architecture by id: measured or looked up, in that order of calls."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is searched for, and how."""

    trials: int
    batch: int
    fractions: tuple[float, ...]
    """Rungs above 0; the last belongs to the finalists."""
    keep_layers: int
    """Non-dominated layers that the screen of rung 0 lets pass."""
    objectives: tuple[Objective, ...]
    bounds: tuple[Bound, ...]
    seed: int
    reduction: float = 1.0
    """One in so many climbs from a rung to the next; 1: all do."""
    audits: bool = False
    """Whether one in ten goes up whatever it scores: how far do lower rungs tell?"""

    @property
    def costs(self) -> frozenset[str]:
        """Names of all that it depends on."""
        return frozenset((*(o.name for o in self.objectives), *(b.name for b in self.bounds)))


@dataclass(frozen=True, slots=True)
class Places:
    inherited: Path | None
    """Results of rung 0, by architecture; None where students have nothing to inherit."""
    trials: Path
    weights: str = ""
    """An fsspec URL for weights and checkpoints of trials; empty: with their results."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What students cost."""

    of: Costs
    are_known: Callable[[Iterable[Architecture]], bool]
    """Whether `of` has only to look them up: else nothing else may run."""
    largest: Mapping[str, float]
    """Of the space's largest student, which relative bounds refer to."""
    at_screen: Costs | None = None
    """Of candidates that may not pass it: predicted. None: as `of`."""

    @property
    def screening(self) -> Costs:
        return self.at_screen or self.of
