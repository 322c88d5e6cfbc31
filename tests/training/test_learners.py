"""All that learns with a student: modules sized by a probe, and a teacher that learns too."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.distill.method import Needs, Online, Part, Probe, Said
from kdsearch.errors import UserError
from kdsearch.output import Output
from kdsearch.training.learners import OnlineTeacher, check_parts, gather
from kdsearch.training.task import Sample

IMAGES = torch.randn(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
SAMPLE = Sample(IMAGES[:2], 3, 90, 16)


class Net(nn.Module):
    """A convolution, a norm and a head, on 4 x 4 pixels; notes the mode that it ran in."""

    def __init__(self, width: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width, 3)
        self.modes: list[bool] = []

    def forward(self, images: Tensor) -> Output:
        self.modes.append(self.training)
        maps = self.norm(self.conv(images))
        pooled = maps.mean((2, 3))
        return Output(self.head(pooled), (maps,), pooled)


def own_loss(said: Said, labels: Tensor) -> Tensor:
    assert said.output.logits is not None
    return F.cross_entropy(said.output.logits, labels)


def online(**rule: float | bool) -> Online:
    return Online(lambda probe: nn.Linear(probe.classes, 2), own_loss, **rule)  # type: ignore[arg-type]


def teacher_of(**rule: float | bool) -> OnlineTeacher:
    torch.manual_seed(0)
    return OnlineTeacher(online(**rule), Net(4), nn.Linear(3, 2)).train()


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_modules_are_sized_by_outputs_of_two_images() -> None:
    probes: list[Probe] = []
    needs = Needs(parts=lambda probe: (probes.append(probe), nn.Linear(2, 2))[1])
    gather(Net(), needs, Net(4), SAMPLE, seed=0)
    (probe,) = probes
    assert probe.teacher is not None
    assert probe.student.pooled.shape == (2, 2) and probe.teacher.pooled.shape == (2, 4)
    assert probe[2:] == (3, 90, 16)
    assert not probe.student.logits.requires_grad
    gather(Net(), needs, None, SAMPLE, seed=0)
    assert probes[1].teacher is None


@pytest.mark.parametrize("training", [True, False])
def test_a_probe_leaves_the_networks_as_they_were(training: bool) -> None:
    nets = Net().train(training), Net(4).train(training)
    before = [state(net) for net in nets]
    gather(nets[0], Needs(), nets[1], SAMPLE, seed=0)
    assert [net.modes for net in nets] == [[False], [False]]
    assert all(net.training is training for net in nets)
    assert all(same(state(net), old) for net, old in zip(nets, before, strict=True))


def test_modules_are_drawn_from_the_seed() -> None:
    needs = Needs(parts=lambda _: nn.Linear(9, 9), online=online())
    torch.manual_seed(1)
    first = state(gather(Net(), needs, Net(4), SAMPLE, seed=5).parts)
    before = torch.get_rng_state()
    again = gather(Net(), needs, Net(4), SAMPLE, seed=5)
    other = gather(Net(), needs, Net(4), SAMPLE, seed=6)
    assert same(state(again.parts), first) and not same(state(other.parts), first)
    assert other.online is not None and again.online is not None
    assert not same(state(again.online.network), state(other.online.network))
    assert not torch.equal(before, torch.get_rng_state())  # the networks made here
    torch.set_rng_state(before)
    net, guide = Net(), Net(4)
    now = torch.get_rng_state()
    gather(net, needs, guide, SAMPLE, seed=7)
    assert torch.equal(torch.get_rng_state(), now)


@pytest.mark.parametrize("scratch", [True, False])
def test_a_teacher_that_learns_is_another_than_the_frozen_one(scratch: bool) -> None:
    given = Net(4).requires_grad_(False).eval()
    before = state(given)
    learners = gather(Net(), Needs(online=online(scratch=scratch)), given, SAMPLE, seed=0)
    assert learners.online is not None
    network = learners.online.network
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert same(state(network), before) is not scratch
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    assert same(state(given), before)
    assert not any(parameter.requires_grad for parameter in given.parameters())


def test_until_it_is_frozen_it_learns() -> None:
    teacher = teacher_of(freeze_after=0.5)
    before = state(teacher.network)
    out = teacher(IMAGES, 0.49)
    assert out.logits.requires_grad and not teacher.is_frozen(0.49)
    assert teacher.network.modes == [True]
    assert not torch.equal(
        state(teacher.network)["norm.running_mean"], before["norm.running_mean"]
    )


def test_frozen_it_keeps_weights_and_statistics_but_its_modules_learn_on() -> None:
    teacher = teacher_of(freeze_after=0.5)
    before = state(teacher.network)
    out = teacher(IMAGES, 0.5)
    assert teacher.is_frozen(0.5) and not out.logits.requires_grad
    assert teacher.network.modes == [False] and same(state(teacher.network), before)
    teacher.parts(out.logits).sum().backward()
    assert bool(teacher.parts.weight.grad.any())
    assert all(parameter.grad is None for parameter in teacher.network.parameters())


def test_in_evaluation_it_is_in_evaluation_whether_frozen_or_not() -> None:
    teacher = teacher_of(freeze_after=0.5).eval()
    teacher(IMAGES, 0.0), teacher(IMAGES, 0.9)
    assert teacher.network.modes == [False, False]
    teacher.train()(IMAGES, 0.0)
    assert teacher.network.modes[-1] is True


def test_without_an_average_there_is_none() -> None:
    teacher = teacher_of()
    before = state(teacher)
    teacher.follow()
    assert teacher.average is None and teacher.averaged(IMAGES) is None
    assert same(state(teacher), before)


def test_an_average_follows_the_network_and_its_modules() -> None:
    """0.75 · old + 0.25 · new for weights; statistics of norms are the network's own."""
    teacher = teacher_of(average=0.75)
    assert teacher.average is not None
    assert not any(parameter.requires_grad for parameter in teacher.average.parameters())
    start = [p.clone() for p in [*teacher.network.parameters(), *teacher.parts.parameters()]]
    teacher(IMAGES, 0.0)
    with torch.no_grad():
        for parameter in [*teacher.network.parameters(), *teacher.parts.parameters()]:
            parameter.add_(1.0)
    teacher.follow()
    for old, now in zip(start, teacher.average.parameters(), strict=True):
        torch.testing.assert_close(now, old + 0.25)
    network = teacher.average[0]
    assert torch.equal(network.norm.running_mean, teacher.network.norm.running_mean)
    assert bool(network.norm.running_mean.any())


def test_the_average_speaks_in_evaluation_mode_without_a_graph() -> None:
    teacher = teacher_of(average=0.9).train()
    assert teacher.average is not None
    before = state(teacher)
    out = teacher.averaged(IMAGES)
    assert out is not None and not out.logits.requires_grad
    assert teacher.average[0].modes == [False] and same(state(teacher), before)
    teacher.eval().train()
    assert not teacher.average.training and teacher.network.training


def test_a_checkpoint_holds_all_of_it() -> None:
    needs = Needs(parts=lambda _: nn.Linear(2, 2), online=online(average=0.5))
    names = gather(Net(), needs, Net(4), SAMPLE, seed=0).state_dict()
    wanted = ("student.", "parts.", "online.network.", "online.parts.")
    for start in (*wanted, "online.average.0.", "online.average.1."):
        assert any(name.startswith(start) for name in names), start


FULL = Output(torch.zeros(2, 3), (torch.zeros(2, 1, 2, 2),), torch.zeros(2, 4))


@pytest.mark.parametrize(
    ("part", "out", "way_out"),
    [
        ("logits", FULL._replace(logits=None), "hard on labels, multi_level and the feature"),
        ("feats", FULL._replace(feats=()), "name layers of 2-D maps in its taps"),
        ("pooled", FULL._replace(pooled=None), "it has to end in a linear layer"),
    ],
)
def test_what_a_network_does_not_give_is_said_with_the_way_out(
    part: Part, out: Output, way_out: str
) -> None:
    check_parts("student", FULL, ("logits", "feats", "pooled"))
    others = tuple(p for p in ("logits", "feats", "pooled") if p != part)
    check_parts("student", out, others)
    with pytest.raises(UserError, match=f"needs {part} of the teacher.*{way_out}"):
        check_parts("teacher", out, (part,))


class Giving(Net):
    """Gives what it is told to."""

    def __init__(self, change: Callable[[Output], Output]) -> None:
        super().__init__()
        self.change = change

    def forward(self, images: Tensor) -> Output:
        return self.change(super().forward(images))


def test_student_and_teacher_are_checked_before_anything_is_built() -> None:
    def build(_: Probe) -> nn.Module:
        raise AssertionError("built")

    headless = Giving(lambda out: out._replace(logits=None))
    needs = Needs(teacher=("logits",), student=("pooled",), parts=build)
    with pytest.raises(UserError, match="needs logits of the teacher"):
        gather(Net(), needs, headless, SAMPLE, seed=0)
    with pytest.raises(UserError, match="needs pooled of the student"):
        gather(Giving(lambda out: out._replace(pooled=None)), needs, Net(), SAMPLE, seed=0)
    gather(Net(), Needs(teacher=("pooled",)), headless, SAMPLE, seed=0)
