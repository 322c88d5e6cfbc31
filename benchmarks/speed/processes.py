"""Two processes against one on the same batch: `OMP_NUM_THREADS=1 torchrun --nproc-per-node 2
benchmarks/speed/processes.py [--rounds 8]`. Writes results/processes.json, prints the table.

A round is a step of both together, each on its half of the batch; the same without messages
between them; and a step of the first alone on all of it, while the other one waits. One thread
each. What the second lacks to twice the third's speed is the machine's, the rest the messages'.
"""

import argparse
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from steps import BATCH, CLASSES, PLAN, batch_of, supernet_task
from torch import Tensor
from turns import machine, taking_turns, versus

from kdsearch.core.records import Architecture
from kdsearch.nets import FAMILIES
from kdsearch.ranks import meet, rank, world
from kdsearch.spaces import load_space
from kdsearch.supernet.train import SupernetTask
from kdsearch.training.fit import train_step
from kdsearch.training.optimiser import clip, make_optimiser
from kdsearch.training.parallel import own_share
from kdsearch.training.task import Batch

HERE = Path(__file__).parent
SPACE = "resnet-cifar"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rows = []
    for precision in ("bf16", "float32"):
        seconds = taking_turns(calls(precision), arguments.rounds, warm_up=3)
        given = {"space": SPACE, "precision": precision, "processes": world()}
        for kind in ("together", "silent"):
            rows.append({**given, "kind": kind, **versus(seconds["alone"], seconds[kind])})
    if rank() == 0:
        told(rows)
    dist.destroy_process_group()


def calls(precision: str) -> dict[str, Callable[[int], None]]:
    space = load_space(SPACE)
    family = FAMILIES[space.family]
    torch.manual_seed(0)
    net = family.supernet(space.space, 3, CLASSES)
    teacher = family.student(Architecture.of(space.space.largest()), 3, CLASSES)
    teacher.eval().requires_grad_(False)
    return {
        "together": together(
            supernet_task(copy.deepcopy(net), teacher, space.space, precision)
        ),
        "silent": silent(supernet_task(copy.deepcopy(net), teacher, space.space, precision)),
        "alone": alone(supernet_task(net, teacher, space.space, precision)),
    }


def together(task: SupernetTask) -> Callable[[int], None]:
    """The loop's own step: own share of the batch, gradients averaged."""
    optimiser, own = make_optimiser(task.module, PLAN), own_share(BATCH)

    def step(number: int) -> None:
        images, labels = batch_of(number)
        meet()
        train_step(
            task, Batch(laid_out(images[own]), labels[own], number, 0.5), optimiser, PLAN
        )
        meet()

    return step


def silent(task: SupernetTask) -> Callable[[int], None]:
    """Own share of the batch, and no message but to meet."""
    own, train = own_share(BATCH), without_messages(task)

    def step(number: int) -> None:
        images, labels = batch_of(number)
        meet()
        train(images[own], labels[own], number)
        meet()

    return step


def alone(task: SupernetTask) -> Callable[[int], None]:
    """The first process on the whole batch."""
    train = without_messages(task)

    def step(number: int) -> None:
        images, labels = batch_of(number)
        meet()
        if rank() == 0:
            train(images, labels, number)
        meet()

    return step


def without_messages(task: SupernetTask) -> Callable[[Tensor, Tensor, int], None]:
    """`train_step` but for the average of gradients."""
    optimiser = make_optimiser(task.module, PLAN)

    def train(images: Tensor, labels: Tensor, number: int) -> None:
        optimiser.zero_grad(set_to_none=True)
        task.loss(Batch(laid_out(images), labels, number, 0.5)).total.backward()
        clip(task.players, PLAN)
        optimiser.step()

    return train


def laid_out(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def told(rows: list[dict[str, Any]]) -> None:
    (HERE / "results").mkdir(exist_ok=True)
    path = HERE / "results" / "processes.json"
    path.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
    for row in rows:
        share = row["times"] / row["processes"]
        low, high = row["ci95"]
        ratio = f"× {row['times']:.2f} ({low:.2f} to {high:.2f})"
        print(f"{row['precision']:>7}, {row['kind']:>8}: {ratio}, efficiency {share:.0%}")


if __name__ == "__main__":
    main()
