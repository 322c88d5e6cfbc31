"""Which students of a small space are worth a training: all of them, scored at rung 0."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kdsearch.core.budget import broken
from kdsearch.core.ladder import widened
from kdsearch.core.objectives import in_order
from kdsearch.core.pareto import layers
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

    def depths(
        self, jobs: Sequence[Job], results: Mapping[str, Result]
    ) -> dict[Architecture, int]:
        """The non-dominated layer, from 0, of those within the bounds that the screen lets
        pass or would let pass where inherited weights rank badly.

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
            scored = {a: scored[a] for a in self.rough(self.within(scored, first), first)}
        costs = self.prices.screening(list(scored))
        return self.kept(self.within(scored, costs), costs, widened(self.terms.keep_layers, 0))

    def rough(
        self, scored: Mapping[Architecture, Result], counted: Mapping[str, Mapping[str, float]]
    ) -> Iterable[Architecture]:
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
        depth: int,
    ) -> dict[Architecture, int]:
        """The layers of those in the first `depth`."""
        points = [
            in_order(
                {**costs[a.id], "accuracy": result.accuracy or 0.0, **result.scores},
                self.terms.objectives,
            )
            for a, result in scored.items()
        ]
        return {a: n for a, n in zip(scored, layers(points), strict=True) if n < depth}

    def within(
        self, scored: Mapping[Architecture, Result], costs: Mapping[str, Mapping[str, float]]
    ) -> dict[Architecture, Result]:
        """Those that break no bound, as far as their costs are known."""
        bounds, largest = self.terms.bounds, self.prices.largest
        return {a: r for a, r in scored.items() if not broken(bounds, costs[a.id], largest)}
