"""Latency of networks on this machine, comparable between moments of it.

Every round times the candidates and a few fixed anchor networks; the anchors tell how much
slower than their reference the machine ran in that round, and the round's times are divided
by that. A latency is therefore that of the machine at the speed it had, undisturbed, when the
reference was taken.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kdsearch.core.progress import Progress
from kdsearch.core.seeds import derive
from kdsearch.errors import KdsearchError
from kdsearch.measure.intervals import median_ci95
from kdsearch.measure.rounds import Clock, interleaved
from kdsearch.runtimes import runtime

Visits: TypeAlias = Sequence[Sequence[float]]
"""Milliseconds of one network's timed calls: per round, per call."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a student is to run."""

    name: str
    runtime: str
    threads: int = 1
    batch_size: int = 1
    precision: str = "float32"
    """float32 or bf16."""
    layout: str = "contiguous"
    """Of images and weights in memory: contiguous or channels_last."""
    size: int | None = None
    """Pixels, where images are not as large as the data set's."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one call on one batch."""

    p50_ms: float
    """Median over rounds of a round's median call."""
    p95_ms: float
    """Over all calls of all rounds."""
    ci95: tuple[float, float]
    """Of p50_ms, by bootstrap over rounds."""
    rounds: int
    load: float | None = None
    """Cores that others kept busy meanwhile, on average; None where nobody can tell."""
    busy: bool = False
    """Whether others left fewer cores than the target's threads."""
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    latencies: dict[str, Latency]
    reference: dict[str, float]
    """Milliseconds of each anchor that later measurements are to be scaled to."""


def measure(  # noqa: PLR0913  what is measured, on what, how often
    networks: Mapping[str, nn.Module],
    anchors: Mapping[str, nn.Module],
    target: Target,
    example: Tensor,
    *,
    rounds: int,
    seed: int,
    reference: Mapping[str, float] | None,
    progress: Progress,
    clock: Clock = time.perf_counter,
) -> Measured:
    """Times the networks, each giving logits alone, against the anchors.

    Args:
        anchors: the same ones whenever latencies are to be comparable; three to five.
        example: normalised float32 images, repeated or cut to the target's batch size.
        seed: of the order within rounds, and of the bootstrap.
        reference: what an earlier measurement returned; None: this one sets it.
    """
    prepare = runtime(target.runtime).prepare
    images = example.detach().cpu()[torch.arange(target.batch_size) % len(example)]
    task = f"latency {target.name}"
    progress.start(task, rounds)
    calls = {
        (kind, name): partial(prepare(module, images, threads=target.threads), images.numpy())
        for kind, group in (("network", networks), ("anchor", anchors))
        for name, module in group.items()
    }
    rng = random.Random(derive(seed, "order"))
    seconds = interleaved(calls, rounds, rng, clock, partial(progress.step, task))
    progress.finish(task)
    visits = {
        key: [[s * 1e3 for s in visit] for visit in visits] for key, visits in seconds.items()
    }
    return scaled(
        {name: visits["network", name] for name in networks},
        {name: visits["anchor", name] for name in anchors},
        reference,
        derive(seed, "bootstrap"),
    )


def scaled(
    networks: Mapping[str, Visits],
    anchors: Mapping[str, Visits],
    reference: Mapping[str, float] | None,
    seed: int,
) -> Measured:
    """Latencies at the machine's reference speed, from what was timed."""
    medians = {
        name: np.array([np.median(v) for v in visits]) for name, visits in anchors.items()
    }
    given = undisturbed(medians) if reference is None else reference
    known = {name: given[name] for name in anchors if name in given}
    if not anchors or len(known) < len(anchors):
        raise KdsearchError(
            f"anchors {sorted(anchors)} with references for {sorted(known)}: latencies need an "
            "anchor, and a reference for each; give None to set them anew"
        )
    slower = slowdown(medians, known)
    return Measured({n: summary(v, slower, seed) for n, v in networks.items()}, known)


def undisturbed(anchors: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Each anchor's milliseconds in the fastest round.

    From its usual share of a round, which drift leaves alone, and that round's geometric mean:
    an anchor's own fastest round would be luck as much as speed.
    """
    if not anchors:
        return {}
    means = np.exp(np.mean([np.log(milliseconds) for milliseconds in anchors.values()], axis=0))
    return {name: float(np.median(ms / means) * means.min()) for name, ms in anchors.items()}


def slowdown(
    anchors: Mapping[str, NDArray[np.float64]], reference: Mapping[str, float]
) -> NDArray[np.float64]:
    """(rounds,): how many times slower than at reference the anchors ran, by their median."""
    ratios: NDArray[np.float64] = np.median(
        [milliseconds / reference[name] for name, milliseconds in anchors.items()], axis=0
    )
    return ratios


def summary(visits: Visits, slower: NDArray[np.float64], seed: int) -> Latency:
    rounds = [float(np.median(visit) / s) for visit, s in zip(visits, slower, strict=True)]
    calls = [call / s for visit, s in zip(visits, slower, strict=True) for call in visit]
    return Latency(
        p50_ms=float(np.median(rounds)),
        p95_ms=float(np.percentile(calls, 95)),
        p99_ms=float(np.percentile(calls, 99)),
        ci95=median_ci95(rounds, seed),
        rounds=len(rounds),
    )
