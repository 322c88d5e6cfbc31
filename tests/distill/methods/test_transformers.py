"""Every method of the table teaches vision transformers, whose maps keep their size."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.distill import METHODS
from kdsearch.nets import FAMILIES
from kdsearch.nets.elastic_attention import HEAD
from kdsearch.output import Output, detached, single
from kdsearch.training.distillation import Distillation
from kdsearch.training.feed import Feed
from kdsearch.training.plan import Plan

SPACE = Space(
    {"patch": Choice((2,)), "embedding": Choice((6, 10))}
    | {f"stage{s}.{axis}": Choice((1, 2)) for s in (1, 2, 3) for axis in ("depth", "heads")}
    | {f"stage{s}.mlp": Choice((1, 2)) for s in (1, 2, 3)}
)
PLAN = Plan(steps=40, batch_size=16, learning_rate=0.05, weight_decay=0.0, seed=3)


class Path(nn.Module):
    """One student inside a supernet."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.supernet = FAMILIES["vit"].supernet(SPACE, 1, 4)
        self.architecture = architecture

    def forward(self, images: Tensor) -> Output:
        return self.supernet(images, self.architecture)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", METHODS)
def test_the_largest_and_the_smallest_learn(
    name: str, teach: Callable[..., Distillation], patterns: Feed
) -> None:
    """A path's loss reaches all weights of its own, and only those; losses stay finite."""
    student = Path(Architecture.of(SPACE.largest()))
    task = teach(name, student)
    smallest = Architecture.of(SPACE.smallest())
    queries = student.supernet.stages[0].blocks[0].attention.project.weight
    learnt = [p for p in task.learners.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(learnt, 0.02)
    for batch in patterns.batches(PLAN, task.shows, 0, 3):
        seen = task.seen(batch)
        small = single(student.supernet(batch.images, smallest))
        other = seen._replace(student=small, largest=detached(seen.student), online=None)
        optimiser.zero_grad()
        losses = [task.method(seen), task.method(other)]
        losses[1].backward(retain_graph=True)
        assert bool(queries.grad[:, :HEAD, :6].any())
        assert not bool(queries.grad[:, HEAD:].any() or queries.grad[:, :, 6:].any())
        losses[0].backward()
        assert all(p.grad is not None and bool(p.grad.any()) for p in student.parameters())
        optimiser.step()
        assert bool(torch.isfinite(torch.stack(losses)).all())
