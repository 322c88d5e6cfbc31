"""A Tune trainable whose actor keeps data, supernet and teacher from job to job."""

from typing import Any

from ray import tune

from kdsearch.core.progress import Silent
from kdsearch.engines.engine import Make
from kdsearch.engines.ray_device import settled
from kdsearch.engines.ray_searcher import SAID, TROUBLE
from kdsearch.engines.ray_stop import heed
from kdsearch.engines.travel import as_job, as_trouble
from kdsearch.search.setting import Setting
from kdsearch.stopping import Stopped


class Worker(tune.Trainable):
    """One step is one job; `config` holds the job and the setting, both plain."""

    def setup(  # type: ignore[override]  # with_parameters adds the rest
        self, config: dict[str, Any], setting: Setting, make: Make
    ) -> None:
        heed()
        own, self.said = settled(setting)
        self.work = make(own, Silent(), None)
        self.job = as_job(config["job"])

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.job = as_job(config["job"])
        return True

    def step(self) -> dict[str, Any]:
        """What goes wrong beside the job is handed to the driver: Tune would retry it, and
        take the worker for lost.
        """
        told: dict[str, Any] = {"told": 1, "done": True, SAID: self.said}
        try:
            self.work(self.job)
        except Stopped:
            pass  # the job has its checkpoint
        except Exception as error:
            told[TROUBLE] = as_trouble(error)
        return told

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """The job keeps its own checkpoint."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """The job goes on from its own checkpoint."""
