"""Standalone trainings of many students: what the ranking by inherited weights is held
against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.core.seeds import derive
from kdsearch.search.source import Phase


@dataclass(frozen=True, slots=True)
class Standalones:
    """Each student trained alone from fresh weights, several times."""

    architectures: Sequence[Architecture]
    recipe: Recipe
    seeds: int
    folder: Path
    """Shared by all audits that train alike; the seeds are the same in all of them."""

    def job(self, architecture: Architecture, number: int) -> Job:
        return Job(
            name=f"standalone {architecture.id}, seed {number}",
            rung=1,
            architecture=architecture,
            recipe=self.recipe,
            seed=derive(0, "standalone", number),
            folder=str(self.folder / architecture.id / f"seed{number}"),
        )

    def phases(self) -> Phase:
        """Seed by seed, so that an interrupted audit has whole rankings."""
        for number in range(self.seeds):
            yield [self.job(architecture, number) for architecture in self.architectures]
