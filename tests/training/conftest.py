"""What the training tests share: a small data set that can be learnt, and networks to learn it.

Nothing here is random beyond its seed, so two runs are the same run.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo, Split
from kdsearch.distill.hard import Hard
from kdsearch.nets import FAMILIES
from kdsearch.output import Output
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed

CLASSES = 4

TINY = Architecture.of(
    {f"stage{s}.width": 2 * s + 2 for s in (1, 2, 3)}
    | {f"stage{s}.depth": 1 for s in (1, 2, 3)}
)


@pytest.fixture(scope="session")
def feed() -> Feed:
    """Ninety grey images of 8 px, a noisy pattern of its own for each of four classes."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.rand(CLASSES, 1, 8, 8, generator=generator)
    labels = torch.arange(90) % CLASSES
    noise = 0.15 * torch.randn(90, 1, 8, 8, generator=generator)
    images = ((patterns[labels] + noise).clamp(0, 1) * 255).to(torch.uint8)
    pixels = images.float() / 255
    info = DataInfo(
        name="patterns",
        classes=tuple("abcd"),
        channels=1,
        size=8,
        mean=(float(pixels.mean()),),
        std=(float(pixels.std()),),
        counts={"train": 90},
        skipped=(),
        fingerprint="patterns",
    )
    return Feed(Split(images, labels), info)


class Dropping(nn.Module):
    """A student with dropout: its noise has to be the same in a resumed run."""

    def __init__(self) -> None:
        super().__init__()
        self.body = FAMILIES["resnet"].student(TINY, 1, CLASSES)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, images: Tensor) -> Output:
        out = self.body(images)
        return out._replace(logits=self.head(self.drop(out.pooled)))


@pytest.fixture
def learner(feed: Feed) -> Callable[..., Distillation]:
    """A fresh student of a seed, learning from labels; with or without dropout."""

    def make(seed: int, *, dropout: bool = False) -> Distillation:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = Dropping() if dropout else FAMILIES["resnet"].student(TINY, 1, CLASSES)
        lesson = Lesson(net, Hard(), None)
        return Distillation(lesson, feed.sample(16), precision="float32", seed=0)

    return make
