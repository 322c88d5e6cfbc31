"""What every stage of a run is given: the config, where files go, on what it computes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from kdsearch.config import Config
from kdsearch.config.networks import Training
from kdsearch.config.targets import targets_of
from kdsearch.core.progress import Progress
from kdsearch.core.seeds import derive
from kdsearch.errors import ConfigError
from kdsearch.nets.kinds import family_of
from kdsearch.pipeline.ledger import spend
from kdsearch.rundir import RunDir
from kdsearch.spaces import SpaceFile, load_space
from kdsearch.store import Store
from kdsearch.training.plan import Plan


@dataclass(frozen=True, slots=True)
class Context:
    config: Config
    run: RunDir
    store: Store
    space: SpaceFile
    device: str
    precision: str
    progress: Progress
    given: nn.Module | None = None
    """A teacher passed as a Python object."""
    processes: int = 1
    """How many train teacher and supernet together."""

    def plan(self, training: Training, stage: str, train_images: int) -> Plan:
        """The training plan of a stage, its seed derived from the run's."""
        batch = min(training.batch_size, train_images)
        return Plan(
            steps=training.epochs * max(1, train_images // batch),
            batch_size=batch,
            learning_rate=training.learning_rate,
            weight_decay=training.weight_decay,
            seed=derive(self.config.seed, stage),
            augment=self.config.data.augment,
            precision=self.precision,
        )

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the block's seconds to the stage's in ledger.json, also when it is cut off."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spend(self.run.ledger, stage, time.perf_counter() - started)


def open_context(
    config: Config, out: Path, progress: Progress, given: nn.Module | None = None
) -> Context:
    """Resolves device, precision, space and store.

    Raises:
        ConfigError: a device or precision that is not here.
        UserError: no family of the space's name, or axes that are not the family's.
    """
    check_threads(config)
    device = config.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "device: cuda, but torch finds no GPU here, where teacher and supernet train; use "
            "auto (jobs on Ray then take the GPUs that they are given) or cpu"
        )
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    root = Path(config.store) if config.store else out.resolve().parent / "store"
    space = load_space(config.space)
    family_of(space.family).check(space.space)
    return Context(config, RunDir(out), Store(root), space, device, precision, progress, given)


def check_threads(config: Config) -> None:
    """Raises ConfigError for more threads than this machine has processors, of what is done
    here: workers and the node of `ray.latency_node` may have more.
    """
    processors, asked = os.cpu_count() or 1, {}
    if config.ray.latency_node in (None, "driver"):
        for i, one in enumerate(targets := targets_of(config)):
            where = f"latency[{i}]" if len(targets) > 1 else "latency"
            asked[f"{where}.threads"] = one.threads
    if config.search.engine == "in-process":
        asked["threads"] = config.threads
    for key, threads in asked.items():
        if threads > processors:
            raise ConfigError(
                f"{key}: {threads}, but this machine has {processors} processors; "
                f"at most {processors} make sense here"
            )


@contextmanager
def training_threads(count: int) -> Iterator[None]:
    """Sets torch's intra-op threads for the block: part of what makes a run repeat exactly."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
