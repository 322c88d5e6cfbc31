"""The search, batch by batch: propose, screen with inherited weights, distil the promising.

One batch of candidates at a time: rung 0 for its new architectures, latency measured while
nothing else runs, hard bounds and the screen, then short distillation. What is proposed
depends on earlier batches alone, so neither the number of workers nor a kill changes it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kdsearch.core.budget import Bound, broken
from kdsearch.core.ladder import screened
from kdsearch.core.pareto import spread_by_layer
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture, Job, Result
from kdsearch.core.seeds import derive
from kdsearch.search.pool import Pool
from kdsearch.search.source import Phase
from kdsearch.search.study.journal import Study
from kdsearch.search.trial import Trial, minimised


@dataclass(frozen=True, slots=True)
class Terms:
    """What is searched for, and how."""

    trials: int
    batch: int
    sampler: str
    fractions: tuple[float, ...]
    """Rungs above 0; the last belongs to the finalists."""
    keep_layers: int
    """Non-dominated layers that the screen of rung 0 lets pass."""
    objectives: tuple[str, ...]
    """'accuracy', then costs."""
    bounds: tuple[Bound, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Places:
    inherited: Path | None
    """Results of rung 0, by architecture; None where students have nothing to inherit."""
    trials: Path


Costs = Callable[[Sequence[Architecture]], Mapping[str, Mapping[str, float]]]
"""Costs by name, for each architecture by id: measured or looked up, in that order of calls."""


@dataclass(frozen=True, slots=True)
class Climb:
    study: Study
    pool: Pool
    terms: Terms
    places: Places
    costs: Costs
    largest: Mapping[str, float]
    """Costs of the space's largest student, which relative bounds refer to."""
    progress: Progress
    order: Callable[[Iterable[Architecture]], Sequence[Architecture]] = sorted
    """Of the architectures that are scored with inherited weights: neighbours share work."""

    def phases(self) -> Phase:
        """Yields the jobs of each phase; runs until every trial is told."""
        while batch := self.next_batch():
            results = yield self.inherited_jobs(batch)
            batch = self.screen(batch, results)
            for rung in range(1, len(self.terms.fractions)):
                jobs = [self.job(t, rung) for t in batch if t.state == "running"]
                results = yield jobs
                batch = [climbed(t, rung, results, self.cost(t)) for t in batch]
            self.record(batch)

    def next_batch(self) -> list[Trial]:
        """The batch that is under way, filled up; empty when all trials are told."""
        known, terms = self.study.trials(), self.terms
        first = next((t for t in known if t.state == "running"), None)
        start = len(known) if first is None else first.number
        earlier, batch = known[:start], known[start:]
        end = min(start - start % terms.batch + terms.batch, terms.trials)
        if first is not None and first.batch < start:  # some of its batch are told: it was full
            end = len(known)
        while start + len(batch) < end:
            asked = [*earlier, *batch]
            batch.append(
                self.study.propose(self.pool, terms.sampler, terms.seed, asked, batch=start)
            )
        return batch

    def inherited_jobs(self, batch: Sequence[Trial]) -> list[Job]:
        if self.places.inherited is None:
            return []
        architectures = {t.candidate.architecture.id: t.candidate.architecture for t in batch}
        ordered = self.order(architectures.values())
        return [inherited_job(a, self.places.inherited) for a in ordered]

    def screen(self, batch: Sequence[Trial], results: Mapping[str, Result]) -> list[Trial]:
        """Scores of rung 0; stops what breaks a bound or lies too deep behind the front.

        Where nothing is inherited there is no rung 0, and all within the bounds pass.
        """
        costs = self.costs([t.candidate.architecture for t in batch])
        scored = [self.scored(t, results, costs[t.candidate.architecture.id]) for t in batch]
        if self.places.inherited is None:
            return scored
        told = self.study.trials()[: batch[0].number]
        earlier = [t for t in told if 0 in t.scores and not t.violations]
        alive = [t for t in scored if t.state == "running"]
        points = [minimised(t.scores[0]) for t in (*earlier, *alive)]
        kept = screened(points, self.terms.keep_layers)[len(earlier) :]
        passed = {t.number for t, keep in zip(alive, kept, strict=True) if keep}
        return [
            replace(t, state="stopped", reason="behind the front with inherited weights")
            if t.state == "running" and t.number not in passed
            else t
            for t in scored
        ]

    def scored(
        self, trial: Trial, results: Mapping[str, Result], costs: Mapping[str, float]
    ) -> Trial:
        fresh = replace(trial, state="running", scores={})
        if self.places.inherited is not None:
            name = inherited_job(trial.candidate.architecture, self.places.inherited).name
            inherited = {self.job(trial, 0).name: results[name]}
            fresh = climbed(fresh, 0, inherited, self.cost(trial))
        missed = broken(self.terms.bounds, costs, self.largest)
        if fresh.state != "running" or not missed:
            return fresh
        reason = "over budget: " + ", ".join(
            f"{name} {costs[name]:.4g} (limit missed by {excess:.0%})"
            for name, excess in missed.items()
        )
        return replace(fresh, state="stopped", violations=missed, reason=reason)

    def cost(self, trial: Trial) -> tuple[float, ...]:
        """The objectives after the first, known since before the batch's distillation."""
        architecture = trial.candidate.architecture
        costs = self.costs([architecture])[architecture.id]
        return tuple(costs[name] for name in self.terms.objectives[1:])

    def job(self, trial: Trial, rung: int) -> Job:
        return trial_job(trial, rung, self.places.trials, self.terms.seed)

    def record(self, batch: Sequence[Trial]) -> None:
        """Tells the study, in the order of numbers, what it does not know yet."""
        known = self.study.trials()
        for trial in batch:
            if known[trial.number].state == "running":
                done = replace(trial, state="complete") if trial.state == "running" else trial
                self.study.tell(done)
        told = self.study.trials()
        done_count = sum(t.state != "running" for t in told)
        self.progress.step("search", done_count, summary(told))


def climbed(
    trial: Trial, rung: int, results: Mapping[str, Result], cost: tuple[float, ...]
) -> Trial:
    """The trial after a rung: one more score, or failed with its reason."""
    if trial.state != "running":
        return trial
    result = results[job_name(trial.number, rung)]
    if result.state != "done" or result.accuracy is None:
        return replace(trial, state="failed", reason=f"{result.state}: {result.reason}")
    return replace(trial, scores={**trial.scores, rung: (result.accuracy, *cost)})


def job_name(number: int, rung: int) -> str:
    return f"trial {number}, rung {rung}"


def trial_job(trial: Trial, rung: int, trials: Path, seed: int) -> Job:
    return Job(
        job_name(trial.number, rung),
        rung,
        trial.candidate.architecture,
        trial.candidate.recipe,
        derive(seed, "trial", trial.number),
        str(trials / f"{trial.number:04d}"),
    )


def inherited_job(architecture: Architecture, folder: Path) -> Job:
    """Rung 0 is a property of the architecture: one result, whatever the trial."""
    return Job(
        f"inherited {architecture.id}", 0, architecture, None, 0, str(folder / architecture.id)
    )


def summary(trials: Sequence[Trial]) -> str:
    """'12 trained, 20 stopped, 1 failed, best 97.2 %'."""
    counts = {s: sum(t.state == s for t in trials) for s in ("complete", "stopped", "failed")}
    best = max((t.scores[t.rung][0] for t in trials if t.state == "complete"), default=None)
    words = [f"{n} {word}" for word, n in counts.items() if n]
    return ", ".join([*words, *([f"best {best:.1%}"] if best is not None else [])])


def survivors(trials: Sequence[Trial], count: int) -> Iterator[Trial]:
    """Up to `count` completed trials, layer by layer from the front of the highest rung."""
    done = [t for t in trials if t.state == "complete"]
    if not done:
        return
    top = max(t.rung for t in done)
    ranked = [t for t in done if t.rung == top]
    for index in spread_by_layer([minimised(t.scores[top]) for t in ranked], count):
        yield ranked[index]
