"""All students of `resnet-tiny` with shared prefixes, against one by one: `python
benchmarks/speed/prefixes.py [--space resnet-tiny] [--images 2000]`. Writes
results/prefixes.json and prints the table.

Weights are drawn, not trained: neither costs nor agreement depend on them. One by one is timed
on students drawn at random, spread over the walk, and scaled to all of them.
"""

import argparse
import gc
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from turns import machine

from kdsearch.core.records import Architecture
from kdsearch.measure.accuracy import predict, top1
from kdsearch.nets import FAMILIES
from kdsearch.nets.family import Supernet
from kdsearch.spaces import load_space
from kdsearch.supernet.evaluate import inherit
from kdsearch.supernet.prefixes import Level, Prefixes, ideal_ratio, in_order

Keys = tuple[tuple[int, ...], ...]
HERE = Path(__file__).parent
SIDE, CLASSES = 16, 10
CALIBRATION, BATCH, EVALUATION = 1024, 128, 500
EVERY = 8
"""Students of the walk to one that is timed alone."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--space", default="resnet-tiny")
    parser.add_argument("--images", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    content = {"machine": machine(), **measured(arguments.space, arguments.images)}
    (HERE / "results").mkdir(exist_ok=True)
    text = json.dumps(content, indent=1) + "\n"
    (HERE / "results" / "prefixes.json").write_text(text)
    print(text)


def measured(name: str, count: int) -> dict[str, Any]:
    space = load_space(name)
    torch.manual_seed(0)
    net = stirred(FAMILIES[space.family].supernet(space.space, 1, CLASSES))
    calibration = list(torch.randn(CALIBRATION, 1, SIDE, SIDE).split(BATCH))
    images, labels = torch.randn(count, 1, SIDE, SIDE), torch.randint(0, CLASSES, (count,))
    everyone = in_order(net, map(Architecture.of, space.space.points()))
    walk = Walk(net, calibration, images)
    gc.disable()
    for number, student in enumerate(everyone):
        walk.shared(student)
        if number % EVERY == 0:
            walk.alone(walk.rng.choice(everyone[number : number + EVERY]))
        if number % 100 == 0:
            gc.collect()
    gc.enable()
    ideals = {
        "seconds": ideal_by_seconds(net, everyone, walk.prefixes.took),
        "macs": ideal_by_macs(net, everyone),
        "segments": ideal_ratio(net, everyone),
    }
    given = {"space": name, "images": count, "calibration": CALIBRATION}
    return {**given, **walk.found(ideals, labels)}


def stirred(net: Any) -> Any:
    """No weight of a norm is left at 0 or 1, so that every block counts."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(std=0.2)
    return net


class Timed(Prefixes):
    """Prefixes that note what each distinct one took."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.took: dict[Keys, float] = {}

    def after(self, before: Level, key: tuple[int, ...], segment: nn.Module) -> Level:
        path = (*(level.key for level in self.stack), key)
        start = time.perf_counter()
        made = super().after(before, key, segment)
        self.took[path] = time.perf_counter() - start
        return made


class Walk:
    """All students in their order; a few of them, in between, alone."""

    def __init__(self, net: Supernet, calibration: Sequence[Tensor], images: Tensor) -> None:
        self.net, self.calibration, self.images = net, calibration, images
        self.prefixes = Timed(net, calibration, images, batch_size=EVALUATION)
        self.rng = random.Random(0)
        self.logits: dict[Architecture, Tensor] = {}
        self.references: dict[Architecture, Tensor] = {}
        self.seconds: list[float] = []
        self.seconds_alone: list[float] = []
        self.peak = 0

    def shared(self, student: Architecture) -> None:
        start = time.perf_counter()
        self.logits[student] = self.prefixes.logits(student)
        self.seconds.append(time.perf_counter() - start)
        self.peak = max(self.peak, sum(level.bytes for level in self.prefixes.stack))

    def alone(self, student: Architecture) -> None:
        start = time.perf_counter()
        found = predict(inherit(self.net, student, self.calibration), self.images, EVALUATION)
        self.seconds_alone.append(time.perf_counter() - start)
        self.references[student] = found

    def found(self, ideals: dict[str, float], labels: Tensor) -> dict[str, Any]:
        ratio = sum(self.seconds_alone) / len(self.seconds_alone) * len(self.seconds)
        ratio /= sum(self.seconds)
        apart = [self.logits[s] - other for s, other in self.references.items()]
        scores = {s: top1(self.logits[s], labels) for s in self.references}
        again = {s: top1(other, labels) for s, other in self.references.items()}
        return {
            "students": len(self.seconds),
            "alone": len(self.seconds_alone),
            "seconds": sum(self.seconds),
            "ratio": ratio,
            "ratio_ci95": interval(self.seconds, self.seconds_alone),
            "ideal": ideals,
            "share_of_ideal": {name: ratio / ideal for name, ideal in ideals.items()},
            "largest_difference": max(float(d.abs().max()) for d in apart),
            "same_ranking": ranked(scores) == ranked(again),
            "peak_mib": self.peak / 2**20,
        }


def ranked(scores: dict[Architecture, float]) -> list[Architecture]:
    return sorted(scores, key=lambda student: (-scores[student], student))


def interval(seconds: Sequence[float], alone: Sequence[float]) -> list[float]:
    """95 %, by drawing the students timed alone again."""
    draws = np.random.default_rng(0).choice(alone, (1000, len(alone))).mean(1)
    low, high = np.percentile(draws * len(seconds) / sum(seconds), (2.5, 97.5))
    return [float(low), float(high)]


def ideal_by_seconds(
    net: Supernet, everyone: Sequence[Architecture], took: dict[Keys, float]
) -> float:
    """The same with the seconds that each distinct prefix's last segment took in the walk."""
    alone = 0.0
    for student in everyone:
        keys = tuple(segment.key for segment in net.segments(student))
        alone += sum(took[keys[:n]] for n in range(1, len(keys) + 1))
    return alone / sum(took.values())


def ideal_by_macs(net: Supernet, everyone: Sequence[Architecture]) -> float:
    """Multiply-accumulates of all students one by one over those of the distinct prefixes.

    Every image, of calibration and of evaluation, passes each segment once, so that their
    numbers cancel.
    """
    costs: dict[Keys, tuple[int, Tensor]] = {}
    alone = 0
    for student in everyone:
        maps, keys = torch.empty(1, 1, SIDE, SIDE, device="meta"), ()
        for segment in net.segments(student):
            keys = (*keys, segment.key)
            if keys not in costs:
                piece = segment.carve().to("meta").eval()
                with FlopCounterMode(display=False) as counter, torch.no_grad():
                    made = piece(maps)
                costs[keys] = int(counter.get_total_flops()) // 2, made
            cost, maps = costs[keys]
            alone += cost
    return alone / sum(cost for cost, _ in costs.values())


if __name__ == "__main__":
    main()
