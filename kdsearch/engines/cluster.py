"""Where Ray runs, and what a job takes of it."""

import math
from dataclasses import dataclass

DRIVER, WHOLE = "driver", "whole"
"""Who measures latencies, where it is no node set aside."""


@dataclass(frozen=True, slots=True)
class Cluster:
    address: str | None = None
    """None: RAY_ADDRESS, or a cluster of our own on this machine."""
    cpu: float = 1.0
    gpu: float | None = None
    """None: an even share of the GPUs there are, none where training is on processors."""
    latency_node: str = DRIVER
    """DRIVER, WHOLE, or the custom resource of nodes that are set aside."""


def even_share(workers: int, gpus: int) -> float:
    """Of a GPU for each of the workers, so that all of them find a place; one at most.

    Rounded down to Ray's precision.
    """
    on_one = math.ceil(workers / max(1, gpus))
    return math.floor(10_000 / on_one) / 10_000
