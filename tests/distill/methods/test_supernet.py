"""Every method of the table teaches students of any width that share their weights.

The largest student of a step comes first and alone writes what is remembered; the others are
shown its output. The method's modules are sized by it, once for all.
"""

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.paths import sandwich
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.distill import METHODS
from kdsearch.distill.method import Method, Said, Seen
from kdsearch.nets import FAMILIES
from kdsearch.nets.family import Supernet
from kdsearch.output import Output, detached, single
from kdsearch.training.feed import Feed
from kdsearch.training.learners import Learners, gather
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Shows

SPACE = Space(
    {f"stage{s}.width": Choice((2 + 2 * s, 4 + 3 * s)) for s in (1, 2, 3)}
    | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)}
)
PLAN = Plan(steps=30, batch_size=16, learning_rate=0.1, weight_decay=0.0, seed=3)

every_method = pytest.mark.parametrize("name", METHODS)


class Largest(nn.Module):
    """The largest student: what the modules are sized by, and the weights that are shared."""

    def __init__(self, supernet: nn.Module) -> None:
        super().__init__()
        self.supernet = supernet

    def forward(self, images: Tensor) -> Output:
        return self.supernet(images, Architecture.of(SPACE.largest()))  # type: ignore[no-any-return]


class Class(NamedTuple):
    """Students that share their weights, and who teaches them."""

    method: Method
    learners: Learners
    teacher: nn.Module | None
    supernet: Supernet

    def seen(self, batch: Batch, paths: tuple[Architecture, ...]) -> Iterator[Seen]:
        """Of each path, the largest first."""
        online, parts = self.learners.online, self.learners.parts
        said = guide = None
        if online is not None:
            said = Said(single(online(batch.images, batch.progress)), online.parts)
            guide = Said(detached(said.output), online.parts)
        taught = None
        if self.teacher is not None and online is None:
            taught = detached(single(self.teacher(batch.images)))
        outs = [single(self.supernet(batch.images, path)) for path in paths]
        usual = Seen(
            outs[0],
            taught,
            batch.labels,
            parts,
            batch.progress,
            batch.opens_epoch,
            batch.indices,
            online=said,
            guide=guide,
        )
        yield usual
        for out in outs[1:]:
            yield usual._replace(student=out, largest=detached(outs[0]), online=None)


@pytest.fixture
def students(patterns: Feed, teacher: nn.Module) -> Callable[[str], Class]:
    def made(name: str) -> Class:
        method = METHODS[name]()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            supernet = FAMILIES["resnet"].supernet(SPACE, 1, 4)
        guide = teacher if method.needs.teacher or method.needs.online else None
        learners = gather(Largest(supernet), method.needs, guide, patterns.sample(16), 0)
        return Class(method, learners, guide, supernet)  # type: ignore[arg-type]

    return made


def ends(net: Supernet, batch: Batch) -> list[float]:
    """Cross-entropy of the largest and the smallest student."""
    paths = sandwich(SPACE, random.Random(0), 0)
    images = batch.images[: len(batch.labels)]
    with torch.no_grad():
        outs = [net(images, path).logits for path in paths]
    return [float(F.cross_entropy(out, batch.labels)) for out in outs]


@every_method
def test_the_smallest_the_largest_and_any_between_learn_together(
    name: str, students: Callable[[str], Class], patterns: Feed
) -> None:
    group = students(name)
    weights = [p for p in group.learners.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(weights, PLAN.learning_rate, momentum=0.9, nesterov=True)
    shows, rng = Shows(group.method.needs.views), random.Random(0)
    losses: list[float] = []
    for batch in patterns.batches(PLAN, shows, 0, PLAN.steps):
        paths = sandwich(SPACE, rng, 1)
        total = torch.stack([group.method(seen) for seen in group.seen(batch, paths)]).sum()
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(weights, PLAN.clip)
        optimiser.step()
        losses.append(total.item())
    assert sum(losses[-5:]) < sum(losses[:5])
    assert max(ends(group.supernet, batch)) < 1.0  # chance is 1.39


@every_method
def test_every_width_and_depth_reaches_its_own_weights(
    name: str, students: Callable[[str], Class], patterns: Feed
) -> None:
    """A path's loss moves its own leading channels and blocks, and no others."""
    group = students(name)
    (batch,) = patterns.batches(PLAN, Shows(group.method.needs.views), 0, 1)
    paths = sandwich(SPACE, random.Random(0), 0)
    _, smallest = group.seen(batch, paths)
    group.method(smallest).backward()
    depth, width = paths[1]["stage2.depth"], int(paths[1]["stage2.width"])
    stage = group.supernet.stages[1]  # type: ignore[attr-defined]
    used = stage[0].project.widest.weight.grad  # the branch beside it starts at 0
    assert bool(used[:width].any()) and not bool(used[width:].any())
    assert depth == 1 and stage[1].conv1.widest.weight.grad is None
    shared = [group.learners.online, group.teacher]
    assert all(p.grad is None for net in shared if net is not None for p in net.parameters())
