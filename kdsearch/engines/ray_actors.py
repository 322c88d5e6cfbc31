"""Engine `ray-actors`: jobs on long-lived Ray actors, those of rung 0 many at a time.

For thousands of students scored with inherited weights: an actor keeps data, supernet and
teacher, and a lot of neighbours shares their prefixes and one call. Higher rungs are handed out
one by one.
"""

from collections import Counter, deque
from collections.abc import Sequence
from math import ceil
from typing import Any

from kdsearch.core.records import Job
from kdsearch.engines.engine import RETRIES, Workshop, lost, refuse_object
from kdsearch.engines.ray_latency import making_room
from kdsearch.engines.ray_start import started
from kdsearch.search.rung import stored_result
from kdsearch.search.source import Source
from kdsearch.stopping import Stopped, heeded

LOT = 32
"""Jobs of rung 0 in one call, at most: a lost worker loses no more than the one it was at."""
POLL_S = 0.5


def run_on_ray_actors(source: Source, shop: Workshop) -> None:
    """See `Engine`."""
    refuse_object(shop)
    with started(shop.workers, shop.cluster) as ray:
        from kdsearch.engines.ray_crew import Crew

        crew = Crew(ray, shop)
        with heeded(), making_room(crew.dismiss):
            try:
                Foreman(source, crew, shop).work()
            finally:
                crew.dismiss()


class Foreman:
    """Hands out a source's jobs to a crew and tells the results."""

    def __init__(self, source: Source, crew: Any, shop: Workshop) -> None:
        from kdsearch.engines.ray_stop import Farewell

        self.source, self.crew = source, crew
        self.farewell = Farewell(shop.progress)
        self.jobs: deque[Job] = deque()
        """Taken from the source and not begun."""
        self.again: deque[Job] = deque()
        """Begun by a worker that was lost."""
        self.losses: Counter[str] = Counter()
        self.is_over = False

    def work(self) -> None:
        """Returns when all is done, or, where it was asked to stop, nothing is at work."""
        try:
            while not self.is_finished():
                for ended in self.crew.ended(POLL_S):
                    self.take(*ended)
        finally:
            self.farewell.forget()

    def is_finished(self) -> bool:
        """Whether there is nothing to wait for; hands out what there is to do."""
        if self.farewell.is_begun():
            return not self.crew.busy or self.farewell.is_over()
        self.fill()
        if self.jobs or self.again:
            self.crew.hire()
        while self.crew.idle and (self.jobs or self.again):
            self.crew.give(self.lot())
        return self.is_over and not self.crew.busy and not self.jobs and not self.again

    def fill(self) -> None:
        """Takes from the source what can be begun at once, and no more: what is proposed later
        is proposed with more results."""
        room = self.crew.room - len(self.again)
        while not self.is_over and sum(job.rung > 0 for job in self.jobs) < room:
            if len(self.jobs) >= room * LOT:
                return
            try:
                job = self.source.next()
            except Stopped:  # as it measured: those at work are to end as well
                return
            if job == "wait":
                return
            self.is_over = job is None
            if job is not None:
                self.jobs.append(job)

    def lot(self) -> Sequence[Job]:
        """For one of the idle: a share of what is next at rung 0, or one job."""
        if self.again:
            return [self.again.popleft()]
        lot = [self.jobs.popleft()]
        if lot[0].rung == 0:
            left = 1 + sum(job.rung == 0 for job in self.jobs)
            share = min(LOT, ceil(left / len(self.crew.idle)))
            while len(lot) < share and self.jobs and self.jobs[0].rung == 0:
                lot.append(self.jobs.popleft())
        return lot

    def take(self, jobs: Sequence[Job], results: Sequence[Any], is_lost: bool) -> None:
        """Tells what there is of a call; what is not done is begun again."""
        for result in results:
            self.source.tell(result)
        unfinished = []
        for job in jobs[len(results) :]:
            found = stored_result(job)
            if found is None:
                unfinished.append(job)
            else:
                self.source.tell(found)
        if is_lost and unfinished:
            begun = unfinished[0]
            self.losses[begun.name] += 1
            if self.losses[begun.name] > RETRIES:
                self.source.tell(lost(unfinished.pop(0)))
        self.again.extendleft(reversed(unfinished))
