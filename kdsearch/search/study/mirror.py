"""What a sampler proposes, from an in-memory mirror study of one rung.

Optuna has no intermediate values for several objectives and scores a pruned trial as nothing,
so samplers never see the journal: they see the highest rung with enough results (Falkner et
al., 2018, arXiv:1807.01774, sec. 3.2).
"""

import random
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from kdsearch.core.objectives import Objective, minimised
from kdsearch.core.pareto import layers
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.seeds import derive
from kdsearch.core.space import Axis, Choice, Value
from kdsearch.search.pool import Pool
from kdsearch.search.study.axes import (
    distribution,
    flat_axes,
    flat_parameters,
    joint_axes,
    knob_axes,
    suggest,
    to_optuna,
)
from kdsearch.search.study.samplers import SAMPLERS, Sampler
from kdsearch.search.trial import Trial

Direction: TypeAlias = Literal["maximize", "minimize"]

LASTS = 200
"""Proposals that a mirror is made for: what it leaves behind may not grow."""


def directions(objectives: Sequence[Objective]) -> list[Direction]:
    return ["maximize" if one.maximised else "minimize" for one in objectives]


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched, and who proposes."""

    pool: Pool
    objectives: Sequence[Objective]
    sampler: str
    trials: int
    """How many are planned."""
    bounded: bool = False
    """Whether there is a budget that trials may break."""

    @property
    def by(self) -> Sampler:
        return SAMPLERS[self.sampler]

    @property
    def enough(self) -> int:
        """Results that a rung needs before proposals come from it (BOHB's rule)."""
        return max(10, len(self.pool.architectures.axes) + 2)


@dataclass
class Mirror:
    """One rung's results as an Optuna study, kept up to date trial by trial.

    What it shows depends on the trials alone, not on when it was told of them.
    """

    question: Question
    rung: int = -1
    first: int = 0
    """Older trials are shown only if they are of the front."""
    study: optuna.Study = field(init=False, repr=False)
    asked: int = 0
    """How often since it was made: each time leaves something behind."""
    places: dict[int, int] = field(default_factory=dict)
    """Numbers in the mirror, by number."""
    noted: Mapping[str, int] = field(default_factory=dict)
    """What the sampler noted on its last proposal, to be shown to it again."""

    def ask(
        self, known: Sequence[Trial], changed: Collection[int], rung: int, seed: int
    ) -> Candidate:
        """What the sampler proposes next.

        At rung 0 scores are a property of the architecture, so the recipe is drawn at random.

        Args:
            known: all trials, by number.
            changed: numbers of those that are new, or other than at the last call.
            rung: whose results are shown, see `Scored`.
        """
        self.show(known, changed, rung)
        with quiet():
            self.study.sampler = self.question.by.make(seed, self.question.trials)
            trial = self.study.ask()
            candidate = self.proposed(trial, random.Random(derive(seed, "recipe")))
            # What was asked carries more than its parameters, and TPE looks at it: forgotten
            # here, it is shown as any other trial is, so a mirror made anew shows the same.
            told = self.study.tell(trial, state=TrialState.FAIL)
        self.asked += 1
        self.noted = {n: v for n, v in told.system_attrs.items() if isinstance(v, int)}
        return candidate

    def proposed(self, trial: optuna.trial.Trial, rng: random.Random) -> Candidate:
        pool = self.question.pool
        if self.rung > 0 and self.question.by.flat:
            values = suggest_all(trial, flat_axes(pool))
            return candidate_of(pool, values)
        values = suggest_all(trial, pool.architectures.axes)
        if self.rung == 0:
            return Candidate(Architecture.of(values), pool.draw_recipe(rng))
        method = str(suggest(trial, "method", Choice(tuple(pool.methods))))
        axes = {**knob_axes(pool, method), **pool.training_of(method).axes}
        return candidate_of(pool, {**values, "method": method, **suggest_all(trial, axes)})

    def show(self, known: Sequence[Trial], changed: Collection[int], rung: int) -> None:
        """Brings the mirror up to date."""
        if not self.question.by.looks:
            known, changed, rung = (), (), 1
        first = window(len(known), self.question.by.newest)
        if (rung, first) != (self.rung, self.first) or self.asked >= LASTS:
            self.rung, self.first, self.asked = rung, first, 0
            self.places = {}
            toward = directions(self.question.objectives)
            self.study = optuna.create_study(directions=toward)
            shown = sorted({*self.old_front(known[:first]), *range(first, len(known))})
        else:
            shown = sorted(n for n in changed if n >= first)
        with quiet():
            for number in shown:
                self.reflect(known[number])

    def old_front(self, old: Sequence[Trial]) -> list[int]:
        """Numbers of the best of those that are too old to be shown."""
        scored = [t for t in old if self.rung in t.scores and not t.violations]
        points = [minimised(t.scores[self.rung], self.question.objectives) for t in scored]
        return [t.number for t, deep in zip(scored, layers(points), strict=True) if not deep]

    def reflect(self, trial: Trial) -> None:
        """Shows a trial as it stands now; where it tells nothing, it is left out."""
        place, record = self.places.get(trial.number), shown(trial, self.question, self.rung)
        if place is None:
            if record is not None:
                self.places[trial.number] = len(self.study.get_trials(deepcopy=False))
                self.study.add_trial(record)
            return
        stands = self.study.get_trials(deepcopy=False)[place]
        if stands.state.is_finished() or (record and record.state == stands.state):
            return
        if record is None:
            self.study.tell(place, state=TrialState.FAIL)
            return
        handle = optuna.trial.Trial(self.study, stands._trial_id)
        for name, excess in constraints(trial, self.question).items():
            handle.set_constraint(name, excess)
        self.study.tell(place, record.values)


def shown(trial: Trial, question: Question, rung: int) -> FrozenTrial | None:
    """A trial as it stands at one rung; None where it tells nothing there.

    A trial over budget is infeasible at every rung, and was scored at none where nothing is
    inherited: what it misses by is all that a sampler looks at. A running one without a score
    there is known to be under way.
    """
    is_known = rung in trial.scores or bool(trial.violations)
    if not is_known and trial.state != "running":
        return None
    parameters, axes = shown_parameters(trial.candidate, question, rung)
    values = trial.scores.get(rung) or trial.scores.get(0) or (0.0,) * len(question.objectives)
    return create_trial(
        state=TrialState.COMPLETE if is_known else TrialState.RUNNING,
        params={n: to_optuna(axes[n], value) for n, value in parameters.items()},
        distributions={n: distribution(axes[n]) for n in parameters},
        values=list(values) if is_known else None,
        constraints=constraints(trial, question) if is_known else None,
        system_attrs=dict(trial.sampled),
    )


def constraints(trial: Trial, question: Question) -> dict[str, float]:
    """The budget as one constraint that every trial has: what is missed most, 0 if nothing is.

    A Gaussian process wants the same constraints of all trials.
    """
    if not question.bounded:
        return {}
    return {"budget": max(trial.violations.values(), default=0.0)}


def shown_parameters(
    candidate: Candidate, question: Question, rung: int
) -> tuple[Mapping[str, Value], Mapping[str, Axis]]:
    """In the order in which they are asked for: a sampler's draws depend on it."""
    pool = question.pool
    axes: Mapping[str, Axis] = pool.architectures.axes
    if rung > 0:
        method = candidate.recipe.method
        axes = flat_axes(pool) if question.by.flat else joint_axes(pool, method)
    return flat_parameters(candidate, axes), axes


def candidate_of(pool: Pool, values: Mapping[str, Value]) -> Candidate:
    """From flat names; what belongs to other methods is left out."""
    method = str(values["method"])
    architecture = {name: values[name] for name in pool.architectures.axes}
    knobs = {name: values[f"{method}.{name}"] for name in pool.methods[method].axes}
    training = {name: values[name] for name in pool.training_of(method).axes}
    return Candidate(Architecture.of(architecture), Recipe.of(method, knobs, training))


def suggest_all(asked: optuna.trial.Trial, axes: Mapping[str, Axis]) -> dict[str, Value]:
    return {name: suggest(asked, name, axis) for name, axis in axes.items()}


def window(known: int, newest: int) -> int:
    """The first trial shown of so many known; moves in steps, so that mirrors last."""
    step = max(1, newest // 4)
    return max(0, known - newest) // step * step


@contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
