"""EKD-R, our reconstruction: one-way gradients, and what its teacher that learns does when."""

import copy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.evolutionary import Evolutionary, teacher_loss
from kdsearch.distill.method import Probe, Said, Seen
from kdsearch.errors import UserError
from kdsearch.output import Output, detached
from kdsearch.training.feed import Feed
from kdsearch.training.fit import apply
from kdsearch.training.optimiser import make_optimiser
from kdsearch.training.plan import Plan
from kdsearch.training.task import Batch, Loss, Shows

CLASSES = 4
LABELS = torch.tensor([0, 3, 1, 2, 2, 0])
SMALL = {"dimension": 16}


def output(seed: int, widths: tuple[int, ...] = (4, 6, 8), batch: int = 6) -> Output:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).requires_grad_()

    feats = tuple(normal(batch, width, 8 >> s, 8 >> s) for s, width in enumerate(widths))
    return Output(normal(batch, CLASSES), feats, normal(batch, widths[-1]))


def shown(method: Evolutionary, student: Output, teacher: Output, labels: Tensor) -> Seen:
    """What the trainer would show where the teacher itself is imitated."""
    torch.manual_seed(0)
    probe = Probe(student, teacher, student.logits.shape[1], 90, 6)
    assert method.needs.parts is not None and method.needs.online is not None
    ours, theirs = method.needs.parts(probe), method.needs.online.parts(probe)
    own, guide = Said(teacher, theirs), Said(detached(teacher), theirs)
    return Seen(student, None, labels, ours, online=own, guide=guide)


def leaves(out: Output, parts: nn.Module) -> list[Tensor]:
    return [out.logits, *out.feats, out.pooled, *parts.parameters()]


def by_hand(
    student: Sequence[tuple[Tensor, Tensor]],
    teacher: Sequence[tuple[Tensor, Tensor]],
    labels: Tensor,
    numbers: tuple[float, float, float, float],
) -> Tensor:
    """The student's loss from (embedding, logits) of as many exits on both sides."""
    alpha, beta, temperature, weight = numbers
    loss, count = F.cross_entropy(student[-1][1], labels), len(student)
    for stage, ((ours, logits), (theirs, taught)) in enumerate(
        zip(student, teacher, strict=True), 1
    ):
        if stage < count:
            loss = loss + weight * F.cross_entropy(logits, labels)
        p = (taught.detach() / temperature).softmax(1)
        q = (logits / temperature).softmax(1)
        kl = (p * (p.log() - q.log())).sum(1).mean()
        gap = F.normalize(ours) - F.normalize(theirs.detach())
        loss = loss + alpha / count * temperature**2 * kl
        loss = loss + beta / count * (gap**2).sum(1).mean()
    return loss


def test_the_loss_is_the_formula() -> None:
    method = Evolutionary(alpha=0.6, beta=1.7, temperature=3.0, exit_weight=0.4, **SMALL)
    student, teacher = output(0), output(1, (8, 12, 16))
    seen = shown(method, student, teacher, LABELS)
    exits = seen.parts(student.feats, student.pooled, student.logits)
    theirs = seen.online.parts(teacher.feats, teacher.pooled, teacher.logits)
    expected = by_hand(exits, theirs, LABELS, (0.6, 1.7, 3.0, 0.4))
    hard = sum(F.cross_entropy(logits, LABELS) for _, logits in theirs)
    torch.testing.assert_close(method(seen), expected + hard)
    torch.testing.assert_close(teacher_loss(seen.online, LABELS), hard)
    assert len(exits) == 3 and {e.embedding.shape for e in exits} == {(6, 16)}
    assert exits[-1].logits is student.logits


def test_the_students_loss_alone_where_no_teacher_learns() -> None:
    """A narrower path of a supernet: the teacher has learned on this batch before."""
    method, student, teacher = Evolutionary(**SMALL), output(0), output(1)
    seen = shown(method, student, teacher, LABELS)
    own = teacher_loss(seen.online, LABELS)
    torch.testing.assert_close(method(seen._replace(online=None)) + own, method(seen))


def test_nothing_of_the_student_reaches_the_teacher_nor_the_other_way() -> None:
    method, student, teacher = Evolutionary(**SMALL), output(0), output(1)
    seen = shown(method, student, teacher, LABELS)
    ours, theirs = leaves(student, seen.parts), leaves(teacher, seen.online.parts)

    def grads(loss: Tensor, of: Sequence[Tensor]) -> list[Tensor | None]:
        return list(torch.autograd.grad(loss, of, retain_graph=True, allow_unused=True))

    learns = method(seen._replace(online=None))
    teaches = teacher_loss(seen.online, LABELS)
    assert grads(learns, theirs) == [None] * len(theirs)
    assert grads(teaches, ours) == [None] * len(ours)
    reached = [student.logits, *student.feats[:-1], student.pooled, *seen.parts.parameters()]
    assert all(bool(grad.any()) for grad in grads(learns, reached))
    for both, alone in ((ours, learns), (theirs, teaches)):
        for one, other in zip(grads(method(seen), both), grads(alone, both), strict=True):
            assert (one is None) == (other is None) and (one is None or torch.equal(one, other))


def test_the_teachers_last_embedding_stays_as_drawn() -> None:
    """The labels do not train it; all other modules of the teacher learn."""
    seen = shown(Evolutionary(**SMALL), output(0), output(1), LABELS)
    teacher_loss(seen.online, LABELS).backward()
    still = {n for n, p in seen.online.parts.named_parameters() if p.grad is None}
    assert still == {"embed.widest.weight", "embed.widest.bias"}


@pytest.mark.parametrize(
    ("ours", "theirs", "pairs"),
    [
        ((4, 6, 8), (8, 12), [(1, 0), (2, 1)]),
        ((4, 6), (8, 12, 16, 20), [(0, 2), (1, 3)]),
        ((4,), (8, 12, 16), [(0, 2)]),
    ],
)
def test_stages_are_paired_from_the_deep_end(
    ours: tuple[int, ...], theirs: tuple[int, ...], pairs: list[tuple[int, int]]
) -> None:
    """Those of one network alone have exits too, and learn from the labels."""
    method = Evolutionary(alpha=0.6, beta=1.7, temperature=3.0, **SMALL)
    student, teacher = output(0, ours), output(1, theirs)
    seen = shown(method, student, teacher, LABELS)
    exits = seen.parts(student.feats, student.pooled, student.logits)
    targets = seen.online.parts(teacher.feats, teacher.pooled, teacher.logits)
    assert (len(exits), len(targets)) == (len(ours), len(theirs))
    paired = [exits[i] for i, _ in pairs], [targets[j] for _, j in pairs]
    expected = by_hand(*paired, LABELS, (0.6, 1.7, 3.0, 1.0))
    for alone in exits[: len(exits) - len(pairs)]:
        expected = expected + F.cross_entropy(alone.logits, LABELS)
    torch.testing.assert_close(method(seen._replace(online=None)), expected)


def test_one_set_of_modules_for_every_width() -> None:
    method = Evolutionary(**SMALL)
    seen = shown(method, output(0), output(1), LABELS)
    narrow = output(2, (2, 3, 5))
    loss = method(seen._replace(student=narrow, online=None))
    grads = torch.autograd.grad(loss, [*narrow.feats[:-1], narrow.pooled])
    assert bool(loss.isfinite()) and all(bool(grad.any()) for grad in grads)


@pytest.mark.parametrize("batch", [1, 3])
def test_dead_features_give_a_defined_loss(batch: int) -> None:
    """Maps, features and logits of zeros; two classes, one image."""

    def dead() -> Output:
        feats = tuple(torch.zeros(batch, 4, s, s).requires_grad_() for s in (4, 2, 1))
        zeros = torch.zeros(batch, 4).requires_grad_()
        return Output(torch.zeros(batch, 2).requires_grad_(), feats, zeros)

    student, teacher = dead(), dead()
    method = Evolutionary(**SMALL)
    seen = shown(method, student, teacher, LABELS[:batch].clamp(max=1))
    for parts in (seen.parts, seen.online.parts):
        for parameter in parts.parameters():
            nn.init.zeros_(parameter)
    loss = method(seen)
    loss.backward()
    assert loss.dtype == torch.float32 and bool(loss.isfinite())
    found = [*leaves(student, seen.parts), *leaves(teacher, seen.online.parts)]
    assert all(bool(leaf.grad.isfinite().all()) for leaf in found if leaf.grad is not None)


def test_what_it_asks_for() -> None:
    """A trained teacher only where it starts from one."""
    needs = Evolutionary().needs
    assert (needs.teacher, needs.online.scratch, needs.online.lead) == ((), True, 1)
    assert (needs.online.freeze_after, needs.online.average) == (1.0, 0.0)
    needs = Evolutionary(
        init="pretrained", teacher_lead=3, teacher_ema=0.9, freeze_after=0.5
    ).needs
    assert needs.teacher == needs.student == ("logits", "feats", "pooled")
    assert (needs.online.scratch, needs.online.lead) == (False, 3)
    assert (needs.online.freeze_after, needs.online.average) == (0.5, 0.9)


def test_a_teacher_without_stages_cannot_be_learned() -> None:
    headless = output(1)._replace(feats=())
    for init in ("scratch", "pretrained"):
        with pytest.raises(UserError, match="evolutionary needs logits, feats and pooled of"):
            shown(Evolutionary(init=init), output(0), headless, LABELS)


def test_defaults_are_ours() -> None:
    """The paper's are not known."""
    method = Evolutionary()
    assert (method.alpha, method.beta, method.temperature) == (1.0, 1.0, 4.0)
    assert (method.exit_weight, method.dimension) == (1.0, 256)


class FrozenTeacherExits:
    """Distillation from the exits of a frozen teacher, written without the method's parts: the
    teacher in eval mode, its exits learning from the labels on its features, the student's
    exits from the labels and from both."""

    classes, shows = CLASSES, Shows()

    def __init__(self, student: nn.Module, ours: nn.Module, teacher: nn.Module) -> None:
        self.teacher, theirs = teacher, ours[1]
        self.module = nn.ModuleList([student, ours[0], theirs])
        self.players = [(student, ours[0]), (theirs,)]

    def losses(self, batch: Batch) -> Iterator[Loss]:
        student, ours, theirs = self.module
        out = student(batch.images)
        with torch.no_grad():
            taught = self.teacher.eval()(batch.images)
        exits = ours(out.feats, out.pooled, out.logits)
        targets = theirs(taught.feats, taught.pooled, taught.logits)
        learns = by_hand(exits, targets, batch.labels, (1.0, 1.0, 4.0, 1.0))
        teaches = sum(F.cross_entropy(logits, batch.labels) for _, logits in targets)
        yield Loss(learns + teaches, F.cross_entropy(out.logits.detach(), batch.labels))


def test_a_frozen_pretrained_teacher_is_distillation_from_its_exits(
    taught: Callable, trained: Callable, network: Callable, tmp_path: Path
) -> None:
    """The same weights after twelve steps from the same start."""
    teacher = network(5, (6, 8, 12))
    with torch.no_grad():  # as if trained: statistics that eval mode has to use
        for name, value in teacher.named_buffers():
            value.fill_(0.4 if name.endswith("running_mean") else 2)
    before = copy.deepcopy(teacher.state_dict())
    task = taught(Evolutionary(init="pretrained", freeze_after=0.0, **SMALL), teacher)
    student, parts, online = copy.deepcopy([*task.module.children()])
    plain = FrozenTeacherExits(student, nn.ModuleList([parts, online.parts]), teacher)
    start = copy.deepcopy(task.module.student.state_dict())
    trained(task, tmp_path / "ours", 12)
    trained(plain, tmp_path / "plain", 12)
    found = task.module
    for one, other in (
        (found.student, plain.module[0]),
        (found.parts, plain.module[1]),
        (found.online.parts, plain.module[2]),
        (found.online.network, teacher),
    ):
        expected = other.state_dict()
        for name, value in one.state_dict().items():
            torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-6)
    assert not torch.equal(
        start["classifier.weight"], found.student.state_dict()["classifier.weight"]
    )
    assert all(torch.equal(before[n], v) for n, v in found.online.network.state_dict().items())


def vector(module: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(module.parameters()).detach().clone()


def batches(feed: Feed, shows: Shows, until: int, steps: int = 40) -> Iterator[Batch]:
    return feed.batches(Plan(steps, 16, 0.05, 1e-3, 7), shows, 0, until)


@pytest.mark.parametrize("lead", [1, 3])
@pytest.mark.parametrize("freeze_after", [0.0, 1.0])
def test_the_teacher_takes_its_lead_on_batches_of_its_own(
    taught: Callable, network: Callable, patterns: Feed, lead: int, freeze_after: float
) -> None:
    """So many optimiser steps for one of the student's; frozen, its modules still take them."""
    method = Evolutionary(
        init="pretrained", teacher_lead=lead, freeze_after=freeze_after, **SMALL
    )
    task = taught(method, network(5, (6, 8, 12)))
    (batch,) = batches(patterns, task.shows, 1)
    assert len(batch.ahead) == lead - 1
    for images, _ in batch.ahead:
        assert not torch.equal(images, batch.images)
    plan, learners = Plan(40, 16, 0.05, 1e-3, 7), task.module
    optimiser = make_optimiser(learners, plan)
    moved: list[list[bool]] = []
    parts = (learners.student, learners.parts, learners.online.network, learners.online.parts)
    for loss in task.losses(batch):
        before = [vector(part) for part in parts]
        apply(loss.total, task, optimiser, plan, 0)
        moved.append(
            [not torch.equal(a, vector(b)) for a, b in zip(before, parts, strict=True)]
        )
    learns = freeze_after > 0
    assert moved == [[True, True, learns, True], *([[False, False, learns, True]] * (lead - 1))]


def test_a_frozen_teacher_with_nothing_to_learn_takes_no_steps(
    taught: Callable, network: Callable, patterns: Feed
) -> None:
    """One stage: no exit before the last, and the network stays as it is."""
    method = Evolutionary(init="pretrained", teacher_lead=2, freeze_after=0.0, **SMALL)
    task = taught(method, network(5, (6,)))
    (batch,) = batches(patterns, task.shows, 1)
    (loss,) = task.losses(batch)
    loss.total.backward()
    assert all(p.grad is None for p in task.module.online.parameters())


def test_it_freezes_on_the_way(
    taught: Callable, trained: Callable, network: Callable, tmp_path: Path
) -> None:
    """From half of the steps on the network keeps weights and statistics; its modules learn."""
    task = taught(Evolutionary(freeze_after=0.5, **SMALL), network(5))
    states = []
    for until in (9, 10, 14):
        trained(task, tmp_path / "run", until, 20)
        states.append(copy.deepcopy(task.module.online.state_dict()))
    first, half, later = states

    def same(one: dict[str, Tensor], other: dict[str, Tensor], part: str) -> list[bool]:
        return [torch.equal(v, other[n]) for n, v in one.items() if n.startswith(part)]

    assert all(same(half, later, "network.")) and not any(same(first, half, "network."))
    assert not any(same(half, later, "parts.guided."))


def test_targets_come_from_the_running_average(
    taught: Callable, network: Callable, patterns: Feed
) -> None:
    """Of network and modules, in eval mode, after every step (1 - decay) nearer to them."""
    task = taught(Evolutionary(teacher_ema=0.75, **SMALL), network(5))
    learners, show = task.module.train(), task.seen
    online, plan = learners.online, Plan(40, 16, 0.05, 1e-3, 7)
    optimiser, told = make_optimiser(learners, plan), []
    task.seen = lambda batch: (told.append(show(batch)), told[-1])[1]
    torch.testing.assert_close(vector(online.average[0]), vector(online.network))
    average = vector(online.average)
    for batch in batches(patterns, task.shows, 3):
        current = torch.cat([vector(online.network), vector(online.parts)])
        average = 0.75 * average + 0.25 * current
        for loss in task.losses(batch):
            apply(loss.total, task, optimiser, plan, batch.step)
        torch.testing.assert_close(vector(online.average), average)
        seen = told[-1]
        assert seen.guide.parts is online.average[1] and seen.online.parts is online.parts
        with torch.no_grad():
            expected = online.average[0].eval()(batch.images)
        assert torch.equal(seen.guide.output.logits, expected.logits)
        assert not seen.guide.output.logits.requires_grad
        assert seen.online.output.logits.requires_grad
    assert not torch.equal(average, torch.cat([vector(online.network), vector(online.parts)]))


def test_a_teacher_from_scratch_forgets_what_it_knew(
    taught: Callable, network: Callable
) -> None:
    """And the network that was brought stays as it is, whatever is learned."""
    teacher = network(5, (6, 8, 12))
    before = vector(teacher)
    fresh = taught(Evolutionary(**SMALL), teacher).module.online
    again = taught(Evolutionary(**SMALL), teacher).module.online
    kept = taught(Evolutionary(init="pretrained", **SMALL), teacher).module.online
    assert torch.equal(vector(fresh), vector(again))
    assert not torch.equal(vector(fresh.network), before)
    assert torch.equal(vector(kept.network), before)
    for online in (fresh, kept):
        assert all(parameter.requires_grad for parameter in online.parameters())
        nn.init.zeros_(next(online.network.parameters()))
    assert torch.equal(vector(teacher), before)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"teacher_lead": 3, "teacher_ema": 0.9, "freeze_after": 0.3},
        {"init": "pretrained", "freeze_after": 0.0},
    ],
)
def test_a_killed_run_goes_on_as_if_nothing_had_been(
    options: dict[str, float | str], taught: Callable, network: Callable, resumes: Callable
) -> None:
    """Frozen at step 12 of 40, too: killed before and after."""
    teacher = network(5, (6, 8))
    resumes(lambda seed: taught(Evolutionary(**SMALL, **options), teacher, seed=seed))


def test_it_ships_the_student_alone_and_learns(
    taught: Callable, trained: Callable, network: Callable, patterns: Feed, tmp_path: Path
) -> None:
    task = taught(Evolutionary(**SMALL), network(5, (6, 8, 12)))
    done = trained(task, tmp_path / "run", 60, 60)
    shipped = task.shipped(done.average).eval()
    assert set(shipped.state_dict()) == set(task.module.student.state_dict())
    (batch,) = patterns.batches(Plan(1, 90, 0.1, 0.0, 0), Shows(), 0, 1)
    for net in (shipped, task.module.online.network.eval()):
        right = net(batch.images).logits.argmax(1) == batch.labels
        assert float(right.float().mean()) > 0.9
    shipped.load_state_dict(task.module.student.state_dict())
    task.module.eval()
    alone = task.module.student(batch.images).logits
    assert torch.equal(shipped(batch.images).logits, alone)
