"""Steps against the package `ofa` on its own MobileNetV3 space: `python
benchmarks/speed/against_ofa.py [--threads 1] [--rounds 20]`; `pip install
ofa==0.1.0.post202307202001` first. Writes results/against-ofa-THREADS.json, prints the table.

32 px, batch 64, 100 classes, 4 drawn students and one teacher forward a step. Both nets hold
the same weights at first and train the same students on the same images; the one teacher is
their largest student, carved by `ofa`. Their loop is that of train_one_epoch (mit-han-lab/
once-for-all, elastic_nn/training/progressive_shrinking.py) without data, logging and meters.
"""

import argparse
import copy
import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mobilenet_v3 import (
    DEPTHS,
    EXPANSIONS,
    KERNELS,
    SPACE,
    ElasticMobileNetV3,
    Largest,
    copy_weights,
    ofa_settings,
    ordered,
)
from ofa.imagenet_classification.elastic_nn.networks import OFAMobileNetV3
from ofa.utils import build_optimizer, cross_entropy_loss_with_soft_target
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from turns import machine, taking_turns, versus

from kdsearch.core.paths import drawn
from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.distill.soften import Soften
from kdsearch.measure.size import params
from kdsearch.output import Output
from kdsearch.supernet.teaching import Teaching
from kdsearch.supernet.train import Sampling, SupernetTask
from kdsearch.training.fit import train_step
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Sample

HERE = Path(__file__).parent
SIDE, BATCH, CLASSES, STUDENTS = 32, 64, 100, 4
RATE, DECAY = 0.0075, 3e-5
PLAN = Plan(steps=10_000, batch_size=BATCH, learning_rate=RATE, weight_decay=DECAY, seed=0)
LAYOUTS = {"as published": torch.contiguous_format, "channels_last": torch.channels_last}


class Drawn(nn.Module):
    """A policy: students at random alone, as `ofa` draws them."""

    largest_first = False
    note = None

    def paths(self, space: Space, rng: random.Random, step: int) -> tuple[Architecture, ...]:
        return tuple(drawn(space, rng) for _ in range(STUDENTS))


class Named(nn.Module):
    """A teacher of tensors as one of Outputs."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Output:
        return Output(self.net(images))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    content = measured(arguments.rounds)
    (HERE / "results").mkdir(exist_ok=True)
    name = f"against-ofa-{arguments.threads}.json"
    (HERE / "results" / name).write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content["sizes"]))
    for row in content["rows"]:
        low, high = row["ci95"]
        pair = f"{row['ours']:>34} against ofa {row['theirs']:>13}"
        print(f"{pair}: × {row['times']:.2f} ({low:.2f} to {high:.2f})")


def measured(rounds: int) -> dict[str, Any]:
    torch.manual_seed(0)
    theirs = OFAMobileNetV3(
        n_classes=CLASSES,
        ks_list=list(KERNELS),
        expand_ratio_list=list(EXPANSIONS),
        depth_list=list(DEPTHS),
    )
    theirs.set_max_net()
    teacher = theirs.get_active_subnet().requires_grad_(False).eval()
    calls: dict[str, Callable[[int], object]] = {
        name: published(copy.deepcopy(theirs), copy.deepcopy(teacher), layout)
        for name, layout in LAYOUTS.items()
    }
    for transform in (True, False):
        for precision in ("float32", "bf16"):
            net = ElasticMobileNetV3(CLASSES, transform=transform)
            if transform:
                copy_weights(theirs, net)
            words = f"{precision}, kernel transform {'on' if transform else 'off'}"
            calls[words] = ours(net, copy.deepcopy(teacher), precision)
    seconds = taking_turns(calls, rounds, warm_up=5)
    rows = [
        {"ours": mine, "theirs": other, **versus(seconds[other], seconds[mine])}
        for mine in list(calls)[len(LAYOUTS) :]
        for other in LAYOUTS
    ]
    return {"machine": machine(), "sizes": sizes(theirs), "rows": rows, "seconds": seconds}


def sizes(theirs: Any) -> dict[str, Any]:
    """Of both largest students, and how far the nets are apart on the same weights."""
    net = ElasticMobileNetV3(CLASSES, transform=True)
    copy_weights(theirs, net)
    return {
        "params": {"ofa": params(theirs), "ours": params(net)},
        "macs": {"ofa": macs(theirs), "ours": macs(Largest(net))},
        "apart": apart(copy.deepcopy(theirs), net),
    }


def apart(theirs: Any, net: ElasticMobileNetV3) -> dict[str, float]:
    """Largest relative difference over drawn students, in train mode without dropout, float64:
    of logits, and of the gradients of all weights."""
    for module in (*theirs.modules(), *net.modules()):
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    rng, images = random.Random(1), torch.randn(16, 3, SIDE, SIDE, dtype=torch.float64)
    found = {"logits": 0.0, "gradients": 0.0}
    for _ in range(5):
        student = drawn(SPACE, rng)
        theirs.set_active_subnet(**ofa_settings(student))
        pairs = []
        for one, call in (
            (theirs.double().train(), theirs),
            (net.double().train(), partial(logits_of, net, student)),
        ):
            one.zero_grad(set_to_none=False)
            logits = call(images)
            logits.square().sum().backward()
            slopes = [torch.zeros_like(p) if p.grad is None else p.grad for p in ordered(one)]
            pairs.append((logits.detach(), torch.cat([g.flatten() for g in slopes])))
        for place, name in enumerate(found):
            other, own = pairs[0][place], pairs[1][place]
            distance = float((other - own).abs().max() / other.abs().max())
            found[name] = max(found[name], distance)
    return found


def logits_of(net: ElasticMobileNetV3, student: Architecture, images: Tensor) -> Tensor:
    logits: Tensor = net(images, student).logits
    return logits


def macs(net: nn.Module) -> int:
    """On the meta device, where no kernel is cut to the taps that a small map can reach."""
    outline = copy.deepcopy(net).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        outline(torch.empty(1, 3, SIDE, SIDE, device="meta"))
    return int(counter.get_total_flops()) // 2


def batch_of(step: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(step)
    images = torch.randn(BATCH, 3, SIDE, SIDE, generator=generator)
    return images, torch.randint(0, CLASSES, (BATCH,), generator=generator)


def published(
    net: Any, teacher: nn.Module, layout: torch.memory_format
) -> Callable[[int], None]:
    """A step of train_one_epoch, with its optimiser, parameter groups and losses."""
    net.to(memory_format=layout).train()
    teacher.to(memory_format=layout)
    keys = ["bn", "bias"]
    groups = [
        net.get_parameters(keys, mode="exclude"),
        net.get_parameters(keys, mode="include"),
    ]
    groups = [list(group) for group in groups]
    optimiser = build_optimizer(groups, "sgd", None, RATE, DECAY, "bn#bias")

    def step(number: int) -> None:
        images, labels = batch_of(number)
        images = images.contiguous(memory_format=layout)
        with torch.no_grad():
            soft_label = F.softmax(teacher(images).detach(), dim=1)
        net.zero_grad()
        for student in students(number):
            net.set_active_subnet(**ofa_settings(student))
            output = net(images)
            soft = cross_entropy_loss_with_soft_target(output, soft_label)
            (soft + F.cross_entropy(output, labels)).backward()
        optimiser.step()

    return step


def students(number: int) -> tuple[Architecture, ...]:
    return SAMPLING.paths(number, 0.5)


SAMPLING = Sampling(SPACE, Drawn(), 0)


def ours(net: nn.Module, teacher: nn.Module, precision: str) -> Callable[[int], None]:
    task = SupernetTask(
        net,
        Named(teacher),
        SAMPLING,
        Teaching(Soften(temperature=1.0, weight=0.5), None, ("teacher",)),
        Sample(torch.zeros(2, 3, SIDE, SIDE), CLASSES, 50_000, BATCH),
        precision=precision,
    )
    task.module.to(memory_format=torch.channels_last).train()
    teacher.to(memory_format=torch.channels_last)
    optimiser = make_optimiser(task.module, PLAN)

    def step(number: int) -> None:
        images, labels = batch_of(number)
        images = images.contiguous(memory_format=torch.channels_last)
        train_step(task, Batch(images, labels, number, 0.5), optimiser, PLAN)

    return step


if __name__ == "__main__":
    main()
