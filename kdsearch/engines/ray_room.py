"""What a job takes of the cluster, and how long one may wait for a place."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from kdsearch.core.progress import Progress
from kdsearch.engines.cluster import Cluster, even_share
from kdsearch.engines.engine import Workshop
from kdsearch.engines.ray_start import address_of, is_up, started
from kdsearch.errors import KdsearchError, SearchError, UserError
from kdsearch.search.setting import AUTO

PATIENCE_S = 300.0
"""Nodes of a cluster that grows take minutes to come."""
NOTICE_S = 15.0
KINDS = ("CPU", "GPU")


def asked_of(ray: Any, shop: Workshop) -> dict[str, float]:
    """By Ray's name of the resource what each job takes."""
    gpu = shop.cluster.gpu
    if gpu is None:
        there, device = gpus_of(ray), shop.setting.device
        takes_one = device.startswith("cuda") or (device == AUTO and there > 0)
        gpu = even_share(shop.workers, there) if takes_one else 0.0
    return {"CPU": shop.cluster.cpu, "GPU": gpu}


def gpus_of(ray: Any) -> int:
    """That are there now."""
    return int(ray.cluster_resources().get("GPU", 0))


def gpus_there(workers: int, cluster: Cluster) -> int:
    """That the cluster has now; this machine's, where one of our own would be started."""
    if address_of(cluster) is None and not is_up():
        return torch.cuda.device_count()
    with started(workers, cluster) as ray:
        return gpus_of(ray)


class Room:
    """Watches that there is a place for at least one job.

    Raises:
        UserError: a cluster of our own has none, and will not grow.
    """

    def __init__(
        self,
        ray: Any,
        shop: Workshop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ray, self._clock = ray, clock
        self._progress: Progress = shop.progress
        self._asked = asked_of(ray, shop)
        self._since: float | None = None
        self._is_told = False
        self._patience = PATIENCE_S
        if address_of(shop.cluster) is None and not self._fits():
            raise self._error("no node has as much", UserError)

    def found(self) -> None:
        """There is a place."""
        self._since = None

    def sought(self) -> None:
        """There is none yet, or none any more.

        Raises:
            SearchError: for too long now.
        """
        now = self._clock()
        self._since = now if self._since is None else self._since
        waited = now - self._since
        if waited > self._patience:
            raise self._error(f"none was free for {self._patience:.0f} s")
        if waited > NOTICE_S and not self._is_told:
            self._is_told = True
            self._progress.say(f"waiting for a node with {words(self._asked)} free")

    def _fits(self) -> bool:
        return any(
            all(node.get(kind, 0.0) >= amount for kind, amount in self._asked.items())
            for node in totals(self._ray)
        )

    def _error(self, why: str, kind: type[KdsearchError] = SearchError) -> KdsearchError:
        whose = "this machine" if kind is UserError else "the cluster"
        has = "; ".join(words(node) for node in totals(self._ray)) or "no node"
        return kind(
            f"no worker can be placed: each takes {words(self._asked)}, and {why}; {whose} "
            f"has: {has}; see ray.resources and search.workers"
        )


def totals(ray: Any) -> list[Mapping[str, float]]:
    """What each node that is up has, in all."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def words(resources: Mapping[str, float]) -> str:
    """'2 CPU, 0.25 GPU'; without those there are none of."""
    told = [f"{resources[kind]:g} {kind}" for kind in KINDS if resources.get(kind)]
    return ", ".join(told) or "no CPU"
