"""Sums of methods: the weighted sum by hand, each shown what it asked for and nothing else."""

from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Recipe
from kdsearch.core.space import Choice, Range, Space
from kdsearch.distill.combined import WEIGHT, Combined, rows
from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Auxiliary, Needs, Online, Part, Probe, Seen
from kdsearch.distill.soften import Soften
from kdsearch.errors import UserError
from kdsearch.output import Output

LABELS = torch.arange(3)


def output(seed: int, blocks: int, width: int = 4) -> Output:
    generator = torch.Generator().manual_seed(seed)
    logits, pooled = (torch.randn(3 * blocks, size, generator=generator) for size in (5, width))
    return Output(logits, (), pooled)


class Pulled:
    """The student's features, through a layer, to the teacher's: all rows of its views."""

    name: ClassVar[str] = "pulled"
    knobs: ClassVar[Space] = Space({"strength": Range(0.1, 10.0)})
    options: ClassVar[Space] = Space({"power": Choice((1, 2))})

    def __init__(self, strength: float = 1.0, power: int = 2) -> None:
        self.strength, self.power = strength, power
        self.seen: list[Seen] = []
        self.needs = Needs(
            teacher=("pooled",),
            student=("logits", "pooled"),
            views=("180", "again"),
            parts=lambda probe: nn.Linear(4, probe.classes),
        )

    def __call__(self, seen: Seen) -> Tensor:
        self.seen.append(seen)
        distance = (seen.parts(seen.pooled) - seen.teacher_pooled).abs().pow(self.power)
        return self.strength * distance.mean()


class Turned:
    """Logits of the images turned by 90 degrees; nothing is built for it."""

    name: ClassVar[str] = "turned"
    knobs: ClassVar[Space] = Space({})
    options: ClassVar[Space] = Space({})

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.needs = Needs(views=("90",))

    def __call__(self, seen: Seen) -> Tensor:
        self.seen.append(seen)
        upright, turned = seen.logits.split(len(seen.labels))
        return (upright - turned).square().mean()


def probe() -> Probe:
    return Probe(output(0, 1), output(1, 1, 5), 5, 10, 3)


def test_a_sum_is_the_weighted_sum_by_hand() -> None:
    student, teacher = output(0, 1), output(1, 1)
    both = Combined(
        {"hard": Hard, "soften": Soften},
        {"weight.hard": 0.5, "weight.soften": 3, "soften.temperature": 2.0},
    )
    loss = both(Seen(student, teacher, LABELS, both.parts(probe())))
    soft = Soften(temperature=2.0)(Seen(student, teacher, LABELS, nn.Module()))
    torch.testing.assert_close(loss, 0.5 * F.cross_entropy(student.logits, LABELS) + 3 * soft)
    assert loss.dtype == torch.float32 and loss.shape == ()


def test_weights_left_alone_are_one_and_labels_count_twice() -> None:
    student = output(0, 1)
    both = Combined({"hard": Hard, "soften": Soften}, {"soften.weight": 0.0})
    loss = both(Seen(student, student, LABELS, both.parts(probe())))
    torch.testing.assert_close(loss, 2 * F.cross_entropy(student.logits, LABELS))
    assert both.name == "hard+soften" and both.weights == {"hard": 1.0, "soften": 1.0}


def test_needs_are_those_of_all() -> None:
    both = Combined({"soften": Soften, "pulled": Pulled, "turned": Turned}, {})
    assert both.needs.teacher == ("logits", "pooled")
    assert both.needs.student == ("logits", "pooled")
    assert both.needs.views == ("180", "again", "90")
    assert both.needs.online is both.needs.auxiliary is both.needs.deploy is None


def test_each_sees_its_own_views_in_its_own_order_and_its_own_parts() -> None:
    """Views 90 and 180 and again stand in the batch in the order of all methods' needs."""
    both = Combined({"hard": Hard, "turned": Turned, "pulled": Pulled}, {})
    assert both.needs.views == ("90", "180", "again")
    parts = both.parts(probe())
    student, teacher = output(2, 4), output(3, 4, 5)
    found = both(Seen(student, teacher, LABELS, parts, largest=student))
    turned, pulled = both.methods["turned"], both.methods["pulled"]
    assert torch.equal(turned.seen[0].logits, student.logits[:6])
    own = torch.cat([student.pooled[:3], student.pooled[6:]])
    assert torch.equal(pulled.seen[0].pooled, own)
    assert torch.equal(pulled.seen[0].largest.pooled, own)
    guide = torch.cat([teacher.pooled[:3], teacher.pooled[6:]])
    assert torch.equal(pulled.seen[0].teacher_pooled, guide)
    assert pulled.seen[0].parts is parts["pulled"]
    assert pulled.seen[0].labels is turned.seen[0].labels is LABELS
    hard = F.cross_entropy(student.logits[:3], LABELS)
    by_hand = (parts["pulled"](own) - guide).square().mean()
    two = (student.logits[:3] - student.logits[3:6]).square().mean()
    torch.testing.assert_close(found, hard + two + by_hand)


def test_parts_are_the_methods_each_under_its_name() -> None:
    both = Combined({"soften": Soften, "pulled": Pulled}, {})
    parts = both.parts(probe())
    assert {name for name, _ in parts.named_parameters()} == {"pulled.weight", "pulled.bias"}


def test_a_class_of_ones_own_has_dots_in_its_name() -> None:
    name = "module:mine.losses:Pulled"
    both = Combined(
        {name: Pulled, "hard": Hard},
        {f"{name}.strength": 7.0, f"{name}.power": 1, f"weight.{name}": 2.0},
    )
    assert both.weights == {name: 2.0, "hard": 1.0}
    assert (both.methods[name].strength, both.methods[name].power) == (7.0, 1)
    student, teacher = output(2, 3), output(3, 3, 5)
    parts = both.parts(probe())
    (linear,) = (m for m in parts.modules() if isinstance(m, nn.Linear))
    loss = both(Seen(student, teacher, LABELS, parts))
    distance = (linear(student.pooled) - teacher.pooled).abs().mean()
    hard = F.cross_entropy(student.logits[:3], LABELS)
    torch.testing.assert_close(loss, 2 * 7 * distance + hard)


def test_gradients_reach_the_parts_of_each() -> None:
    both = Combined({"hard": Hard, "pulled": Pulled}, {"weight.pulled": 0.25})
    parts = both.parts(probe())
    both(Seen(output(2, 3), output(3, 3, 5), LABELS, parts)).backward()
    assert all(bool(p.grad.any()) for p in parts.parameters())


class Alone(Hard):
    def __init__(self) -> None:
        self.needs = ALONE[type(self).name]


class BringsUp(Alone):
    name: ClassVar[str] = "brings up its own teacher"


class Middle(Alone):
    name: ClassVar[str] = "learns from an auxiliary network"


class Ships(Alone):
    name: ClassVar[str] = "changes the network that ships"


def nothing(*_: object) -> nn.Module:
    return nn.Module()


LOGITS: tuple[Part, ...] = ("logits",)
ALONE = {
    BringsUp.name: Needs(online=Online(nothing, lambda said, labels: torch.zeros(()))),
    Middle.name: Needs(LOGITS, auxiliary=Auxiliary("max_subnet", Recipe.of("hard", {}))),
    Ships.name: Needs(LOGITS, deploy=nothing),
}


@pytest.mark.parametrize("method", [BringsUp, Middle, Ships])
def test_who_works_alone_cannot_be_added(method: type[Alone]) -> None:
    with pytest.raises(UserError, match=rf"hard\+one: one {method.name}.* cannot be added"):
        Combined({"hard": Hard, "one": method}, {})


def test_rows_of_blocks() -> None:
    tensor = torch.arange(8)
    assert rows(tensor, [0, 1, 2, 3], 2) is tensor
    assert rows(tensor, [0, 3], 2).tolist() == [0, 1, 6, 7]
    assert rows(tensor, [0, 2, 1], 2).tolist() == [0, 1, 4, 5, 2, 3]


def test_a_weight_may_vary_by_a_factor_of_four() -> None:
    assert (WEIGHT.low, WEIGHT.high, WEIGHT.log) == (0.25, 4.0, True)
