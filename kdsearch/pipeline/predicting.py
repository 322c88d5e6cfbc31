"""Latencies of candidates at the screen: predicted where that saves measuring.

A prediction is on disk, in the run's folder, before it is used, and is looked up from then on,
so a search that was killed goes on with the numbers it saw. Where a budget lies inside of the
interval the network is measured; so is whatever passes the screen, and every finalist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kdsearch.config.targets import targets_of
from kdsearch.core.budget import resolve
from kdsearch.core.costs_named import QUANTILES, on_target
from kdsearch.core.records import Architecture
from kdsearch.errors import PredictorError
from kdsearch.files import read_json, write_json
from kdsearch.measure.book import CostBook, latency_of, of_latency
from kdsearch.measure.books import Books
from kdsearch.measure.latency import Latency
from kdsearch.measure.predict import FEWEST
from kdsearch.measure.profile import FromProfile, Profile
from kdsearch.measure.worth import Work, is_worth_it
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.profile import NETWORKS, architectures_of, profiled, twice
from kdsearch.search.terms import Terms


def predicted_targets(
    context: Context, ground: Ground, terms: Terms, candidates: int, study: str
) -> dict[str, Profile]:
    """By target the profile that its predictions come from, of those that are predicted on.

    What `auto` comes to is decided once for a study: how much is left to measure, and how many
    trials are asked for, may be other when it goes on, and its trials would not be comparable.

    Args:
        candidates: how many distinct students the search will ask the latency of.
    """
    books, run = ground.books, context.run
    wanted = {book.target.name for _, book in books.asked(terms.costs)}
    known = run.facts().get("predicting", {})
    decided = known.get(study)
    found = {}
    for it in targets_of(context.config):
        if it.title in wanted and it.profile is None and it.predict != "never":
            book = books.by_target[it.title]
            always = it.predict == "always" or book.folder.name in (decided or ())
            if always or (
                decided is None and is_worth_it(work_of(context, ground, book, candidates))
            ):
                profile = profiled(context, ground.info, book)
                if always or is_good(context, it.title, profile):
                    found[it.title] = profile
    if decided is None:
        marks = sorted(books.by_target[name].folder.name for name in found)
        run.note(predicting={**known, study: marks})
    return found


def work_of(context: Context, ground: Ground, book: CostBook, candidates: int) -> Work:
    space = context.space.space
    chosen = architectures_of(space, NETWORKS)
    missing = sum(not book.knows([a]) for a in chosen) + len(twice(chosen))
    ends = [Architecture.of(point) for point in (space.smallest(), space.largest())]
    small, large = (timed.p50_ms for timed in book.latencies(ends).values())
    too_small = space.count() < 2 * FEWEST
    return Work(
        candidates=0 if too_small else candidates,
        networks=missing,
        rounds=book.rounds,
        typical=float((small * large) ** 0.5),
    )


def is_good(context: Context, name: str, profile: Profile) -> bool:
    found = profile.quality
    if found is not None and found.is_good:
        return True
    context.progress.say(
        f"latency {name}: predictions err more than another measurement would; all are measured"
    )
    return False


def predicted_or_measured(
    book: CostBook, profile: Profile, architecture: Architecture
) -> Latency:
    try:
        return FromProfile(profile, book.build).said(architecture)
    except PredictorError:
        return book.latencies([architecture])[architecture.id]


@dataclass(frozen=True)
class Guesses:
    """Costs at the screen, as `Prices.at_screen`."""

    books: Books
    profiles: Mapping[str, Profile]
    """By target, of those that are predicted on."""
    terms: Terms
    largest: Mapping[str, float]
    folder: Path

    def __call__(self, architectures: Sequence[Architecture]) -> dict[str, dict[str, float]]:
        found = {a.id: dict(self.books.first.size(a)) for a in architectures}
        for called, book in self.books.asked(self.terms.costs):
            for name, timed in self.latencies(called, book, architectures).items():
                found[name] |= of_latency(timed, called)
        return found

    def latencies(
        self, called: str, book: CostBook, architectures: Sequence[Architecture]
    ) -> dict[str, Latency]:
        """By architecture id; those that a bound may exclude or not are measured together."""
        profile = self.profiles.get(book.target.name)
        if profile is None:
            return book.latencies(architectures)
        said = {a.id: self.said(book, profile, a) for a in architectures}
        open_ones = [a for a in architectures if self.is_open(said[a.id], called)]
        return said | book.latencies(open_ones)

    def said(self, book: CostBook, profile: Profile, architecture: Architecture) -> Latency:
        """What was predicted before; else measured before; else predicted now; of one that is
        unlike all that was profiled, measured now.
        """
        path = self.folder / book.folder.name / f"{architecture.id}.json"
        if not path.exists():
            if book.knows([architecture]):
                timed = book.latencies([architecture])[architecture.id]
            else:
                timed = predicted_or_measured(book, profile, architecture)
            write_json(path, asdict(timed))
        return latency_of(read_json(path))

    def is_open(self, timed: Latency, called: str) -> bool:
        """Whether a bound lies inside of a prediction's interval."""
        if not timed.predicted:
            return False
        known = {"p50": timed.ci95, "p95": timed.p95_ci95, "p99": timed.p99_ci95}
        intervals = {on_target(QUANTILES[q], called): ends for q, ends in known.items()}
        return any(
            ends[0] <= resolve(bound, self.largest) < ends[1]
            for bound in self.terms.bounds
            if (ends := intervals.get(bound.name)) is not None
        )
