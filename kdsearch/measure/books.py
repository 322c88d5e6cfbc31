"""What students cost on all targets of a run: one cost book a target, the first one's first."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kdsearch.core.costs_named import QUANTILES, on_target
from kdsearch.core.records import Architecture
from kdsearch.measure.book import CostBook, of_latency
from kdsearch.measure.latency import Latency


@dataclass(frozen=True)
class Books:
    by_target: Mapping[str, CostBook]
    """At least one, by the target's name, in the config's order."""

    @property
    def first(self) -> CostBook:
        return next(iter(self.by_target.values()))

    def called(self) -> Iterator[tuple[str, str, CostBook]]:
        """Each target's name, what it is called in the names of costs, and its book."""
        for number, (name, book) in enumerate(self.by_target.items()):
            yield name, name if number else "", book

    def asked(self, names: Iterable[str]) -> list[tuple[str, CostBook]]:
        """The books that costs of these names come from, as they are called there."""
        wanted = frozenset(names)
        return [
            (called, book)
            for _, called, book in self.called()
            if not wanted.isdisjoint(on_target(cost, called) for cost in QUANTILES.values())
        ]

    def costs(
        self, architectures: Sequence[Architecture], names: Collection[str] | None = None
    ) -> dict[str, dict[str, float]]:
        """By architecture id what is counted, and the latencies on the targets that `names`
        speaks of (None: on all of them); measures the missing, target by target.
        """
        found = {a.id: dict(self.first.size(a)) for a in architectures}
        every = [(called, book) for _, called, book in self.called()]
        for called, book in every if names is None else self.asked(names):
            for name, timed in book.latencies(architectures).items():
                found[name] |= of_latency(timed, called)
        return found

    def are_known(self, architectures: Iterable[Architecture], names: Iterable[str]) -> bool:
        """Whether costs of these names have only to be looked up, or are measured apart."""
        students = list(architectures)
        return all(book.is_apart or book.knows(students) for _, book in self.asked(names))

    def measured(
        self, architectures: Sequence[Architecture]
    ) -> dict[str, Mapping[str, Latency]]:
        """By target's name a fresh measurement of all of them in the same rounds."""
        distinct = list({a.id: a for a in architectures}.values())
        return {name: book.measured(distinct) for name, book in self.by_target.items()}
