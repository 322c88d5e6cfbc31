"""What the driver looks at in each round of Tune's loop: is it to stop, is there a place."""

from typing import Any

from ray import tune

from kdsearch.engines.engine import Workshop, last_words
from kdsearch.engines.ray_room import Room
from kdsearch.engines.ray_searcher import FromSource
from kdsearch.engines.ray_stop import Farewell
from kdsearch.stopping import Stopped


class Watch(tune.Callback):
    """Ends Tune's loop by what it raises."""

    def __init__(self, ray: Any, shop: Workshop, searcher: FromSource) -> None:
        self._searcher = searcher
        self._room = Room(ray, shop)
        self._farewell = Farewell(shop.progress)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its settings to restore from them; there is nothing to restore."""
        return {}

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """
        Raises:
            Stopped: asked to, and the workers have had their time.
            SearchError: no job finds a place.
        """
        if self._farewell.is_begun() and self._farewell.is_over():
            raise Stopped
        states = {trial.status for trial in trials}
        if "RUNNING" in states or "PENDING" not in states:
            self._room.found()
        else:
            self._room.sought()

    def on_trial_recover(
        self, iteration: int, trials: list[Any], trial: Any, **info: Any
    ) -> None:
        self._searcher.said[trial.trial_id] = last_words(trial.get_pickled_error())

    def forget(self) -> None:
        self._farewell.forget()
