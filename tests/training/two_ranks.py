"""What test_parallel.py has two processes do: `python two_ranks.py RANK FOLDER`.

Each writes what it saw to FOLDER/rank0.pt, FOLDER/rank1.pt; the first computes before what one
process alone finds.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.data.records import DataInfo, Split
from kdsearch.distill.alpha_divergence import AlphaDivergence
from kdsearch.distill.hard import Hard
from kdsearch.errors import KdsearchError, TrainingError
from kdsearch.nets import FAMILIES
from kdsearch.output import Output
from kdsearch.ranks import as_first, first_says, meet, rank, world
from kdsearch.supernet.policies import POLICIES
from kdsearch.supernet.policies.policy import Terms
from kdsearch.supernet.teaching import TARGETS, Teaching
from kdsearch.supernet.train import Sampling, SupernetTask
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit, train_step
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.parallel import averaged, check_alike
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Loss, Shows, Task

CLASSES = 4
PLAN = Plan(
    steps=20,
    batch_size=16,
    learning_rate=0.05,
    weight_decay=1e-3,
    seed=7,
    augment="shift",
    clip=1e9,
)
TINY = {f"stage{s}.{axis}": 2 for s in (1, 2, 3) for axis in ("width", "depth")}
SPACE = Space(
    {f"stage{s}.width": Choice((2, 4)) for s in (1, 2, 3)}
    | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)}
)

TRANSFORMERS = Space(
    {"patch": Choice((2,)), "embedding": Choice((8, 12))}
    | {f"stage{s}.{a}": Choice((1, 2)) for s in (1, 2, 3) for a in ("depth", "heads", "mlp")}
)


def make_feed() -> Feed:
    generator = torch.Generator().manual_seed(0)
    patterns = torch.rand(CLASSES, 1, 8, 8, generator=generator)
    labels = torch.arange(90) % CLASSES
    noise = 0.15 * torch.randn(90, 1, 8, 8, generator=generator)
    images = ((patterns[labels] + noise).clamp(0, 1) * 255).to(torch.uint8)
    info = DataInfo("patterns", tuple("abcd"), 1, 8, (0.5,), (0.3,), {"train": 90}, (), "x")
    return Feed(Split(images, labels), info)


FEED = make_feed()


class Layered(nn.Module):
    """Without batch norm: each image is normalised by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(2, 6)
        self.unused = nn.Linear(3, 3)
        self.head = nn.Sequential(nn.Flatten(), nn.LayerNorm(96), nn.Linear(96, CLASSES))

    def forward(self, images: Tensor) -> Output:
        return Output(self.head(F.gelu(self.norm(self.stem(images)))))


def network(kind: str, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    if kind == "layer norm":
        return Layered()
    student = FAMILIES["resnet"].student(Architecture.of(TINY), 1, CLASSES)
    return nn.Sequential(student) if kind == "dropout" else student


def learner(kind: str, seed: int) -> Distillation:
    lesson = Lesson(network(kind, seed), Hard(), None)
    return Distillation(lesson, FEED.sample(16), precision="float32", seed=0)


def task_of(kind: str) -> Task:
    """The vision transformers are a supernet: four students a step, layer norm alone."""
    if kind == "vit":
        return supernet("sandwich", 0, family="vit", space=TRANSFORMERS)
    return learner(kind, 0)


class Noting(nn.Module):
    """A supernet that notes which paths it is asked for."""

    def __init__(self, seed: int, family: str, space: Space) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.net = FAMILIES[family].supernet(space, 1, CLASSES)
        self.paths: list[str] = []

    def forward(self, images: Tensor, architecture: Architecture) -> Output:
        self.paths.append(architecture.id)
        return self.net(images, architecture)


def supernet(
    policy: str, seed: int, family: str = "resnet", space: Space = SPACE
) -> SupernetTask:
    net = Noting(seed, family, space)
    chosen = POLICIES[policy](Terms(space, 2, 3, None, lambda student: 1.0))
    kl = AlphaDivergence(low=1.0, high=1.0)
    teaching = Teaching(Hard(), kl, TARGETS["largest"], "sum")
    sampling = Sampling(space, chosen, seed=3)
    task = SupernetTask(net, None, sampling, teaching, FEED.sample(16), precision="float32")
    net.paths.clear()
    return task


def train(task: Task, path: Path, until: int = 20, plan: Plan = PLAN) -> Any:
    tell = Telling(Silent(), "net")
    return fit(task, FEED, plan, until=until, checkpoint=path, tell=tell)


def sum_of(tensors: dict[str, Tensor]) -> str:
    ordered = (tensors[name].detach().contiguous() for name in sorted(tensors))
    return sha256(b"".join(tensor.numpy().tobytes() for tensor in ordered)).hexdigest()


class Watched:
    """A task that notes what its process sees; its loss may be no number at a step."""

    def __init__(self, task: Any, *, broken: int = -1) -> None:
        self.task, self.broken = task, broken
        self.module, self.classes = task.module, task.classes
        self.players, self.shows = task.players, task.shows
        self.seen: list[list[int]] = []
        self.noise: list[float] = []
        self.steps: list[int] = []

    def losses(self, batch: Batch) -> Iterator[Loss]:
        assert batch.indices is not None
        self.seen.append(batch.indices.tolist())
        self.steps.append(batch.step)
        self.noise.append(float(torch.rand(())))
        for loss in self.task.losses(batch):
            if batch.step == self.broken and rank() == 1:
                self.broken = -1
                loss = Loss(loss.total * float("nan"), loss.cross_entropy)
            yield loss


def gradients(kind: str) -> dict[str, Tensor]:
    """Of the first step, after whatever the processes tell each other."""
    task = task_of(kind)
    task.module.train()
    batch = next(FEED.batches(PLAN, Shows(), 0, 1))
    train_step(task, batch, make_optimiser(task.module, PLAN), PLAN)
    return found(task.module)


def found(module: nn.Module) -> dict[str, Tensor]:
    return {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}


def halves() -> dict[str, Tensor]:
    """One process that normalises each half of the batch by itself."""
    task = learner("batch norm", 0)
    task.module.train()
    batch = next(FEED.batches(PLAN, Shows(), 0, 1))
    for part in (slice(0, 8), slice(8, 16)):
        (loss,) = task.losses(
            batch._replace(images=batch.images[part], labels=batch.labels[part])
        )
        (0.5 * loss.total).backward()
    return found(task.module)


def alone() -> dict[str, Any]:
    """What one process finds."""
    batches = FEED.batches(PLAN, Shows(), 0, 20)
    return {
        "layer norm": gradients("layer norm"),
        "vit": gradients("vit"),
        "batch norm": gradients("batch norm"),
        "halves": halves(),
        "seen": [batch.indices.tolist() for batch in batches if batch.indices is not None],
    }


def supernets(folder: Path, policy: str) -> dict[str, Any]:
    """Trained straight, and cut in two; the weights of the first process's seed count."""
    task = Watched(supernet(policy, rank()))
    done = train(task, folder / policy / str(rank()))
    train(supernet(policy, 9 * rank()), folder / f"{policy} cut" / str(rank()), 10)
    resumed = supernet(policy, 5 + rank())
    again = train(resumed, folder / f"{policy} cut" / str(rank()))
    return {
        "parameters": sum_of(dict(task.module.named_parameters())),
        "buffers": sum_of(dict(task.module.named_buffers())),
        "average": sum_of(done.average),
        "curve": done.curve,
        "paths": task.task.supernet.paths,
        "seen": task.seen,
        "noise": task.noise,
        "resumed": [
            sum_of(dict(resumed.module.named_parameters())),
            sum_of(dict(resumed.module.named_buffers())),
            sum_of(again.average),
        ],
    }


def counted() -> dict[str, int]:
    """All-reduces of a step in which one loss sums four students."""
    calls: list[int] = []
    real = dist.all_reduce

    def noted(tensor: Tensor, *more: Any) -> Any:
        calls.append(tensor.numel())
        return real(tensor, *more)

    dist.all_reduce = noted
    task = supernet("sandwich", 0)
    task.module.train()
    optimiser = make_optimiser(task.module, PLAN)
    for batch in FEED.batches(PLAN, Shows(), 0, 3):
        train_step(task, batch, optimiser, PLAN)
    dist.all_reduce = real
    numbers = sum(p.numel() for p in task.module.parameters())
    return {"calls": len(calls), "steps": 3, "whole": calls == [numbers] * 3}


def line(work: Any) -> str:
    try:
        work()
    except KdsearchError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def drifted() -> None:
    net = nn.Linear(50, 50)
    as_first(net.parameters())
    check_alike(net, 1)
    with torch.no_grad():
        net.weight[3, 4] += 1e-2 * rank()
    check_alike(net, 2)


def broken(folder: Path) -> dict[str, Any]:
    """One process alone sees a loss that is no number."""
    plan = replace(PLAN, rollbacks=1)
    task = Watched(learner("batch norm", 0), broken=12)
    done = train(task, folder / "broken" / str(rank()), plan=plan)
    hopeless = Watched(learner("batch norm", 0), broken=12)
    try:
        train(hopeless, folder / "hopeless" / str(rank()))
    except TrainingError as error:
        said = str(error)
    return {
        "steps": task.steps,
        "rollbacks": done.rollbacks,
        "parameters": sum_of(dict(task.module.named_parameters())),
        "said": said,
    }


def told() -> dict[str, Any]:
    """The messages themselves."""
    mixed = [
        torch.full((2, 3), float(rank())).to(memory_format=torch.contiguous_format),
        torch.arange(24.0).view(1, 2, 3, 4).add(rank()).to(memory_format=torch.channels_last),
        torch.tensor([rank() == 0, rank() == 1]),
        torch.tensor(rank(), dtype=torch.int64),
    ]
    as_first(mixed)
    meet()
    return {
        "of": (rank(), world()),
        "first": first_says({"path": Path(f"of {rank()}")})["path"].name,
        "mixed": [tensor.tolist() for tensor in mixed],
        "mean": averaged(torch.tensor([1.0 * rank(), 3.0])).tolist(),
    }


def together(folder: Path) -> dict[str, Any]:
    odd = replace(PLAN, batch_size=15)
    return {
        "told": told(),
        "layer norm": gradients("layer norm"),
        "vit": gradients("vit"),
        "batch norm": gradients("batch norm"),
        "sandwich": supernets(folder, "sandwich"),
        "importance": supernets(folder, "importance"),
        "counted": counted(),
        "odd": line(lambda: train(learner("batch norm", 0), folder / "odd", plan=odd)),
        "drifted": line(drifted),
        "broken": broken(folder),
    }


def main(own: int, folder: Path) -> None:
    torch.set_num_threads(1)
    result = {"alone": alone()} if own == 0 else {}
    store = dist.FileStore(str(folder / "store"), 2)
    dist.init_process_group("gloo", store=store, rank=own, world_size=2)
    torch.save(result | together(folder), folder / f"rank{own}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
