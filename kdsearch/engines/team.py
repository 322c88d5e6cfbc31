"""The seam of who starts the processes that train together; here: torch's `spawn`."""

import os
import socket
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from kdsearch.engines.cluster import Cluster

Order = TypeVar("Order")

HERE = "127.0.0.1"


class Team(NamedTuple):
    """What the processes need."""

    processes: int
    gpus: bool
    """Whether each has one of its own."""
    cluster: Cluster = Cluster()


class Start(Protocol):
    def __call__(self, work: Callable[[Order], None], order: Order, team: Team) -> None:
        """Has each of the processes do `work(order)`; returns when all have.

        The environment tells each its number, see pipeline/team.py. Where one stops with an
        error, so do the others, and an error of the starter's own is raised.
        """


def start_with_torch(work: Callable[[Order], None], order: Order, team: Team) -> None:
    """See `Start`. On this machine."""
    from torch.multiprocessing.spawn import spawn

    spawn(  # type: ignore[no-untyped-call]
        take_place, (work, order, team.processes, free_port()), team.processes
    )


def take_place(
    own: int, work: Callable[[Order], None], order: Order, processes: int, port: int
) -> None:
    """As torchrun tells the processes it starts."""
    os.environ |= {
        "RANK": str(own),
        "LOCAL_RANK": str(own),
        "WORLD_SIZE": str(processes),
        "MASTER_ADDR": HERE,
        "MASTER_PORT": str(port),
    }
    work(order)


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HERE, 0))
        return int(found.getsockname()[1])
