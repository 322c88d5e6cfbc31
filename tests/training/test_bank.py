"""Stored teacher outputs: the same losses as asking the teacher, and no teacher forward."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.distill import METHODS
from kdsearch.distill.decoupled import Decoupled
from kdsearch.distill.method import Method
from kdsearch.distill.soften import Soften
from kdsearch.nets import FAMILIES
from kdsearch.output import Output
from kdsearch.training.bank import Bank, fill
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan
from kdsearch.training.served import is_served
from kdsearch.training.task import Shows

PLAN = Plan(
    steps=22,
    batch_size=16,
    learning_rate=0.05,
    weight_decay=0.0,
    seed=3,
    augment="shift",
    bank=2,
)
SMALL = Architecture.of(
    {f"stage{s}.width": 4 for s in (1, 2, 3)} | {f"stage{s}.depth": 1 for s in (1, 2, 3)}
)


class Counting(nn.Module):
    """A teacher that counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.net = FAMILIES["resnet"].student(SMALL, 1, 4)
        self.calls = 0

    def forward(self, images: Tensor) -> Output:
        self.calls += 1
        out: Output = self.net(images)
        return out


@pytest.fixture
def teacher() -> Counting:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Counting().eval().requires_grad_(False)


@pytest.fixture
def stored(feed: Feed, teacher: Counting, tmp_path: Path) -> Feed:
    fill(tmp_path, teacher, feed.split, feed.info, PLAN, Silent())
    assert teacher.calls == 2 * 6  # 90 images, batches of 16, two variations
    teacher.calls = 0
    return replace(feed, told=Bank(tmp_path, "cpu"))


def trained(
    feed: Feed, teacher: nn.Module | None, method: Method, folder: Path, plan: Plan = PLAN
) -> tuple[dict[str, Tensor], list[tuple[int, float]]]:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        student = FAMILIES["resnet"].student(SMALL, 1, 4)
    lesson = Lesson(student, method, teacher)
    task = Distillation(lesson, feed.sample(16), precision="float32", seed=0)
    path = folder / f"{plan.seed}-{teacher is None}.safetensors"
    done = fit(
        task, feed, plan, until=plan.steps, checkpoint=path, tell=Telling(Silent(), "student")
    )
    return task.module.state_dict(), done.curve


@pytest.mark.parametrize("method", [Soften(), Decoupled()])
def test_losses_and_weights_are_those_of_the_teacher_itself(
    feed: Feed, stored: Feed, teacher: Counting, method: Method, tmp_path: Path
) -> None:
    """Bit by bit: the same variations, asked anew each step or read from the bank."""
    asked, first = trained(feed, teacher, method, tmp_path)
    assert teacher.calls == PLAN.steps + 1  # and the probe
    teacher.calls = 0
    read, again = trained(stored, None, method, tmp_path)
    assert first == again
    assert all(torch.equal(read[name], value) for name, value in asked.items())
    assert teacher.calls == 0


def test_a_second_trial_of_another_seed_asks_no_teacher_either(
    stored: Feed, teacher: Counting, tmp_path: Path
) -> None:
    one, _ = trained(stored, None, Soften(), tmp_path)
    other, _ = trained(stored, None, Soften(), tmp_path, replace(PLAN, seed=9))
    assert teacher.calls == 0
    assert not all(torch.equal(one[name], value) for name, value in other.items())


def test_epochs_go_round_the_variations(stored: Feed) -> None:
    """Five steps an epoch: the same image in epochs 0 and 2, another one in epoch 1."""
    seen: dict[int, list[Tensor]] = {}
    for batch in stored.batches(PLAN, Shows(told=True), 0, 15):
        assert batch.taught is not None and batch.indices is not None
        assert batch.taught.logits is not None
        for position, image in zip(batch.indices.tolist(), batch.images, strict=True):
            seen.setdefault(position, []).append(image)
    three = [images for images in seen.values() if len(images) == 3]
    assert len(three) > 40
    assert all(torch.equal(a, c) for a, _, c in three)
    assert any(not torch.equal(a, b) for a, b, _ in three)


def test_without_a_bank_batches_are_as_ever(feed: Feed, stored: Feed) -> None:
    plan = replace(PLAN, bank=0)
    for ours, theirs in zip(
        feed.batches(plan, Shows(), 0, 7),
        stored.batches(plan, Shows(told=True), 0, 7),
        strict=True,
    ):
        assert torch.equal(ours.images, theirs.images) and theirs.taught is None


def test_a_bank_that_was_cut_off_is_filled_up(
    feed: Feed, teacher: Counting, tmp_path: Path
) -> None:
    fill(tmp_path, teacher, feed.split, feed.info, PLAN, Silent())
    (tmp_path / "variation-1.safetensors").unlink()
    teacher.calls = 0
    fill(tmp_path, teacher, feed.split, feed.info, PLAN, Silent())
    assert teacher.calls == 6


def test_which_methods_are_served() -> None:
    served = {name for name, method in METHODS.items() if is_served(method().needs)}
    assert {"soften", "dist", "nkd", "decoupled", "standardized", "relational"} <= served
    assert not served & {"hard", "hint", "attention", "information_flow", "evolutionary"}
    assert "multi_level" not in served  # its views turn the images
