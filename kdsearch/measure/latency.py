"""Latency of networks on this machine, comparable between moments of it.

Every round times the candidates and a few fixed anchor networks; together they tell how much
slower than at reference the machine ran in that round (`speed`), and the round's times are
divided by that. A latency is therefore that of the machine at the speed it had, undisturbed,
when the reference was taken.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from kdsearch.core.progress import Progress
from kdsearch.core.seeds import derive
from kdsearch.errors import UserError
from kdsearch.measure.intervals import Interval, percentiles_ci95
from kdsearch.measure.rounds import Stopwatch, Timed, heed_stop, interleaved
from kdsearch.measure.speed import DRIFTS, UNEVEN, Speed, drift, speed
from kdsearch.runtimes import ready
from kdsearch.runtimes.placed import LAYOUTS
from kdsearch.runtimes.runtime import Array, Calling, Prepared

Clock: TypeAlias = Callable[[], float]
"""Seconds from any start, such as `time.perf_counter`."""
Visits: TypeAlias = Sequence[Sequence[float]]
"""Milliseconds of one network's timed calls: per round, as many calls in each."""
Kind: TypeAlias = tuple[str, str]
"""'network' or 'anchor', and its name."""

FEWEST_ROUNDS = 10
"""Before anybody asks whether the intervals are narrow enough: fewer rounds underrate them."""
LOOK_EVERY = 5
"""Rounds from one such look to the next."""


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

    @property
    def calling(self) -> Calling:
        return Calling(self.threads, self.precision, self.layout)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one call on one batch; what is None is not known."""

    p50_ms: float
    """Median over all calls of all rounds; so, further out, p95_ms and p99_ms."""
    p95_ms: float
    ci95: Interval
    """Of p50_ms, by bootstrap over rounds; so p95_ci95 and p99_ci95, each of its own."""
    rounds: int
    load: float | None = None
    """Cores that others kept busy meanwhile, on average; None where nobody can tell."""
    busy: bool = False
    """Whether others left fewer cores than the target's threads."""
    p99_ms: float | None = None
    p95_ci95: Interval | None = None
    p99_ci95: Interval | None = None
    drift: float | None = None
    """By which share the machine was slower in slow rounds than in fast ones; see `drift`."""
    predicted: bool = False
    """Whether nobody measured it: then intervals are those of a prediction, 90 %."""


@dataclass(frozen=True, slots=True)
class Measured:
    latencies: dict[str, Latency]
    reference: dict[str, float]
    """Milliseconds of each anchor that later measurements are to be scaled to."""
    uneven: float = 0.0
    """By how much the anchors' speeds differ; see `Speed`."""


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
    within: float | None = None,
    clock: Clock = time.perf_counter,
) -> Measured:
    """Times the networks, each giving logits alone, against the anchors.

    Args:
        anchors: the same ones whenever latencies are to be comparable; three to five.
        example: normalised float32 images, made to fit the target (`images_for`).
        rounds: at most.
        seed: of the order within rounds, and of the bootstrap.
        reference: what an earlier measurement returned; None: this one sets it.
        within: half an interval of p50 as a share of it; rounds end once all are as narrow.

    Raises:
        UserError: the target's runtime cannot call networks so on this machine.
        Stopped: asked to.
    """
    task = f"latency {target.name}"
    progress.start(task, rounds)
    groups = (("network", networks), ("anchor", anchors))
    modules = {(kind, name): m for kind, group in groups for name, m in group.items()}
    bootstrap = derive(seed, "bootstrap")

    def is_enough(timed: Timed[Kind]) -> bool:
        done = len(next(iter(timed.values()), ()))
        progress.step(task, done)
        if within is None or done < FEWEST_ROUNDS or done % LOOK_EVERY:
            return False
        return is_narrow(*split(timed), reference, within, bootstrap)

    timed = interleaved(
        stopwatches(modules, target, example, clock),
        rounds,
        random.Random(derive(seed, "order")),
        is_enough,
    )
    measured = scaled(*split(timed), reference, bootstrap)
    progress.finish(task, ", ".join(disturbances(measured)))
    return measured


def disturbances(measured: Measured) -> Iterator[str]:
    """What made the intervals wider than they might be."""
    changed = max((one.drift or 0.0 for one in measured.latencies.values()), default=0.0)
    if changed > DRIFTS:
        yield f"the machine's speed changed by {changed:.0%}"
    if measured.uneven > UNEVEN:
        yield f"anchors' speeds have changed apart, by {measured.uneven:.0%}"


def stopwatches(
    modules: Mapping[Kind, nn.Module], target: Target, example: Tensor, clock: Clock
) -> dict[Kind, Stopwatch]:
    """By the device's own clock where the runtime has one, else by ours."""
    prepare = ready(target.runtime, target.calling).prepare
    images = images_for(target, example)
    if target.size is not None and modules:
        try_size(next(iter(modules.values())), images, target)
    found = {}
    for key, module in modules.items():
        heed_stop()
        found[key] = stopwatch(prepare(module, images, target.calling), images.numpy(), clock)
    return found


def try_size(module: nn.Module, images: Tensor, target: Target) -> None:
    """UserError where a network does not take images as large as the target's."""
    try:
        with torch.no_grad():
            module(images)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"latency.size: {target.size}: students do not take images of so many pixels "
            f"({reason}); leave size out, and images are as large as the data set's"
        ) from error


def stopwatch(prepared: Prepared, images: Array, clock: Clock) -> Stopwatch:
    if prepared.seconds is not None:
        return partial(prepared.seconds, images)

    def seconds() -> float:
        start = clock()
        prepared.call(images)
        return clock() - start

    return seconds


def images_for(target: Target, example: Tensor) -> Tensor:
    """As many images as the target's batch, as large and laid out as it says."""
    images = example.detach().cpu()[torch.arange(target.batch_size) % len(example)]
    if target.size is not None:
        size = (target.size, target.size)
        images = interpolate(images, size=size, mode="bilinear", antialias=True)
    return images.contiguous(memory_format=LAYOUTS[target.layout])


def split(timed: Timed[Kind]) -> tuple[Mapping[str, Visits], Mapping[str, Visits]]:
    """Networks and anchors, in milliseconds."""
    networks, anchors = (
        {
            name: [[1e3 * seconds for seconds in visit] for visit in visits]
            for (kind, name), visits in timed.items()
            if kind == one
        }
        for one in ("network", "anchor")
    )
    return networks, anchors


def scaled(
    networks: Mapping[str, Visits],
    anchors: Mapping[str, Visits],
    reference: Mapping[str, float] | None,
    seed: int,
) -> Measured:
    """Latencies at the machine's reference speed, from what was timed."""
    found = speed_of(networks, anchors, reference, seed)
    return Measured(
        {name: summary(visits, found, seed) for name, visits in networks.items()},
        found.reference,
        found.uneven,
    )


def is_narrow(
    networks: Mapping[str, Visits],
    anchors: Mapping[str, Visits],
    reference: Mapping[str, float] | None,
    within: float,
    seed: int,
) -> bool:
    """Whether half of every network's interval of p50 is at most that share of it, but for what
    no further round could tell: how unlike the anchors a network is.
    """
    found = speed_of(networks, anchors, reference, seed)
    for visits in networks.values():
        calls = even(visits, found)
        ((low, high),) = percentiles_ci95(calls, (50,), seed, found.doubt)
        if (high - low) / 2 > within * float(np.median(calls)):
            return False
    return True


def speed_of(
    networks: Mapping[str, Visits],
    anchors: Mapping[str, Visits],
    reference: Mapping[str, float] | None,
    seed: int,
) -> Speed:
    timed, fixed = (
        {name: np.asarray(visits, dtype=np.float64) for name, visits in group.items()}
        for group in (networks, anchors)
    )
    return speed(timed, fixed, reference, seed)


def even(visits: Visits, found: Speed) -> NDArray[np.float64]:
    """(rounds, calls): milliseconds at reference."""
    return np.asarray(visits, dtype=np.float64) / found.slower[:, None]


def summary(visits: Visits, found: Speed, seed: int) -> Latency:
    """Each interval holds its percentile, which lies between calls where draws name one."""
    calls, percents = even(visits, found), (50, 95, 99)
    p50, p95, p99 = (float(ms) for ms in np.percentile(calls, percents))
    doubt = found.doubt * found.unlike(derive(seed, "unlike"))
    ci95, p95_ci95, p99_ci95 = (
        (min(low, value), max(high, value))
        for (low, high), value in zip(
            percentiles_ci95(calls, percents, seed, doubt), (p50, p95, p99), strict=True
        )
    )
    return Latency(
        p50_ms=p50,
        p95_ms=p95,
        ci95=ci95,
        rounds=len(calls),
        p99_ms=p99,
        p95_ci95=p95_ci95,
        p99_ci95=p99_ci95,
        drift=drift(found.slower),
    )
