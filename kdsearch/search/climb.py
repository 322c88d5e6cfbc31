"""The search: propose, screen with inherited weights, distil the promising, rung by rung.

Candidates are proposed a few at a time, whenever a worker would be idle: rung 0 for their
architectures, costs (latency is measured while nothing else runs), hard bounds and the screen.
Those that pass climb one by one; whether a trial goes up from a rung is decided the moment its
score is in, beside what is known there by then (see core/ladder.py). All that is decided is in
the study before anything depends on it, so a search that was killed goes on as if it had not
been. With one worker it repeats exactly; with several, the order in which they finish counts.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from kdsearch.core.budget import broken
from kdsearch.core.ladder import climbs, is_audited, screened, share_of, widened
from kdsearch.core.objectives import minimised
from kdsearch.core.pareto import Values
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture, Job, Result
from kdsearch.search.agreement import tau_between
from kdsearch.search.jobs import drop_checkpoint, inherited_job, trial_job
from kdsearch.search.leavings import is_begun
from kdsearch.search.limits import Limits
from kdsearch.search.source import NO_TRIALS_FAULT, Bugs, adopted
from kdsearch.search.study.journal import Study
from kdsearch.search.study.proposer import Proposer
from kdsearch.search.survivors import summary
from kdsearch.search.terms import Places, Prices, Terms
from kdsearch.search.trial import OUT_OF_TIME, Trial

HOPELESS = "behind the front with inherited weights"
OVERTAKEN = "not among the best at rung {rung}"


@dataclass
class Climb:
    """A `Source` of jobs; what is found on disk is not done again."""

    study: Study
    proposer: Proposer
    terms: Terms
    places: Places
    prices: Prices
    limits: Limits
    progress: Progress
    order: Callable[[Iterable[Architecture]], Sequence[Architecture]] = sorted
    """Of the architectures that are scored with inherited weights: neighbours share work."""
    depths: Mapping[Architecture, int] | None = None
    """Where all of a small space were scored: the layers of those that may pass the screen."""
    jobs: deque[Job] = field(default_factory=deque)
    flight: dict[str, Job] = field(default_factory=dict)
    climbers: dict[str, int] = field(default_factory=dict)
    """Number of the trial, by the name of its job."""
    inherited: dict[str, Result] = field(default_factory=dict)
    """Results of rung 0, by architecture."""
    batch: list[int] = field(default_factory=list)
    """Numbers of the trials that are proposed and not screened yet."""
    bugs: Bugs = field(default_factory=Bugs)
    held: list[tuple[Job, Result]] = field(default_factory=list)
    """Failed by no fault of theirs, one after the other: may be the whole search's."""

    def __post_init__(self) -> None:
        """Takes up what is under way: a batch that is not screened, then those that climb."""
        if not self.places.weights:
            self.drop_checkpoints()
        under_way = [t for t in self.study.trials if t.state == "running"]
        if fresh := [t for t in under_way if not t.passed]:
            self.open_batch(fresh[0].batch)
        for trial in sorted((t for t in under_way if t.passed), key=lambda t: -t.rung):
            self.jobs.append(self.job(trial, max(trial.rung, 0) + 1))

    def next(self) -> Job | Literal["wait"] | None:
        while True:
            if self.batch and self.is_scored() and self.is_priced():
                self.screen()
            elif self.jobs:
                if (job := self.begun(self.jobs.popleft())) is not None:
                    return job
            elif not self.batch and self.may_propose():
                self.open_batch(len(self.study.trials))
            elif self.flight:
                return "wait"
            elif self.held:
                self.fail_held()
            else:
                return None

    def begun(self, job: Job) -> Job | None:
        """The job, unless it was done before or its trial comes too late."""
        if (found := adopted(job)) is not None:
            self.take(job, found)
            return None
        if job.rung == 1 and not is_begun(job) and self.limits.reached(self.study.trials):
            trial = self.study.trials[self.climbers.pop(job.name)]
            self.note(replace(trial, state="stopped", reason=OUT_OF_TIME))
            return None
        self.flight[job.name] = job
        return job

    def tell(self, result: Result) -> None:
        job = self.flight.pop(result.job)
        self.limits.spend(result)
        self.take(job, result)
        self.bugs.count(job, result)

    # Proposing.

    def may_propose(self) -> bool:
        trials = self.study.trials
        return len(trials) < self.most() and not self.limits.reached(trials)

    def open_batch(self, start: int) -> None:
        """Proposes (the rest of) the batch that starts at this number; scores its students."""
        trials, size = self.study.trials, self.terms.batch
        end = min(start - start % size + size, self.most())
        begun = any(t.passed or t.state != "running" for t in trials[start:])
        while not begun and len(trials) < end:
            among = None if self.audited(len(trials)) else self.promising()
            if self.proposer.propose(start, among) is None:
                self.limits.stop("every architecture of the space was tried")
                break
        self.batch = [t.number for t in trials[start:] if t.batch == start]
        if self.places.inherited is not None:
            needed = {a.id: a for a in map(self.architecture, self.batch)}
            missing = [a for name, a in needed.items() if name not in self.inherited]
            ordered = self.order(missing)
            self.jobs.extend(inherited_job(a, self.places.inherited) for a in ordered)

    def most(self) -> int:
        """How many trials there may be: those that came too late do not count."""
        return self.terms.trials + sum(t.is_late for t in self.study.trials)

    def audited(self, number: int) -> bool:
        return self.terms.audits and is_audited(self.terms.seed, number)

    def architecture(self, number: int) -> Architecture:
        return self.study.trials[number].candidate.architecture

    # The screen.

    def is_scored(self) -> bool:
        needed = (self.architecture(n).id for n in self.batch)
        return self.places.inherited is None or all(i in self.inherited for i in needed)

    def is_priced(self) -> bool:
        """Whether what the batch costs may be asked for now."""
        return not self.flight or self.prices.are_known(map(self.architecture, self.batch))

    def screen(self) -> None:
        """Notes what rung 0 says of a batch; stops what breaks a bound or lies too deep.

        Where nothing is inherited there is no rung 0, and all within the bounds pass.
        """
        costs = self.prices.screening([self.architecture(n) for n in self.batch])
        scored = [
            self.scored(self.study.trials[n], costs[self.architecture(n).id])
            for n in self.batch
        ]
        passing = self.passing([t for t in scored if t.state == "running"])
        for trial in self.known(scored, passing):
            if self.study.trials[trial.number] != trial.as_proposed():
                continue  # noted already, before a kill
            if trial.state == "running" and trial.number not in passing:
                trial = replace(trial, state="stopped", reason=HOPELESS)
            self.note(replace(trial, passed=trial.state == "running"))
        self.batch = []

    def known(self, scored: Sequence[Trial], passing: Collection[int]) -> Sequence[Trial]:
        """Where costs were predicted: with those measured of the passing ones."""
        if self.prices.at_screen is None or not passing:
            return scored
        costs = self.prices.of([self.architecture(n) for n in sorted(passing)])
        return [
            self.scored(t, costs[t.candidate.architecture.id]) if t.number in passing else t
            for t in scored
        ]

    def scored(self, trial: Trial, costs: Mapping[str, float]) -> Trial:
        fresh = trial.as_proposed()
        if self.places.inherited is not None:
            result = self.inherited[trial.candidate.architecture.id]
            fresh = climbed(fresh, result, self.values(result, costs))
        missed = broken(self.terms.bounds, costs, self.prices.largest)
        if fresh.state != "running" or not missed:
            return fresh
        reason = "over budget: " + ", ".join(
            f"{name} {costs[name]:.4g} (limit missed by {excess:.0%})"
            for name, excess in missed.items()
        )
        return replace(fresh, state="stopped", violations=missed, reason=reason)

    def passing(self, alive: Sequence[Trial]) -> set[int]:
        """Numbers of those within the bounds that are worth a training."""
        numbers = {t.number for t in alive}
        if self.places.inherited is None or not alive:
            return numbers
        hopeful = self.promising()
        if hopeful is not None:
            kept = {t.number for t in alive if t.candidate.architecture in hopeful}
        else:
            told = self.study.trials[: alive[0].batch]
            earlier = [t for t in told if 0 in t.scores and not t.violations]
            points = [self.point(t, 0) for t in (*earlier, *alive)]
            keeps = screened(points, self.passed_layers())[len(earlier) :]
            kept = {t.number for t, keep in zip(alive, keeps, strict=True) if keep}
        return kept | {n for n in numbers if self.audited(n)}

    def promising(self) -> list[Architecture] | None:
        """The students of a small space that pass the screen by now; None of a large one."""
        if self.depths is None:
            return None
        layers = self.passed_layers()
        return [a for a, depth in self.depths.items() if depth < layers]

    def passed_layers(self) -> int:
        return widened(self.terms.keep_layers, self.tau(0))

    # Climbing.

    def take(self, job: Job, result: Result) -> None:
        """What became of a job, done now or before."""
        if job.rung == 0:
            self.inherited[job.architecture.id] = result
        elif result.state in NO_TRIALS_FAULT:
            self.held.append((job, result))
        else:
            self.fail_held()
            self.climb(job, result)

    def fail_held(self) -> None:
        held, self.held = self.held, []
        for job, result in held:
            self.climb(job, result)

    def climb(self, job: Job, result: Result) -> None:
        """Notes a rung's result, and with it whether the trial goes on."""
        trial = self.study.trials[self.climbers.pop(job.name)]
        costs = self.prices.of([job.architecture])[job.architecture.id]
        trial = climbed(trial, result, self.values(result, costs))
        if trial.state == "running":
            trial = self.decided(trial, job.rung)
        self.note(trial, first=True)

    def decided(self, trial: Trial, rung: int) -> Trial:
        if rung == len(self.terms.fractions) - 1:
            return replace(trial, state="complete")
        others = [t for t in self.study.trials if rung in t.scores and not t.violations]
        points = [self.point(t, rung) for t in (*others, trial)]
        share = share_of(self.terms.reduction, self.tau(rung))
        if self.audited(trial.number) or climbs(points, len(others), share):
            return trial
        return replace(trial, state="stopped", reason=OVERTAKEN.format(rung=rung))

    def note(self, trial: Trial, *, first: bool = False) -> None:
        """Records where a trial stands; queues its next rung if it goes on."""
        self.study.note(trial)
        if trial.state == "running":
            job = self.job(trial, max(trial.rung, 0) + 1)
            (self.jobs.appendleft if first else self.jobs.append)(job)
        elif trial.state != "complete":
            drop_checkpoint(trial_job(trial, 1, self.places, self.terms.seed))
        done = sum(t.state != "running" for t in self.study.trials)
        told = summary(self.study.trials, self.terms.objectives)
        self.progress.step("search", done, told)

    def drop_checkpoints(self) -> None:
        """Of trials that were over when somebody was killed before their checkpoint went."""
        for trial in self.study.trials:
            if trial.state in ("stopped", "failed"):
                drop_checkpoint(trial_job(trial, 1, self.places, self.terms.seed))

    def job(self, trial: Trial, rung: int) -> Job:
        job = trial_job(trial, rung, self.places, self.terms.seed)
        self.climbers[job.name] = trial.number
        return job

    def tau(self, rung: int) -> float | None:
        if not self.terms.audits:
            return None
        return tau_between(self.study.trials, rung, self.terms.seed)

    def point(self, trial: Trial, rung: int) -> Values:
        return minimised(trial.scores[rung], self.terms.objectives)

    def values(self, result: Result, costs: Mapping[str, float]) -> tuple[float, ...] | None:
        """In the objectives' order; None of a job that came to nothing."""
        if result.state != "done" or result.accuracy is None:
            return None
        known = {"accuracy": result.accuracy, **result.scores, **costs}
        return tuple(known[one.name] for one in self.terms.objectives)


def climbed(trial: Trial, result: Result, values: tuple[float, ...] | None) -> Trial:
    """The trial after a rung: one more score, or failed with its reason."""
    if values is None:
        return replace(trial, state="failed", reason=f"{result.state}: {result.reason}")
    return replace(trial, scores={**trial.scores, result.rung: values})
