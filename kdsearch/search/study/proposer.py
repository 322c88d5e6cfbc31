"""Who is tried next: start points first, then what the sampler proposes, each only once."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.seeds import derive
from kdsearch.search.study.journal import Study
from kdsearch.search.study.mirror import Mirror, Question
from kdsearch.search.trial import Trial

LONGEST_WALK = 100
"""So many steps are taken at most from what was tried before to what was not."""


@dataclass(frozen=True, slots=True)
class Start:
    """A candidate that is tried before any is proposed."""

    architecture: Architecture
    recipe: Recipe | None = None
    """None: drawn at random."""

    def as_dict(self) -> dict[str, Any]:
        recipe = None if self.recipe is None else self.recipe.as_dict()
        return {"architecture": self.architecture.as_dict(), "recipe": recipe}


@dataclass
class Proposer:
    """Proposals depend on the run's seed and on the trials alone."""

    study: Study
    question: Question
    starts: Sequence[Start]
    seed: int
    mirror: Mirror = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.mirror = Mirror(self.question)

    def propose(self, batch: int, among: Sequence[Architecture] | None) -> Trial | None:
        """The next trial, recorded as running; None where the sampler has no more.

        Args:
            batch: number of the first trial that is proposed together with it.
            among: the architectures that are worth a trial; None: all.
        """
        number = len(self.study.trials)
        self.mirror.noted = {}
        waiting, retaken = self.latecomers()
        turn = number - retaken
        if waiting:
            candidate: Candidate | None = waiting[0]
        elif self.question.by.enumerates:
            candidate = self.enumerated(turn)
        else:
            candidate = self.start(turn) or self.sampled(number, among)
        if candidate is None:
            return None
        trial = Trial(number, candidate, batch=batch, sampled=self.mirror.noted)
        self.study.add(trial, self.question.pool)
        return trial

    def latecomers(self) -> tuple[list[Candidate], int]:
        """Candidates that a limit came before and that were not taken up again since; how many
        were.
        """
        late = [t for t in self.study.trials if t.is_late]
        if not late:
            return [], 0
        last = {t.candidate: t.number for t in self.study.trials}
        waiting = [t.candidate for t in late if last[t.candidate] == t.number]
        return waiting, len(late) - len(waiting)

    def start(self, number: int) -> Candidate | None:
        if number >= len(self.starts):
            return None
        given = self.starts[number]
        return Candidate(given.architecture, given.recipe or self.recipe(number))

    def recipe(self, number: int) -> Recipe:
        rng = random.Random(derive(self.seed, "sampler", number, "recipe"))
        return self.question.pool.draw_recipe(rng)

    def enumerated(self, number: int) -> Candidate | None:
        if number >= len(self.everyone):
            return None
        return Candidate(self.everyone[number], self.recipe(number))

    @cached_property
    def everyone(self) -> list[Architecture]:
        """Every architecture of the space, in a random order."""
        found = [Architecture.of(p) for p in self.question.pool.architectures.points()]
        random.Random(derive(self.seed, "grid")).shuffle(found)
        return found

    def sampled(self, number: int, among: Sequence[Architecture] | None) -> Candidate:
        """A candidate that was not tried before, where one is found in a few attempts, or near
        what was proposed.
        """
        allowed = None if among is None else frozenset(among)
        enough = [r for r, n in self.study.scored.items() if n >= self.question.enough]
        for attempt in range(self.question.by.attempts):
            seed = derive(self.seed, "sampler", number, attempt)
            changed = frozenset(self.study.changed)
            self.study.changed.clear()
            candidate = self.mirror.ask(
                self.study.trials, changed, max(enough, default=0), seed
            )
            is_allowed = allowed is None or candidate.architecture in allowed
            if is_allowed and candidate not in self.study.candidates:
                return candidate
        rng = random.Random(derive(self.seed, "sampler", number, "near"))
        return self.nearest(candidate, among, rng) if among else self.walked(candidate, rng)

    def walked(self, candidate: Candidate, rng: random.Random) -> Candidate:
        """One that was not tried before, few random steps away."""
        for _ in range(LONGEST_WALK):
            if candidate not in self.study.candidates:
                break
            candidate = self.question.pool.step(candidate, rng)
        return candidate

    def nearest(
        self, candidate: Candidate, among: Sequence[Architecture], rng: random.Random
    ) -> Candidate:
        """The architecture most like the proposed one that was not tried with its recipe; where
        all were, the most alike with another recipe.
        """
        encode = self.question.pool.architectures.encode
        here = encode(candidate.architecture.as_dict())
        alike = sorted(among, key=lambda a: (math.dist(here, encode(a.as_dict())), a))
        for architecture in alike:
            found = Candidate(architecture, candidate.recipe)
            if found not in self.study.candidates:
                return found
        return Candidate(alike[0], self.question.pool.draw_recipe(rng))
