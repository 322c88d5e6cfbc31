"""Branches of students on a teacher: whom they reach, when, and what is left of them."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice
from kdsearch.errors import TeacherError
from kdsearch.files import read_json
from kdsearch.nets import FAMILIES
from kdsearch.spaces import list_spaces, load_space
from kdsearch.teachers import TEACHERS
from kdsearch.teachers.branches import Branches
from kdsearch.teachers.conditioning import Conditioning
from kdsearch.teachers.learning import Learning
from kdsearch.teachers.make import Origin, load_teacher, make_teacher
from kdsearch.teachers.scaffold import forks_of, make_branches, of_whole_space
from kdsearch.teachers.student_friendly import train_student_friendly
from kdsearch.teachers.task import TeacherTask
from kdsearch.teachers.training import Course, Pool, Shaping
from kdsearch.training import fit as fit_module
from kdsearch.training.task import Batch, Shows

State = dict[str, Tensor]
TEACHER = {"stage1.width": 6, "stage2.width": 8, "stage3.width": 12} | {
    f"stage{s}.depth": 1 for s in (1, 2, 3)
}
SHAPED = ("student_oriented", "student_friendly", "generic")


def teacher() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return FAMILIES["resnet"].student(Architecture.of(TEACHER), 1, 3)


def with_rule(course: Course, **rule: Any) -> Course:
    shaping = replace(course.shaping, conditioning=Conditioning(**rule))
    return replace(course, shaping=shaping)


def learning(course: Course, loss: str) -> Course:
    rule = Learning(loss, learning_rate=0.05)
    return replace(course, shaping=replace(course.shaping, distribution=rule))


def trained(name: str, course: Course, folder: Path, until: int | None = None) -> State:
    """Weights after a training with a checkpoint of its own."""
    folder.mkdir(exist_ok=True)
    network = teacher()
    TEACHERS[name](network, replace(course, checkpoint=folder / "checkpoint"))
    return network.state_dict()


def equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return list(one) == list(other) and all(torch.equal(other[k], v) for k, v in one.items())


@pytest.fixture
def short(course: Course) -> Course:
    return replace(course, plan=replace(course.plan, steps=12))


@pytest.mark.parametrize("name", ["generic", "student_friendly"])
def test_branches_without_weight_leave_the_plain_teacher(
    name: str, short: Course, tmp_path: Path
) -> None:
    plain = trained("plain", short, tmp_path / "plain")
    own = with_rule(short, ce=0.0, kl=0.0)
    assert equal(trained(name, own, tmp_path / name), plain)
    assert not equal(trained(name, with_rule(short, warmup=0.0), tmp_path / "on"), plain)


@pytest.mark.parametrize("gradient", ["branch", "both"])
def test_warm_up_leaves_the_plain_teacher(gradient: str, short: Course, tmp_path: Path) -> None:
    """To the last bit, though branches learn: what they learn from is detached."""
    plain = trained("plain", short, tmp_path / "plain")
    own = with_rule(short, warmup=1.0, gradient=gradient)
    assert equal(trained("generic", own, tmp_path / "generic"), plain)


def dying_at(call: int, patch: pytest.MonkeyPatch) -> None:
    whole, calls = fit_module.apply, iter(range(1000))

    def apply(*args: Any) -> None:
        if next(calls) == call:
            raise KeyboardInterrupt
        whole(*args)

    patch.setattr(fit_module, "apply", apply)


@pytest.mark.parametrize("name", [*SHAPED, "without weight", "learnt"])
def test_a_killed_training_goes_on_to_the_same_teacher(
    name: str, short: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, way = with_rule(short), name
    if name == "without weight":
        own, way = with_rule(short, ce=0.0, kl=0.0), "generic"
    if name == "learnt":
        own, way = learning(short, "capability"), "generic"
    expected = trained(way, own, tmp_path / "straight")
    monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        dying_at(7, patch)
        trained(way, own, tmp_path / "cut")
    assert (tmp_path / "cut" / "checkpoint").exists()
    assert equal(trained(way, own, tmp_path / "cut"), expected)


def one_step(course: Course) -> tuple[nn.Module, Branches, Batch]:
    network = teacher().train()
    branches = make_branches(network, course, of_whole_space(course)).train()
    (batch,) = list(course.feed.batches(course.plan, Shows(), 30, 31))
    return network, branches, batch


def touched(network: nn.Module) -> set[str]:
    """Top-level parts of a teacher that some gradient reached."""
    return {
        ".".join(name.split(".")[:2]) if name.startswith("stages") else name.split(".")[0]
        for name, parameter in network.named_parameters()
        if parameter.grad is not None and bool(parameter.grad.any())
    }


def losses_of(network: nn.Module, branches: Branches, batch: Batch) -> tuple[Tensor, Tensor]:
    """Of the whole task, and of the teacher on its labels alone."""
    task = TeacherTask(network, [branches], classes=3, precision="float32")
    (loss,) = task.losses(batch)
    (alone,) = TeacherTask(network, [], classes=3, precision="float32").losses(batch)
    return loss.total, alone.total


@pytest.mark.parametrize(
    ("fork", "parts"),
    [
        (0, {"conv", "norm", "stages.0"}),
        (1, {"conv", "norm", "stages.0", "stages.1"}),
    ],
)
def test_a_branch_reaches_the_stages_before_its_fork(
    fork: int, parts: set[str], course: Course
) -> None:
    network, branches, batch = one_step(with_rule(course, kl=0.0, attach="all"))
    branches.forks, branches.adapters = (branches.forks[fork],), branches.adapters[fork:]
    total, alone = losses_of(network, branches, batch)
    (total - alone).backward()
    assert touched(network) == parts


@pytest.mark.parametrize(
    ("gradient", "teacher_head", "through_branch"),
    [("branch", False, True), ("teacher", True, False), ("both", True, True)],
)
def test_sides_of_the_divergence(
    gradient: str, teacher_head: bool, through_branch: bool, course: Course
) -> None:
    network, branches, batch = one_step(with_rule(course, ce=0.0, gradient=gradient))
    total, alone = losses_of(network, branches, batch)
    (total - alone).backward()
    # Of a difference of two equal terms rounding may leave a trace at the teacher's end.
    head = network.classifier.weight.grad
    assert bool((head.abs() > 1e-6).any()) == teacher_head
    grads = [p.grad for p in branches.adapters.parameters() if p.grad is not None]
    assert any(bool(g.any()) for g in grads) == through_branch


def test_all_branches_are_averaged(course: Course) -> None:
    """One path at both forks costs the mean of what it costs at each."""
    network, branches, batch = one_step(with_rule(course, kl=0.0, attach="all", paths=1))
    both = losses_of(network, branches, batch)
    whole, parts = both[0] - both[1], []
    forks, adapters = branches.forks, branches.adapters
    for at in (0, 1):
        branches.forks, branches.adapters = forks[at : at + 1], adapters[at : at + 1]
        total, alone = losses_of(network, branches, batch)
        parts.append(total - alone)
    torch.testing.assert_close(whole, (parts[0] + parts[1]) / 2, rtol=1e-4, atol=1e-4)


def test_the_schedule_of_the_divergence() -> None:
    rule = Conditioning(kl=2.0, warmup=0.5, ramp=0.2)
    found = [rule.kl_at(progress) for progress in (0.0, 0.49, 0.5, 0.6, 0.7, 0.99)]
    assert found == pytest.approx([0, 0, 0, 1, 2, 2])
    at_once = Conditioning(warmup=0.0, ramp=0.0)
    assert at_once.kl_at(0.0) == 1 and not at_once.is_warming_up(0.0)


def test_paths_do_not_depend_on_the_teacher_and_differ_from_step_to_step(
    course: Course,
) -> None:
    _, branches, _ = one_step(course)
    _, again, _ = one_step(with_rule(course, kl=0.5))
    drawn = [branches.drawn(step, k) for step in range(20) for k in (0, 1)]
    assert drawn == [again.drawn(step, k) for step in range(20) for k in (0, 1)]
    assert len(set(drawn)) > 20 and {forks for _, forks in drawn} == {(0,), (1,)}


def test_student_friendly_draws_its_one_student(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Architecture] = []
    plain = Branches.drawn

    def seen(self: Branches, step: int, k: int) -> Any:
        found = plain(self, step, k)
        drawn.append(found[0])
        return found

    monkeypatch.setattr(Branches, "drawn", seen)
    train_student_friendly(teacher(), course)
    assert course.shaping.pool is not None
    assert set(drawn) == {course.shaping.pool.student} and len(drawn) == 80


def test_students_at_a_resolution_of_their_own(short: Course) -> None:
    pool = short.shaping.pool
    assert pool is not None
    axes = {**pool.space.axes, "resolution": Choice((4, 8))}
    own = replace(pool, space=replace(pool.space, axes=axes))
    course = replace(short, shaping=replace(short.shaping, pool=own))
    curve = TEACHERS["generic"](teacher(), course).curve
    assert curve[-1][0] == 12


@pytest.mark.parametrize(
    ("feats", "stages", "expected"),
    [
        (3, 3, [(0, 1), (1, 2)]),
        (5, 3, [(2, 1), (3, 2)]),
        (2, 4, [(0, 3)]),
    ],
)
def test_forks_are_matched_from_the_deep_end(
    feats: int, stages: int, expected: list[tuple[int, int]]
) -> None:
    assert forks_of(feats, stages) == expected


def test_a_teacher_of_one_map_cannot_be_branched() -> None:
    with pytest.raises(TeacherError, match="gives 1 feature maps .*teacher.taps"):
        forks_of(1, 3)


@pytest.mark.parametrize("name", SHAPED)
def test_what_is_kept_is_a_plain_teacher(name: str, short: Course, tmp_path: Path) -> None:
    origin = Origin("family", "resnet", TEACHER)
    for way in (name, "plain"):
        own = replace(short, checkpoint=tmp_path / f"{way}.checkpoint")
        make_teacher(origin, way, own, tmp_path / way)
    states = [load_teacher(tmp_path / way, short).state_dict() for way in (name, "plain")]
    assert list(states[0]) == list(states[1]) and not equal(*states)


def pretrained() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Sequential(
            nn.Conv2d(1, 6, 3, 1, 1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 8, 3, 2, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 5),
        )


def test_a_brought_network_is_shaped_and_its_head_replaced(
    course: Course, tmp_path: Path
) -> None:
    given = pretrained()
    before = copy.deepcopy(given.state_dict())
    make_teacher(Origin("object", "resnet", {}), "generic", course, tmp_path, given=given)
    made = load_teacher(tmp_path, course, given).body.module.state_dict()
    assert list(made) == list(before)
    assert made["7.weight"].shape == (3, 8)
    assert not torch.equal(made["0.weight"], before["0.weight"])
    assert read_json(tmp_path / "teacher.json")["training"] == "generic"


def test_a_learnt_distribution_is_told(short: Course, tmp_path: Path) -> None:
    own = learning(short, "hard_student")
    make_teacher(Origin("family", "resnet", TEACHER), "generic", own, tmp_path)
    paths = read_json(tmp_path / "teacher.json")["paths"]
    assert short.shaping.pool is not None
    told = {name: dict(odds) for name, odds in paths.items()}
    choices = short.shaping.pool.space.choices()
    assert {name: tuple(odds) for name, odds in told.items()} == choices
    for odds in told.values():
        assert sum(odds.values()) == pytest.approx(1) and min(odds.values()) >= 0.15
    assert any(abs(p - 0.5) > 1e-3 for odds in told.values() for p in odds.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_branches_of_every_family(name: str, short: Course) -> None:
    """On a teacher of another kind; a space of one student is none of every family's."""
    made = next(s for s in map(load_space, list_spaces()) if s.family == name)
    student = Architecture.of(made.space.smallest())
    pool = Pool(name, made.space, student)
    rule = Conditioning(warmup=0.0, ramp=0.0, attach="all", paths=1)
    one = replace(short, plan=replace(short.plan, steps=1), shaping=Shaping(pool, rule))
    images = nn.functional.interpolate(one.feed.split.images, (32, 32))
    split = replace(one.feed.split, images=images)
    feed = replace(one.feed, split=split, info=replace(one.feed.info, size=32))
    for way in ("generic", "student_friendly"):
        assert TEACHERS[way](teacher(), replace(one, feed=feed)).curve[-1][0] == 1
        one.checkpoint.unlink()
