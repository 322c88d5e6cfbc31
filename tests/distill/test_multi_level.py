from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.data.load import load_search
from kdsearch.data.prepare import prepare
from kdsearch.data.records import Options
from kdsearch.distill.method import Probe, Seen
from kdsearch.distill.multi_level import MultiLevel
from kdsearch.losses.alignment import alignment_distance
from kdsearch.losses.contrast import supervised_contrast
from kdsearch.losses.view_correlation import view_correlation_kl
from kdsearch.nets import FAMILIES
from kdsearch.output import Output
from kdsearch.training.distillation import Distillation, Lesson
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan

LABELS = torch.arange(6) % 3


def output(seed: int, width: int, rows: int) -> Output:
    generator = torch.Generator().manual_seed(seed)
    logits, pooled = (
        torch.randn(rows, size, generator=generator).requires_grad_() for size in (3, width)
    )
    return Output(logits, (), pooled)


def pair(views: int, batch: int = 6) -> tuple[Output, Output]:
    """Of student and teacher; the teacher has no head."""
    student, teacher = output(0, 12, views * batch), output(1, 16, views * batch)
    return student, teacher._replace(logits=None, pooled=teacher.pooled.detach())


def seen(method: MultiLevel, batch: int = 6) -> Seen:
    student, teacher = pair(method.views, batch)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = method.needs.parts(Probe(student, teacher, 3, 100, batch))
    return Seen(student, teacher, LABELS[:batch], parts)


@pytest.mark.parametrize("corr_head", ["mlp", "none"])
@pytest.mark.parametrize("views", [1, 2, 4])
def test_the_whole_loss_by_the_formulas(views: int, corr_head: str) -> None:
    method = MultiLevel(
        7.0,
        0.3,
        11.0,
        labels=0.5,
        views=views,
        corr_head=corr_head,
        correlation_temperature=0.8,
        contrast_temperature=0.1,
    )
    shown = seen(method)
    student, teacher, parts = shown.pooled, shown.teacher_pooled, shown.parts
    correlated = parts["correlation"](student) if corr_head == "mlp" else student
    u, v = parts["student"](student), parts["teacher"](teacher)
    labels = torch.cat([LABELS] * views)
    expected = (
        0.5 * F.cross_entropy(shown.logits[:6], LABELS)
        + 7 * view_correlation_kl(correlated, teacher, views, 0.8)
        + 0.3 * supervised_contrast(F.normalize(u), F.normalize(v), labels, 0.1)
        + 11 * alignment_distance(parts["alignment"](student), teacher)
    )
    torch.testing.assert_close(method(shown), expected)


def test_defaults_are_the_authors_for_cifar_100() -> None:
    """ifding/DLKD: weights of scripts/run_cifar_mlkd.sh, temperatures of helper/losses.py, the
    four views of helper/loops.py."""
    method = MultiLevel()
    weights = (method.labels, method.correlation, method.contrast, method.alignment)
    assert weights == (1.0, 50.0, 1.0, 20.0)
    assert (method.correlation_temperature, method.contrast_temperature) == (0.5, 0.07)
    assert method.needs.views == ("90", "180", "270") and method.corr_head == "mlp"
    assert method.needs.teacher == ("pooled",)
    assert method.needs.student == ("logits", "pooled")


@pytest.mark.parametrize(("views", "further"), [(1, ()), (2, ("180",))])
def test_fewer_views(views: int, further: tuple[str, ...]) -> None:
    assert MultiLevel(views=views).needs.views == further


def test_parameters_are_the_authors_but_for_the_cap() -> None:
    """resnet32x4 to resnet8x4 (256 features each): 2.11, 0.13, 0.07 million; a teacher of 2048
    features: 109 million for alignment."""

    def millions(method: MultiLevel, student: int, teacher: int) -> dict[str, float]:
        with torch.device("meta"):
            probe = Probe(output_of(student), output_of(teacher), 100, 100, 8)
            parts = method.needs.parts(probe)
        return {
            name: sum(p.numel() for p in part.parameters()) / 1e6
            for name, part in parts.items()
        }

    alike = millions(MultiLevel(), 256, 256)
    found = (alike["alignment"], alike["correlation"], alike["student"] + alike["teacher"])
    assert found == pytest.approx((2.11, 0.13, 0.07), abs=0.006)
    assert millions(MultiLevel(parity=True), 1280, 2048)["alignment"] == pytest.approx(
        109, 0.01
    )
    assert millions(MultiLevel(), 1280, 2048)["alignment"] < 14
    assert millions(MultiLevel(corr_head="none"), 256, 256)["correlation"] == 0


def output_of(width: int) -> Output:
    return Output(None, (), torch.empty(2, width))


def test_labels_see_the_upright_images_alone() -> None:
    shown = seen(MultiLevel())
    MultiLevel()(shown).backward()
    gradient = shown.student.logits.grad
    assert bool(gradient[:6].any(dim=1).all()) and not gradient[6:].any()


@pytest.mark.parametrize("views", [1, 2, 4])
def test_gradients_reach_every_view_and_every_head(views: int) -> None:
    method = MultiLevel(views=views)
    shown = seen(method)
    method(shown).backward()
    assert bool(shown.student.pooled.grad.any(dim=1).all())
    for name, parameter in shown.parts.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.any()), name
    assert shown.teacher_pooled.grad is None


@pytest.mark.parametrize("views", [1, 2, 4])
@pytest.mark.parametrize("kind", ["alone", "zeros"])
def test_degenerate_batches_are_defined(views: int, kind: str) -> None:
    method = MultiLevel(views=views)
    shown = seen(method, batch=1 if kind == "alone" else 6)
    if kind == "zeros":
        zeros = torch.zeros_like(shown.pooled, requires_grad=True)
        dead = Output(None, (), torch.zeros_like(shown.teacher_pooled))
        shown = shown._replace(student=shown.student._replace(pooled=zeros), teacher=dead)
    loss = method(shown)
    loss.backward()
    assert bool(loss.isfinite()) and bool(shown.pooled.grad.isfinite().all())


def test_heads_serve_a_narrower_student() -> None:
    method = MultiLevel()
    shown = seen(method)
    narrow = output(2, 5, 24)
    method(shown._replace(student=narrow)).backward()
    assert bool(narrow.pooled.grad.any())
    assert not shown.parts["alignment"].widen.widest.weight.grad[:, 5:].any()


# A self-supervised teacher: it knows how digits are turned, and no label.


def architecture(width: int) -> Architecture:
    return Architecture.of(
        {f"stage{s}.width": width << s for s in (1, 2, 3)}
        | {f"stage{s}.depth": 1 for s in (1, 2, 3)}
    )


class Headless(nn.Module):
    """Pooled features of a network, and nothing else."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Output:
        return Output(None, (), self.network(images).pooled)


def quarters(images: Tensor) -> tuple[Tensor, Tensor]:
    """Every image turned four ways, and how often by a quarter."""
    turned = torch.cat([torch.rot90(images, turns, (2, 3)) for turns in range(4)])
    return turned, torch.arange(4).repeat_interleave(len(images))


def upright(feed: Feed) -> Tensor:
    return feed.shown(torch.arange(len(feed.split)), lambda images, seed: images, 0)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Feed, Feed]:
    """Digits to learn from, and others."""
    folder = tmp_path_factory.mktemp("digits")
    prepare("digits", folder, options=Options(), seed=0, progress=Silent())
    data = load_search(folder)
    return Feed(data.train, data.info), Feed(data.search_val, data.info)


@pytest.fixture(scope="module")
def turned(feeds: tuple[Feed, Feed]) -> Iterator[nn.Module]:
    """A network that tells how digits are turned, without its head."""
    train, held_out = feeds
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = FAMILIES["resnet"].student(architecture(8), 1, 4)
        optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
        images = upright(train)
        for _ in range(100):
            batch, turns = quarters(images[torch.randperm(len(images))[:32]])
            optimiser.zero_grad()
            F.cross_entropy(network(batch).logits, turns).backward()
            optimiser.step()
    network.eval()
    batch, turns = quarters(upright(held_out))
    with torch.no_grad():
        assert float((network(batch).logits.argmax(1) == turns).float().mean()) > 0.8
    network.zero_grad(set_to_none=True)
    yield Headless(network)


def taught_by(teacher: nn.Module, feed: Feed) -> Distillation:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        student = FAMILIES["resnet"].student(architecture(4), 1, 10)
    lesson = Lesson(student, MultiLevel(), teacher)
    return Distillation(lesson, feed.sample(32), precision="float32", seed=0)


def test_gradients_of_a_headless_teachers_lesson(
    turned: nn.Module, feeds: tuple[Feed, Feed]
) -> None:
    """They reach all of the student and of the heads, and nothing of the teacher."""
    task = taught_by(turned, feeds[0])
    for module in task.learners.student.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)  # a block's last is zero at first, and stops gradients
    plan = Plan(10, 32, 0.05, 5e-4, 0)
    (batch,) = feeds[0].batches(plan, task.shows, 0, 1)
    assert len(batch.images) == 4 * len(batch.labels)
    (loss,) = task.losses(batch)
    loss.total.backward()
    for name, parameter in task.module.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.any()), name
    roots = {name.partition(".")[0] for name, _ in task.module.named_parameters()}
    assert roots == {"student", "parts"}
    assert all(parameter.grad is None for parameter in turned.parameters())


@pytest.mark.slow
def test_a_headless_self_supervised_teacher_teaches(
    turned: nn.Module, feeds: tuple[Feed, Feed], tmp_path: Path
) -> None:
    train, held_out = feeds
    task = taught_by(turned, train)
    images, labels = upright(held_out), held_out.split.labels

    @torch.no_grad()
    def judged() -> tuple[float, float]:
        """Distance of directions to the teacher's, and accuracy, on images never trained on."""
        student, teacher = task.learners.student.eval()(images), turned(images)
        ours = task.learners.parts["alignment"](student.pooled)
        right = (student.logits.argmax(1) == labels).float().mean()
        return float(alignment_distance(ours, teacher.pooled)), float(right)

    distance, _ = judged()
    before = [p.clone() for p in turned.parameters()]
    plan = Plan(120, 32, 0.05, 5e-4, 0)
    fit(
        task,
        train,
        plan,
        until=plan.steps,
        checkpoint=tmp_path / "checkpoint.safetensors",
        tell=Telling(Silent(), "student"),
    )
    after, accuracy = judged()
    assert after < 0.5 * distance
    assert accuracy > 0.6
    assert all(torch.equal(*both) for both in zip(before, turned.parameters(), strict=True))
