"""One suite for every family and space: a carved student is what the supernet computes."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.nets import FAMILIES
from kdsearch.output import Output
from kdsearch.spaces import list_spaces, load_space

SIDE, CLASSES = 8, 5

WITH_RESOLUTION = Space(
    {f"stage{s}.width": Choice((4 * s, 8 * s)) for s in (1, 2, 3)}
    | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)}
    | {"resolution": Choice((5, SIDE))}
)
FOUR_STAGES = Space(
    {f"stage{s}.width": Choice((2 * s, 3 * s, 4 * s)) for s in (1, 2, 3, 4)}
    | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3, 4)}
)
BLOCKS = [f"stage{s}.block{b}" for s in (1, 2, 3) for b in (1, 2)]
BOTTLENECKS = Space(
    {f"stage{s}.width": Choice((2 * s, 5 * s)) for s in (1, 2, 3)}
    | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)}
    | {f"{block}.kernel": Choice((3, 5, 7)) for block in BLOCKS}
    | {f"{block}.expand": Choice((1.5, 3, 6)) for block in BLOCKS}
    | {"resolution": Choice((5, SIDE))}
)
TRANSFORMED = Space({**BOTTLENECKS.axes, "kernel_transform": Choice((1,))})
TRANSFORMERS = Space(
    {"patch": Choice((2,)), "embedding": Choice((6, 9, 16)), "resolution": Choice((4, SIDE))}
    | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3, 4)}
    | {f"stage{s}.heads": Choice((1, 2, 3)) for s in (1, 2, 3, 4)}
    | {f"stage{s}.mlp": Choice((1, 1.5, 2)) for s in (1, 2, 3, 4)}
)
OWN = {
    "four stages": ("resnet", FOUR_STAGES),
    "with resolution": ("resnet", WITH_RESOLUTION),
    "bottlenecks": ("mobile", BOTTLENECKS),
    "kernel transform": ("mobile", TRANSFORMED),
    "four stages of transformers": ("vit", TRANSFORMERS),
}
WIDTHS = ("width", "embedding", "heads")
"""Endings of the axes that `wider` widens."""


class Case(NamedTuple):
    """A space of a family, how many of its students are tried, and a supernet of it."""

    family: str
    space: Space
    count: int
    net: nn.Module
    channels: int

    def students(self) -> list[Architecture]:
        rng = random.Random(1)
        drawn = [self.space.draw(rng) for _ in range(self.count)]
        points = [self.space.largest(), self.space.smallest(), *drawn]
        return [Architecture.of(point) for point in points]

    def images(self, batch: int = 4) -> Tensor:
        generator = torch.Generator().manual_seed(2)
        return torch.randn(batch, self.channels, SIDE, SIDE, generator=generator)


def spaces() -> Iterator[tuple[str, str]]:
    for name in list_spaces():
        yield load_space(name).family, name
    yield from ((family, name) for name, (family, _) in OWN.items())


CASES = list(spaces())


@pytest.fixture(scope="module", params=CASES, ids=[name for _, name in CASES])
def case(request: pytest.FixtureRequest, stirred: Callable[[nn.Module], nn.Module]) -> Case:
    family, name = request.param
    space = OWN[name][1] if name in OWN else load_space(name).space
    channels = 1 if name in OWN else 3
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = stirred(FAMILIES[family].supernet(space, channels, CLASSES))
    count = 16 if sum(p.numel() for p in net.parameters()) < 1e6 else 2
    return Case(family, space, count, net, channels)


def test_every_family_has_a_shelved_space() -> None:
    assert {family for family, _ in CASES} == set(FAMILIES)
    assert all(family.name == name for name, family in FAMILIES.items())


def assert_same(found: Output, expected: Output) -> None:
    assert found.logits is not None and expected.logits is not None
    assert found.logits.shape[1] == CLASSES
    assert float(expected.logits.std()) > 0.05  # a constant would prove nothing
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=1e-5)
    assert found.pooled is not None and expected.pooled is not None
    torch.testing.assert_close(found.pooled, expected.pooled, rtol=0, atol=1e-5)
    assert len(found.feats) == len(expected.feats)
    for one, other in zip(found.feats, expected.feats, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@torch.no_grad()
def test_carve_law_in_eval_mode(case: Case) -> None:
    net, images = case.net.eval(), case.images()
    for architecture in case.students():
        student = net.carve(architecture)
        assert not any(module.training for module in student.modules())
        assert_same(student(images), net(images, architecture))


@torch.no_grad()
def test_carve_law_in_train_mode(case: Case) -> None:
    """Logits of the batch's own statistics, and the running ones it leaves behind.

    In float64: norms over four values make much of the order in which numbers are added.
    """
    net, images = copy.deepcopy(case.net).double().train(), case.images().double()
    for architecture in case.students():
        student = net.carve(architecture).double()
        assert all(module.training for module in student.modules())
        assert_same(student(images), net(images, architecture))
        again = net.carve(architecture).double().state_dict()
        for name, value in student.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                torch.testing.assert_close(value, again[name], rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_shapes_are_those_of_the_maps(case: Case) -> None:
    net = case.net.eval()
    for architecture in case.students()[:8]:
        for side in (SIDE, 2 * SIDE):
            images = torch.zeros(1, case.channels, side, side)
            found = [tuple(feat.shape[1:]) for feat in net(images, architecture).feats]
            assert list(net.shapes(architecture, side)) == found


@torch.no_grad()
def test_a_student_goes_on_from_any_of_its_stages(case: Case) -> None:
    net, images = case.net.eval(), case.images()
    for architecture in case.students()[:8]:
        whole = net(images, architecture)
        for stage in range(1, len(whole.feats)):
            rest = net.forward_from(stage, whole.feats[stage - 1], architecture)
            torch.testing.assert_close(rest.logits, whole.logits, rtol=0, atol=1e-5)
            assert len(rest.feats) == len(whole.feats) - stage


@torch.no_grad()
def test_segments_chained_are_the_student(case: Case) -> None:
    net, images = case.net.eval(), case.images()
    for architecture in case.students()[:8]:
        out = images
        for segment in net.segments(architecture):
            out = segment.carve().eval()(out)
        expected = net.carve(architecture)(images).logits
        torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_students_of_the_same_first_keys_compute_the_same_up_to_there(case: Case) -> None:
    net, images = case.net.eval(), case.images()
    seen: dict[tuple[tuple[int, ...], ...], Tensor] = {}
    shared = 0
    for architecture in case.students():
        out, keys = images, []
        for segment in net.segments(architecture):
            out = segment.carve().eval()(out)
            keys.append(segment.key)
            before = seen.setdefault(tuple(keys), out)
            shared += before is not out
            assert torch.equal(before, out)
    assert shared


def test_train_and_eval_mode_differ_where_statistics_are_kept(case: Case) -> None:
    """Else the two laws would be one; without statistics there is nothing to calibrate."""
    images, largest = case.images(), case.students()[0]
    in_eval = case.net.eval()(images, largest).logits
    in_train = copy.deepcopy(case.net).train()(images, largest).logits
    keeps = any(name.endswith("running_mean") for name, _ in case.net.named_buffers())
    assert torch.allclose(in_eval, in_train, atol=1e-2) != keeps


def marked(net: nn.Module) -> nn.Module:
    """A copy whose weights are their own serial numbers."""
    twin, first = copy.deepcopy(net), 0
    for parameter in twin.parameters():
        numbers = torch.arange(first, first + parameter.numel()).view(parameter.shape)
        parameter.data = numbers.double()
        first += parameter.numel()
    return twin


def needs_slices(case: Case) -> None:
    if case.space.largest().get("kernel_transform"):
        pytest.skip("its kernels are computed, not cut out; see test_elastic_depthwise.py")


def test_gradients_are_the_students_and_exactly_zero_outside_its_slices(case: Case) -> None:
    needs_slices(case)
    net = copy.deepcopy(case.net).double().train()
    images, labels = case.images().double(), torch.arange(4) % CLASSES
    numbers = marked(net)
    largest, smallest, *drawn = case.students()
    for architecture in (smallest, *drawn[:3]):
        net.zero_grad(set_to_none=True)
        student = net.carve(architecture).double()
        nn.functional.cross_entropy(net(images, architecture).logits, labels).backward()
        nn.functional.cross_entropy(student(images).logits, labels).backward()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in net.parameters()]
        grad = torch.cat([g.flatten() for g in grads])
        active = torch.zeros(len(grad), dtype=torch.bool)
        chosen = dict(numbers.carve(architecture).named_parameters())
        for name, parameter in student.named_parameters():
            where = chosen[name].long()
            active[where] = True
            assert parameter.grad is not None and bool(parameter.grad.any()), name
            torch.testing.assert_close(grad[where], parameter.grad, rtol=1e-4, atol=1e-6)
        assert 0 < int(active.sum()) < len(grad)
        assert not bool(grad[~active].any())


def test_a_carved_student_is_free_standing(case: Case) -> None:
    net, architecture = copy.deepcopy(case.net).eval(), case.students()[-1]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    student = net.carve(architecture)
    for value in student.state_dict().values():
        value.zero_()
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert not any("Elastic" in type(module).__name__ for module in student.modules())
    fresh = FAMILIES[case.family].student(architecture, case.channels, CLASSES)
    shapes = [
        {name: value.shape for name, value in network.state_dict().items()}
        for network in (student, fresh)
    ]
    assert shapes[0] == shapes[1]


def test_the_largest_student_is_the_whole_supernet(case: Case) -> None:
    needs_slices(case)
    largest = case.net.carve(case.students()[0])
    of_net = sum(parameter.numel() for parameter in case.net.parameters())
    assert sum(parameter.numel() for parameter in largest.parameters()) == of_net


def test_students_of_one_seed_are_the_same(case: Case) -> None:
    family, smallest = FAMILIES[case.family], case.students()[1]
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        made.append(family.student(smallest, case.channels, CLASSES).eval()(case.images()))
    assert torch.equal(made[0].logits, made[1].logits)
    assert not torch.equal(made[0].logits, made[2].logits)


def test_wider_keeps_the_depths(case: Case) -> None:
    family, largest = FAMILIES[case.family], case.students()[0]
    assert family.wider(largest, 1.0) == largest
    double = family.wider(largest, 2.0)
    kept = {name for name in largest.as_dict() if not name.endswith(WIDTHS)}
    assert all(double[name] == largest[name] for name in kept)
    sizes = []
    for architecture in (largest, double):
        with torch.device("meta"):
            student = family.student(architecture, case.channels, CLASSES)
        sizes.append(sum(parameter.numel() for parameter in student.parameters()))
    # Dense layers grow with the square of the width, depthwise ones and norms with the width.
    assert 2 < sizes[1] / sizes[0] < 4


@pytest.mark.parametrize("name", FAMILIES)
def test_carving_stays_on_the_device_and_draws_no_random_numbers(name: str) -> None:
    family, space = (
        FAMILIES[name],
        next(s for s in map(load_space, list_spaces()) if s.family == name),
    )
    net = family.supernet(space.space, 1, 10)
    largest = Architecture.of(space.space.largest())
    before = torch.random.get_rng_state()
    carved = net.carve(largest)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert {t.device.type for t in carved.state_dict().values()} == {"cpu"}
    elsewhere = net.to("meta").carve(largest)
    assert {t.device.type for t in elsewhere.state_dict().values()} == {"meta"}
