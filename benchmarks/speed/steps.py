"""Our step of a supernet's training against a naive loop: `python benchmarks/speed/steps.py
[--threads 1] [--rounds 10]`. Writes results/steps-THREADS.json and prints the table.

Both take the same four students a step (largest, smallest, two drawn) of the same weights,
and teach them by one teacher. The naive loop: float32, contiguous, and for each student a
teacher forward, a forward and a backward of its own. Of `mobile` it is timed twice: with
torch's convolutions, as one writes it, and with the elastic layers as kdsearch has them.
"""

import argparse
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from turns import machine, taking_turns, versus

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.distill.alpha_divergence import AlphaDivergence
from kdsearch.distill.soften import Soften
from kdsearch.losses.softened import softened_kl
from kdsearch.nets import FAMILIES, elastic, elastic_depthwise
from kdsearch.spaces import load_space
from kdsearch.supernet.policies import POLICIES
from kdsearch.supernet.policies.policy import Terms
from kdsearch.supernet.teaching import Teaching
from kdsearch.supernet.train import Sampling, SupernetTask
from kdsearch.training.fit import train_step
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Sample

Step = Callable[[int], None]
HERE = Path(__file__).parent
SPACES = ("resnet-cifar", "mobile-s32")
SIDE, BATCH, CLASSES, DRAWN = 32, 64, 100, 2
PLAN = Plan(steps=10_000, batch_size=BATCH, learning_rate=0.05, weight_decay=1e-4, seed=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = [row for name in SPACES for row in measured(name, arguments.rounds)]
    (HERE / "results").mkdir(exist_ok=True)
    path = HERE / "results" / f"steps-{arguments.threads}.json"
    path.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
    for row in rows:
        low, high = row["ci95"]
        name = (
            f"{row['space']:>12} {row['ours']:>7}, naive loop of {row['naive_layers']} layers"
        )
        print(f"{name}: × {row['times']:.2f} ({low:.2f} to {high:.2f})")


def measured(name: str, rounds: int) -> list[dict[str, Any]]:
    space = load_space(name)
    family = FAMILIES[space.family]
    torch.manual_seed(0)
    net = family.supernet(space.space, 3, CLASSES)
    teacher = family.student(Architecture.of(space.space.largest()), 3, CLASSES)
    teacher.eval().requires_grad_(False)
    calls: dict[str, Step] = {
        precision: ours(copy.deepcopy(net), copy.deepcopy(teacher), space.space, precision)
        for precision in ("bf16", "float32")
    }
    loops = ["torch's", "ours"] if space.family == "mobile" else ["torch's"]
    for layers in loops:
        step = naive(copy.deepcopy(net), copy.deepcopy(teacher), space.space)
        calls[f"naive, {layers}"] = with_torch_layers(step) if layers == "torch's" else step
    seconds = taking_turns(calls, rounds, warm_up=2)
    return [
        {
            "space": name,
            "ours": precision,
            "naive_layers": layers,
            **versus(seconds[f"naive, {layers}"], seconds[precision]),
        }
        for layers in loops
        for precision in ("bf16", "float32")
    ]


def with_torch_layers(step: Step) -> Step:
    """A step with torch's depthwise and 1x1 convolutions: the network as one writes it."""

    def depthwise(maps: Tensor, weight: Tensor, stride: int) -> Tensor:
        edge = weight.shape[-1] // 2
        return F.conv2d(maps, weight, None, stride, edge, groups=len(weight))

    def patched(number: int) -> None:
        with (
            patch.object(elastic_depthwise, "depthwise", depthwise),
            patch.object(elastic, "pointwise", F.conv2d),
        ):
            step(number)

    return patched


def batch_of(number: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(number)
    images = torch.randn(BATCH, 3, SIDE, SIDE, generator=generator)
    return images, torch.randint(0, CLASSES, (BATCH,), generator=generator)


def sandwich(space: Space) -> Sampling:
    terms = Terms(space, DRAWN, 0, None, lambda student: 1.0)
    return Sampling(space, POLICIES["sandwich"](terms), 0)


def ours(net: nn.Module, teacher: nn.Module, space: Space, precision: str) -> Step:
    task = supernet_task(net, teacher, space, precision)
    optimiser = make_optimiser(task.module, PLAN)

    def step(number: int) -> None:
        images, labels = batch_of(number)
        images = images.contiguous(memory_format=torch.channels_last)
        train_step(task, Batch(images, labels, number, 0.5), optimiser, PLAN)

    return step


def supernet_task(
    net: nn.Module, teacher: nn.Module, space: Space, precision: str
) -> SupernetTask:
    """As `kdsearch run` trains a supernet whose students all imitate the teacher."""
    task = SupernetTask(
        net,
        teacher,
        sandwich(space),
        Teaching(Soften(weight=0.5), AlphaDivergence(low=1.0, high=1.0), ("teacher",)),
        Sample(torch.zeros(2, 3, SIDE, SIDE), CLASSES, 50_000, BATCH),
        precision=precision,
    )
    task.module.to(memory_format=torch.channels_last).train()
    teacher.to(memory_format=torch.channels_last)
    return task


def naive(net: nn.Module, teacher: nn.Module, space: Space) -> Step:
    net.train()
    optimiser = torch.optim.SGD(
        net.parameters(), 0.05, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    sampling = sandwich(space)

    def step(number: int) -> None:
        images, labels = batch_of(number)
        optimiser.zero_grad()
        for place, student in enumerate(sampling.paths(number, 0.5)):
            with torch.no_grad():
                taught = teacher(images).logits
            logits = net(images, student).logits
            loss = softened_kl(logits, taught, 4.0 if place == 0 else 1.0)
            if place == 0:
                loss = loss + F.cross_entropy(logits, labels)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), PLAN.clip)
        optimiser.step()

    return step


if __name__ == "__main__":
    main()
