"""Which students of a small space are worth a training: all of them, scored at rung 0."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdsearch.core.budget import broken
from kdsearch.core.ladder import screened
from kdsearch.core.objectives import in_order
from kdsearch.core.records import Architecture, Job, Result
from kdsearch.search.terms import Costs, Prices, Terms

WIDER = 3
"""So many times the layers are looked at closer, where the first look is at size alone."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Costs that are counted narrow the choice before any latency is measured."""

    counted: Costs
    """Without a measurement."""
    prices: Prices
    terms: Terms

    def promising(
        self, jobs: Sequence[Job], results: Mapping[str, Result]
    ) -> list[Architecture]:
        """Those within the bounds that lie in the layers which the screen lets pass.

        Args:
            jobs: rung 0 of every architecture.
            results: by the jobs' names.
        """
        scored = {
            job.architecture: results[job.name]
            for job in jobs
            if results[job.name].state == "done"
        }
        names = [one.name for one in self.terms.objectives if not one.scored]
        first = self.counted(list(scored))
        known = all(name in costs for costs in first.values() for name in names)
        if not known:
            scored = {a: scored[a] for a in self.rough(scored, first)}
        return self.kept(scored, self.prices.of(list(scored)), self.terms.keep_layers)

    def rough(
        self, scored: Mapping[Architecture, Result], counted: Mapping[str, Mapping[str, float]]
    ) -> list[Architecture]:
        """As if every cost that takes a measurement went with the multiply-accumulates."""
        filled = {
            name: {**{o.name: costs["macs"] for o in self.terms.objectives}, **costs}
            for name, costs in counted.items()
        }
        return self.kept(scored, filled, WIDER * self.terms.keep_layers)

    def kept(
        self,
        scored: Mapping[Architecture, Result],
        costs: Mapping[str, Mapping[str, float]],
        layers: int,
    ) -> list[Architecture]:
        terms, largest = self.terms, self.prices.largest
        within = [a for a in scored if not broken(terms.bounds, costs[a.id], largest)]
        points = [
            in_order(
                {**costs[a.id], "accuracy": scored[a].accuracy or 0.0, **scored[a].scores},
                terms.objectives,
            )
            for a in within
        ]
        return [a for a, keep in zip(within, screened(points, layers), strict=True) if keep]
