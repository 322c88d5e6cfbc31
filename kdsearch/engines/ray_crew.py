"""Long-lived actors: hired, given jobs, replaced when they are lost."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kdsearch.core.progress import Once
from kdsearch.core.records import Job, Result
from kdsearch.engines.engine import Workshop, last_words
from kdsearch.engines.ray_hand import Hand
from kdsearch.engines.ray_room import Room, asked_of
from kdsearch.engines.travel import as_plain
from kdsearch.errors import SearchError

FALLS = 3
"""So many actors in a row that die as they start end the search."""


class Ended(NamedTuple):
    """A call that is over."""

    jobs: Sequence[Job]
    results: Sequence[Result]
    """Of the first of them; of all, unless it was cut short."""
    is_lost: bool
    """Whether its actor was: the first job without a result is the one it had begun."""


class Crew:
    """`shop.workers` actors, each busy with one call at most.

    An actor gets no job before it has answered: one that has no place yet, or is on a node that
    went, costs no job an attempt.
    """

    def __init__(self, ray: Any, shop: Workshop) -> None:
        self._ray, self._shop = ray, shop
        self._room = Room(ray, shop)
        asked = asked_of(ray, shop)
        self._hand = ray.remote(Hand).options(
            num_cpus=asked["CPU"], num_gpus=asked["GPU"], scheduling_strategy="SPREAD"
        )
        self._falls = 0
        self._word = Once(shop.progress)
        self.called: dict[Any, Any] = {}
        """Actors that have yet to answer, by the reference to that."""
        self.idle: list[Any] = []
        self.busy: dict[Any, tuple[Any, Sequence[Job]]] = {}

    @property
    def room(self) -> int:
        """For how many there is work: all before any was hired."""
        is_hired = self.called or self.idle or self.busy
        return len(self.idle) if is_hired else self._shop.workers

    def hire(self) -> None:
        """Has as many as there are to be."""
        while len(self.called) + len(self.idle) + len(self.busy) < self._shop.workers:
            self._call(self._hand.remote(self._shop.setting, self._shop.make))

    def give(self, jobs: Sequence[Job]) -> None:
        """To one that is idle."""
        actor = self.idle.pop()
        self.busy[actor.do.remote([as_plain(job) for job in jobs])] = (actor, jobs)

    def ended(self, seconds: float) -> Iterator[Ended]:
        """What is over by then; waits that long at most.

        Raises:
            SearchError: no actor finds a place, or none lives.
            Exception: what went wrong in an actor, as it is.
        """
        if self.called and not self.idle and not self.busy:
            self._room.sought()
        waiting = [*self.called, *self.busy]
        if not waiting:
            return
        for ref in self._ray.wait(waiting, num_returns=1, timeout=seconds)[0]:
            if ref in self.called:
                self._answered(ref)
            else:
                yield self._done(ref)

    def dismiss(self) -> None:
        """Nobody is left; what they were doing is not finished."""
        busy = (actor for actor, _ in self.busy.values())
        for actor in (*self.called.values(), *self.idle, *busy):
            self._ray.kill(actor)
        self.called.clear()
        self.idle.clear()
        self.busy.clear()

    def _call(self, actor: Any) -> None:
        self.called[actor.is_there.remote()] = actor

    def _answered(self, ref: Any) -> None:
        actor = self.called.pop(ref)
        try:
            self._word.say(self._ray.get(ref))
        except self._ray.exceptions.RayError as error:
            self._fall(actor, error)
            return
        self._falls = 0
        self._room.found()
        self.idle.append(actor)

    def _fall(self, actor: Any, error: Exception) -> None:
        self._ray.kill(actor)
        self._falls += 1
        if self._falls >= FALLS + self._shop.workers:
            words = f"workers die as they start, the last with: {last_words(error)}"
            raise SearchError(words) from error
        self.hire()

    def _done(self, ref: Any) -> Ended:
        actor, jobs = self.busy.pop(ref)
        errors = self._ray.exceptions
        try:
            results = [Result.of(plain) for plain in self._ray.get(ref)]
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.RayError:
            self._replace(actor)
            return Ended(jobs, (), is_lost=True)
        self.idle.append(actor)
        return Ended(jobs, results, is_lost=False)

    def _replace(self, lost: Any) -> None:
        """One that may only be out of reach is ended, and the idle ones are asked whether
        they are still there: a node takes all it holds with it.
        """
        self._ray.kill(lost)
        idle, self.idle = self.idle, []
        for actor in idle:
            self._call(actor)
        self.hire()
