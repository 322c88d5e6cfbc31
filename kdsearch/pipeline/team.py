"""Processes that train teacher and supernet together: how each knows of the others.

Whoever starts them (torchrun, engines/teams) tells each its number in the environment.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType

import torch
import torch.distributed as dist

from kdsearch.errors import KdsearchError, UserError

TOLD = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun and Ray Train tell each process they start."""
MESSAGES: Mapping[str, str] = MappingProxyType({"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"})
"""Who carries them, by device; what concerns no weights always stays on the processor."""
PATIENCE = timedelta(days=7)
"""The first may prepare data for hours, or wait for another run's, while the others wait."""


def called() -> int:
    """How many processes this one was started as one of; 1 where nobody says so."""
    if not all(os.environ.get(name) for name in TOLD):
        return 1
    return int(os.environ["WORLD_SIZE"])


def follows() -> bool:
    """Whether this process only trains along with the first one."""
    return called() > 1 and int(os.environ["RANK"]) > 0


@contextmanager
def joined(device: str) -> Iterator[None]:
    """A process group for the block, if this process was started as one of several.

    Raises:
        UserError: there are fewer GPUs than processes.
        KdsearchError: another process stopped.
    """
    if called() == 1 or dist.is_initialized():
        yield
        return
    if device == "cuda":
        torch.cuda.set_device(own_gpu())
    dist.init_process_group(MESSAGES[device], timeout=PATIENCE)
    try:
        yield
    except RuntimeError as error:
        if not is_loss_of_another(error):
            raise
        raise KdsearchError("another of the processes that train together stopped") from error
    finally:
        dist.destroy_process_group()


def own_gpu() -> int:
    own, found = (
        int(os.environ.get("LOCAL_RANK", os.environ["RANK"])),
        torch.cuda.device_count(),
    )
    if own >= found:
        raise UserError(
            f"processes: {called()} train together, but this machine has {found} GPUs; "
            "one process a GPU"
        )
    return own


def is_loss_of_another(error: RuntimeError) -> bool:
    """A message to a process that ended fails as a connection, with no error of its own."""
    return isinstance(error, dist.DistError) or "closed by peer" in str(error)
