"""What students of one space cost on one target: counted or measured once, then looked up.

A latency is on disk before it is used, and every later question is answered from there, so a
search that goes on after a kill sees the numbers it saw before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from kdsearch.core.costs_named import QUANTILES, on_target
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.core.space import Space
from kdsearch.files import read_json, write_json
from kdsearch.measure.energy import energy_uj
from kdsearch.measure.fingerprint import fingerprint
from kdsearch.measure.latency import Latency, Target, measure
from kdsearch.measure.load import Watch
from kdsearch.measure.size import macs, params
from kdsearch.nets.logits import Logits

Build = Callable[[Architecture], nn.Module]
REFERENCE = "reference.json"


class Measure(Protocol):
    """Who takes a fresh measurement of a book's students, and where."""

    def __call__(
        self, book: "CostBook", architectures: Sequence[Architecture]
    ) -> Mapping[str, Latency]:
        """By architecture id; all of them in the same rounds."""


def here(book: "CostBook", architectures: Sequence[Architecture]) -> dict[str, Latency]:
    """In this process."""
    torch.manual_seed(0)
    return book.beside_anchors({a.id: Logits(book.build(a)).eval() for a in architectures})


@dataclass
class CostBook:
    """Costs by name; latency only where it is asked for."""

    folder: Path
    """Of this space on this target and device."""
    build: Build
    """A student with any weights: latency does not depend on them."""
    shape: tuple[int, int, int]
    """(channels, height, width) of an image."""
    target: Target
    anchors: Mapping[str, Architecture]
    rounds: int
    progress: Progress
    watch: Watch = field(default_factory=Watch)
    sizes: dict[str, dict[str, float]] = field(default_factory=dict)
    measure: Measure = here
    device: Mapping[str, str | int] = field(default_factory=dict)
    """What a latency of this book holds for; see `fingerprint`."""
    is_apart: bool = False
    """Whether it is measured where no job ever is: there is no waiting for those in flight."""
    within: float | None = None
    """Rounds end once every median is known to this share; None: all of them are done."""

    def __post_init__(self) -> None:
        self.device = self.device or fingerprint(self.target)

    def costs(
        self, architectures: Sequence[Architecture], *, latency: bool
    ) -> dict[str, dict[str, float]]:
        """By architecture id what is counted (see `size`) and, if asked, what `of_latency`
        gives; measures the missing."""
        found = {a.id: dict(self.size(a)) for a in architectures}
        if latency:
            for name, timed in self.latencies(architectures).items():
                found[name] |= of_latency(timed)
        return found

    def knows(self, architectures: Iterable[Architecture]) -> bool:
        """Whether all their latencies were measured before."""
        return all(self._path(a.id).exists() for a in architectures)

    def size(self, architecture: Architecture) -> dict[str, float]:
        """params, macs and, estimated from them, energy_uj."""
        if architecture.id not in self.sizes:
            with torch.device("meta"):
                network = self.build(architecture)
            counted = {"params": params(network), "macs": macs(network, self.shape)}
            self.sizes[architecture.id] = {**counted, "energy_uj": energy_uj(**counted)}
        return self.sizes[architecture.id]

    def latencies(self, architectures: Sequence[Architecture]) -> dict[str, Latency]:
        """By architecture id; those not on disk are measured together, now."""
        distinct = {a.id: a for a in architectures}
        missing = {i: a for i, a in distinct.items() if not self._path(i).exists()}
        if missing:
            for name, timed in self.measured(list(missing.values())).items():
                write_json(self._path(name), asdict(timed))
        return {name: read_latency(self._path(name)) for name in distinct}

    def measured(self, architectures: Sequence[Architecture]) -> Mapping[str, Latency]:
        """A fresh measurement of all of them in the same rounds, written nowhere."""
        return self.measure(self, architectures)

    def beside_anchors(self, networks: Mapping[str, nn.Module]) -> dict[str, Latency]:
        """Any networks, each giving logits, in the same rounds as the anchors, in this process.

        Raises:
            RunError: others keep the machine busy, and `watch` refuses to measure then.
        """
        reference_path = self.folder / REFERENCE
        reference = read_json(reference_path) if reference_path.exists() else None
        threads = self.target.threads
        begun = self.watch.begin(threads, self.progress)
        outcome = measure(
            networks,
            {name: Logits(self.build(a)).eval() for name, a in self.anchors.items()},
            self.target,
            torch.randn(self.target.batch_size, *self.shape),
            rounds=self.rounds,
            seed=derive(0, *sorted(networks)),
            reference=reference,
            progress=self.progress,
            within=self.within,
        )
        load = self.watch.end(begun, threads)
        if reference is None:
            write_json(reference_path, outcome.reference)
        busy = load.is_busy(threads)
        return {
            name: replace(timed, load=load.cores, busy=busy)
            for name, timed in outcome.latencies.items()
        }

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def of_latency(timed: Latency, target: str = "") -> dict[str, float]:
    """A latency as costs by name; `target`: '' is the first, a further one is in its name."""
    quantiles = {"p50": timed.p50_ms, "p95": timed.p95_ms, "p99": timed.p99_ms}
    known = {name: ms for name, ms in quantiles.items() if ms is not None}
    return {on_target(QUANTILES[name], target): ms for name, ms in known.items()}


def read_latency(path: Path) -> Latency:
    return latency_of(read_json(path))


def latency_of(content: Mapping[str, Any]) -> Latency:
    """Of what `asdict` gave, and JSON."""
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content.items()
    }
    return Latency(**fields)


def anchors(space: Space) -> dict[str, Architecture]:
    """Three fixed networks to time beside the others: smallest, middle and largest."""
    points = {"smallest": space.smallest(), "largest": space.largest()}
    points["middle"] = {n: values[len(values) // 2] for n, values in space.choices().items()}
    return {name: Architecture.of(point) for name, point in points.items()}
