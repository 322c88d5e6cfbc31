"""An actor of engine `ray-actors`: keeps data, supernet and teacher from call to call."""

from typing import Any

from kdsearch.core.progress import Silent
from kdsearch.engines.engine import Make
from kdsearch.engines.ray_device import settled
from kdsearch.engines.ray_stop import heed
from kdsearch.engines.travel import as_job
from kdsearch.search.setting import Setting
from kdsearch.stopping import STOP, Stopped


class Hand:
    def __init__(self, setting: Setting, make: Make) -> None:
        heed()
        own, self.said = settled(setting)
        self.work = make(own, Silent(), None)

    def is_there(self) -> str:
        """Answers at once, with what there is to say of it."""
        return self.said

    def do(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The results of the jobs, in their order; of fewer where it was asked to stop."""
        found: list[dict[str, Any]] = []
        for job in jobs:
            if STOP.is_asked():
                break
            try:
                found.append(self.work(as_job(job)).as_dict())
            except Stopped:
                break
        return found
