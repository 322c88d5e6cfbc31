"""Several methods on the same student: the jobs of a comparison, at equal epochs and seconds.

The runs of one seed start from the same weights and see the same images in the same order, so
that methods are compared in pairs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.core.seeds import derive
from kdsearch.search.source import Phase


@dataclass(frozen=True, slots=True)
class Comparison:
    architecture: Architecture
    recipes: Mapping[str, Recipe]
    """By the name that a table shows; the first is the baseline of the step times."""
    places: Mapping[str, str]
    """Where each one's runs lie within `folder`: another recipe, another place."""
    seeds: int
    seed: int
    """Of the whole comparison."""
    folder: Path

    def job(self, name: str, seed: int, steps: int | None = None) -> Job:
        """One training run; `steps` is the length of a schedule of its own."""
        kind = "epochs" if steps is None else "seconds"
        schedule = f"{kind}-{steps or 'all'}"
        return Job(
            name=f"{name}, seed {seed}, equal {kind}",
            rung=1,
            architecture=self.architecture,
            recipe=self.recipes[name],
            seed=derive(self.seed, "compare", seed),
            folder=str(self.folder / self.places[name] / schedule / f"seed{seed}"),
            steps=steps,
        )

    def own(self, name: str, steps: Mapping[str, int]) -> int | None:
        """A method's own length of schedule; None for the first, which sets the seconds."""
        return None if name == next(iter(self.recipes)) else steps[name]

    def jobs(self, steps: Mapping[str, int] | None = None) -> list[Job]:
        """Seed by seed, so that an interrupted comparison has whole pairs; at equal seconds
        those methods that have steps."""
        return [
            self.job(name, seed, None if steps is None else self.own(name, steps))
            for seed in range(self.seeds)
            for name in (self.recipes if steps is None else steps)
        ]


def phases(comparison: Comparison, steps_of: Callable[[], Mapping[str, int]]) -> Phase:
    """Equal epochs first; then, with nothing in flight, step times; then equal seconds."""
    yield comparison.jobs()
    yield comparison.jobs(steps_of())


def equal_seconds(ratios: Mapping[str, float], steps: int) -> dict[str, int]:
    """Steps that take each method as long as `steps` take the first."""
    return {name: max(1, round(steps / ratio)) for name, ratio in ratios.items()}
