"""The sandwich rule: what each path aims at, and one sum of losses."""

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.distill import METHODS
from kdsearch.distill.alpha_divergence import AlphaDivergence
from kdsearch.distill.evolutionary import Evolutionary
from kdsearch.distill.hard import Hard
from kdsearch.distill.hint import Hint
from kdsearch.distill.information_flow import InformationFlow
from kdsearch.distill.lightskd import LightSKD
from kdsearch.distill.method import Seen
from kdsearch.distill.multi_level import MultiLevel
from kdsearch.distill.soften import Soften
from kdsearch.errors import UserError
from kdsearch.losses.softened import softened_kl
from kdsearch.nets import FAMILIES
from kdsearch.output import Output
from kdsearch.supernet.policies import POLICIES
from kdsearch.supernet.policies.policy import Terms
from kdsearch.supernet.teaching import TARGETS, Teaching
from kdsearch.supernet.train import Sampling, SupernetTask
from kdsearch.training.task import Batch, Sample

CLASSES = 5


class Teacher(nn.Module):
    """Linear, and counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.calls = nn.Linear(64, CLASSES), 0

    def forward(self, images: Tensor) -> Output:
        self.calls += 1
        return Output(3 * self.linear(images.flatten(1)))


class Noting(nn.Module):
    """A supernet that notes which paths it is asked for."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.paths: list[Architecture] = []

    def forward(self, images: Tensor, architecture: Architecture) -> Output:
        self.paths.append(architecture)
        return self.net(images, architecture)


@pytest.fixture
def teacher() -> Teacher:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Teacher()


KL = AlphaDivergence(low=1.0, high=1.0)


def task_of(
    net: nn.Module, space: Space, teacher: nn.Module | None, **more: Any
) -> SupernetTask:
    terms = Terms(space, more.get("randoms", 2), 3, more.get("odds"), lambda student: 1.0)
    policy = POLICIES[more.get("policy", "sandwich")](terms)
    order = more.get("order", ())
    sampling = Sampling(space, policy, seed=3, order=order)
    method = more.get("method", Hard() if teacher is None else Soften(weight=0.5))
    teaching = Teaching(
        method,
        more.get("others", KL),
        TARGETS[more.get("targets", "largest")],
        more.get("reduction", "sum"),
    )
    sample = Sample(torch.randn(2, 1, 8, 8), CLASSES, 24, 24)
    precision = more.get("precision", "float32")
    task = SupernetTask(net, teacher, sampling, teaching, sample, precision=precision)
    if isinstance(net, Noting):
        net.paths.clear()  # those of the probe
    if isinstance(teacher, Teacher):
        teacher.calls = 0
    return task


def at(batch: tuple[Tensor, Tensor], step: int = 0, progress: float = 0.0) -> Batch:
    return Batch(*batch, step=step, progress=progress)


def test_paths_are_a_function_of_seed_and_step(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor
) -> None:
    net = Noting(supernet)
    task = task_of(net, space, None, randoms=3)
    for step in (0, 1, 0):
        task.loss(at((images, labels), step))
    first, second, again = net.paths[:5], net.paths[5:10], net.paths[10:]
    assert first == again != second
    largest, smallest = Architecture.of(space.largest()), Architecture.of(space.smallest())
    assert first[:2] == second[:2] == [largest, smallest]


@pytest.mark.parametrize(
    ("targets", "taught"), [("largest", True), ("teacher", True), ("largest", False)]
)
def test_the_gradient_is_the_sum_of_the_paths_gradients(
    supernet: nn.Module,
    space: Space,
    batch: tuple[Tensor, Tensor],
    teacher: Teacher,
    targets: str,
    taught: bool,
) -> None:
    """Each path's loss and gradient on its own, written out, in a twin of the supernet."""
    images, labels = batch
    guide = teacher if taught else None
    net, twin = Noting(supernet.train()), copy.deepcopy(supernet).train()
    others = Soften(weight=1.0) if targets == "teacher" else KL
    task = task_of(net, space, guide, targets=targets, others=others)
    loss = task.loss(at(batch, 5))
    loss.total.backward()

    taught_logits = teacher(images).logits.detach()
    with torch.no_grad():
        largest = copy.deepcopy(supernet)(images, net.paths[0]).logits
    total = 0.0
    for number, path in enumerate(net.paths):
        logits = twin(images, path).logits
        if number == 0:
            alone = F.cross_entropy(logits, labels)
            torch.testing.assert_close(loss.cross_entropy, alone.detach())
            if taught:
                soft = softened_kl(logits, taught_logits, 4.0)
                alone = 0.5 * alone + 0.5 * soft
        elif targets == "teacher" and taught:
            alone = softened_kl(logits, taught_logits, 4.0)
        else:
            alone = F.kl_div(logits.log_softmax(1), largest.softmax(1), reduction="batchmean")
        alone.backward()  # adds to what the other paths left
        total += alone.item()
    assert loss.total.item() == pytest.approx(total, rel=1e-5)
    assert len(net.paths) == 4
    for (name, found), (_, expected) in zip(
        supernet.named_parameters(), twin.named_parameters(), strict=True
    ):
        assert bool(expected.grad.any()), name
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-5)


def test_one_teacher_forward_a_step_without_a_graph(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor, teacher: Teacher
) -> None:
    for targets in ("largest", "teacher"):
        teacher.calls = 0
        task = task_of(supernet, space, teacher, targets=targets, randoms=3)
        for step in range(3):
            task.loss(at((images, labels), step)).total.backward()
        assert teacher.calls == 3
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_the_largest_learns_nothing_from_those_who_imitate_it(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor
) -> None:
    """Blocks that only the largest path runs have the gradient of its own loss alone."""
    supernet.train()
    own = copy.deepcopy(supernet)
    F.cross_entropy(own(images, Architecture.of(space.largest())).logits, labels).backward()
    task_of(supernet, space, None, randoms=0).loss(at((images, labels))).total.backward()
    deepest = [name for name, _ in own.named_parameters() if name.startswith("stages.2.1.")]
    assert len(deepest) == 6
    for name in deepest:
        found, expected = supernet.get_parameter(name).grad, own.get_parameter(name).grad
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_losses_leave_bf16(
    supernet: nn.Module, space: Space, images: Tensor, labels: Tensor, teacher: Teacher
) -> None:
    exact = task_of(supernet, space, teacher).loss(at((images, labels)))
    rounded = task_of(supernet, space, teacher, precision="bf16").loss(at((images, labels)))
    assert rounded.total.dtype == rounded.cross_entropy.dtype == torch.float32
    assert rounded.total.item() != exact.total.item()
    assert rounded.total.item() == pytest.approx(exact.total.item(), rel=0.1)


def test_the_supernet_is_a_part_of_what_is_trained(supernet: nn.Module, space: Space) -> None:
    task = task_of(supernet, space, None)
    assert task.module.get_submodule("supernet") is supernet
    assert task.players[0][0] is supernet


def test_two_targets_are_averaged_and_means_divide(
    supernet: nn.Module, space: Space, batch: tuple[Tensor, Tensor], teacher: Teacher
) -> None:
    totals = {
        name: task_of(supernet, space, teacher, **more).loss(at(batch)).total.item()
        for name, more in {
            "largest": {"targets": "largest"},
            "teacher": {"targets": "teacher"},
            "both": {"targets": "both"},
            "mean": {"targets": "both", "reduction": "mean"},
        }.items()
    }
    assert totals["both"] == pytest.approx((totals["largest"] + totals["teacher"]) / 2)
    assert totals["largest"] != pytest.approx(totals["teacher"])
    assert totals["mean"] == pytest.approx(totals["both"] / 4)


def test_uniform_paths_all_learn_from_teacher_and_labels(
    supernet: nn.Module, space: Space, batch: tuple[Tensor, Tensor], teacher: Teacher
) -> None:
    net = Noting(supernet)
    task = task_of(net, space, teacher, policy="uniform")
    total = task.loss(at(batch)).total
    method, guide = Soften(weight=0.5), teacher(batch[0])
    alone = [
        method(Seen(supernet(batch[0], path), guide, batch[1], nn.Module()))
        for path in net.paths
    ]
    assert len(net.paths) == 4
    torch.testing.assert_close(total, torch.stack(alone).sum())
    with pytest.raises(UserError, match="lightskd has modules of the largest student's size"):
        task_of(supernet, space, teacher, policy="uniform", method=LightSKD())


@pytest.mark.parametrize("name", ["evolutionary", "lightskd"])
def test_methods_without_a_trained_teacher_train_the_supernet(
    supernet: nn.Module, space: Space, batch: tuple[Tensor, Tensor], name: str
) -> None:
    """An online teacher, and no teacher at all; others learn with the same modules."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        start = FAMILIES["resnet"].student(Architecture.of(space.largest()), 1, CLASSES)
    network = start if name == "evolutionary" else None
    task = task_of(supernet.train(), space, network, method=METHODS[name](), others=None)
    weights = [p for p in task.module.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(weights, 0.02, momentum=0.9)
    entropies = []
    for step in range(40):
        losses = task.losses(at(batch, step, step / 40))
        loss = next(losses)
        entropies.append(float(loss.cross_entropy))
        optimiser.zero_grad()
        loss.total.backward()
        if step == 0:
            reached = {n for n, p in task.module.named_parameters() if p.grad is not None}
            assert any(n.startswith("online.network") for n in reached) == (network is not None)
            assert {n for n, _ in supernet.named_parameters()} <= {
                n.removeprefix("supernet.") for n in reached
            }
        torch.nn.utils.clip_grad_norm_(weights, 5.0)
        optimiser.step()
        assert list(losses) == []
    assert entropies[-1] < 0.7 * entropies[0]
    assert len(task.players) == (2 if network is not None else 1)


def test_others_may_learn_with_adapters_from_either_target(
    supernet: nn.Module, space: Space, batch: tuple[Tensor, Tensor]
) -> None:
    """Feature methods size their modules by the target that is imitated."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        widest = {name: 4 * values[-1] for name, values in space.choices().items()}
        shape = {n: v if n.endswith("width") else 1 for n, v in widest.items()}
        teacher = FAMILIES["resnet"].student(Architecture.of(shape), 1, CLASSES).eval()
    teacher.requires_grad_(False)
    for targets in ("teacher", "largest", "both"):
        task = task_of(supernet, space, teacher, others=Hint(), targets=targets)
        task.loss(at(batch)).total.backward()
        own = task.module.get_submodule("parts")
        grads = [p.grad for p in own.parameters()]
        assert grads and all(g is not None and bool(g.any()) for g in grads)
        task.module.zero_grad()


def test_what_a_supernet_cannot_give_is_refused(
    supernet: nn.Module, space: Space, teacher: Teacher
) -> None:
    with pytest.raises(UserError, match=r"supernet\.method: soften needs a teacher"):
        task_of(supernet, space, None, method=Soften())
    with pytest.raises(UserError, match="cannot ask for views of its own"):
        task_of(supernet, space, teacher, method=MultiLevel())
    with pytest.raises(UserError, match="cannot ask for an auxiliary network"):
        task_of(supernet, space, teacher, method=InformationFlow(aux="max_subnet"))
    with pytest.raises(UserError, match=r"supernet\.others: evolutionary brings up a teacher"):
        task_of(supernet, space, teacher, others=Evolutionary())


def test_shrinking_opens_the_space_with_progress(
    supernet: nn.Module, space: Space, batch: tuple[Tensor, Tensor]
) -> None:
    net = Noting(supernet)
    task = task_of(net, space, None, order=("depth", "width"))
    seen = {}
    for progress in (0.0, 0.2, 0.6):
        net.paths.clear()
        task.loss(at(batch, progress=progress))
        seen[progress] = list(net.paths)
    largest = Architecture.of(space.largest())
    assert set(seen[0.0]) == {largest}
    assert {p["stage1.width"] for p in seen[0.2]} == {largest["stage1.width"]}
    assert {p["stage1.depth"] for p in seen[0.2]} == {1, 2}
    assert seen[0.6][1] == Architecture.of(space.smallest())


def test_importance_hears_the_gradient_of_each_path(
    supernet: nn.Module, space: Space, batch: tuple[Tensor, Tensor]
) -> None:
    task = task_of(supernet, space, None, policy="importance")
    before = task.pupils.policy.norms.clone()
    task.loss(at(batch)).total.backward()
    assert not torch.equal(before, task.pupils.policy.norms)
    assert "policy.norms" in task.module.state_dict()  # a checkpoint holds it
