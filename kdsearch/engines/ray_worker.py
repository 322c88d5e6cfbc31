"""A Tune trainable whose actor keeps data, supernet and teacher from job to job."""

from typing import Any

from ray import tune

from kdsearch.core.progress import Silent
from kdsearch.engines.ray_searcher import as_job
from kdsearch.search.rung import Rungs
from kdsearch.search.setting import Setting


class Worker(tune.Trainable):
    """One step is one job; `config` holds the job and the setting, both plain."""

    def setup(  # type: ignore[override]  # with_parameters adds the setting
        self, config: dict[str, Any], setting: Setting
    ) -> None:
        self.work = Rungs(setting, Silent())
        self.job = as_job(config["job"])

    def reset_config(self, config: dict[str, Any]) -> bool:
        self.job = as_job(config["job"])
        return True

    def step(self) -> dict[str, Any]:
        self.work(self.job)
        return {"told": 1, "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """The job keeps its own checkpoint."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """The job goes on from its own checkpoint."""
