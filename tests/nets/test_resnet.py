import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Axis, Choice, Range, Space
from kdsearch.errors import UserError
from kdsearch.nets import FAMILIES
from kdsearch.nets.resnet import ElasticResNet, ResNet, stages

FAMILY = FAMILIES["resnet"]


def shape(*pairs: tuple[int, int]) -> Architecture:
    """Of (width, depth) per stage."""
    return Architecture.of(
        {f"stage{s}.width": width for s, (width, _) in enumerate(pairs, 1)}
        | {f"stage{s}.depth": depth for s, (_, depth) in enumerate(pairs, 1)}
    )


def axes(**changes: Axis | None) -> Space:
    """Three stages of two choices each, some of them changed or (None) left out."""
    usual: dict[str, Axis | None] = {
        f"stage{s}.{axis}": Choice((1, 2)) for s in (1, 2, 3) for axis in ("width", "depth")
    }
    usual |= {name.replace("_", "."): axis for name, axis in changes.items()}
    return Space({name: axis for name, axis in usual.items() if axis is not None})


@pytest.mark.parametrize("count", [3, 4])
def test_a_stage_has_its_width_and_halves_the_resolution(count: int) -> None:
    widths = (4, 6, 10, 12)[:count]
    architecture = shape(*((width, 1) for width in widths))
    out = FAMILY.student(architecture, 3, 7)(torch.randn(2, 3, 16, 16))
    assert [tuple(feat.shape) for feat in out.feats] == [
        (2, width, 16 >> s, 16 >> s) for s, width in enumerate(widths)
    ]
    assert out.logits.shape == (2, 7)
    assert torch.equal(out.pooled, out.feats[-1].mean((2, 3)))


@pytest.mark.parametrize(
    "architecture", [shape((4, 2), (6, 1), (8, 3)), shape((2, 1), (4, 2), (4, 1), (6, 2))]
)
def test_parameters_counted_by_hand(architecture: Architecture) -> None:
    """Convolutions 9·in·out (shortcuts 1·in·out), norms 2·out, classifier (in + 1)·classes."""
    channels, classes = 3, 10
    inputs = stages(architecture)[0][0]
    total = 9 * channels * inputs + 2 * inputs
    for stage, (width, depth) in enumerate(stages(architecture)):
        total += depth * (9 * width * width + 9 * width * width + 4 * width)
        if stage:
            total += 9 * inputs * width - 9 * width * width + inputs * width + 2 * width
        inputs = width
    total += (inputs + 1) * classes
    student = FAMILY.student(architecture, channels, classes)
    assert sum(parameter.numel() for parameter in student.parameters()) == total


def test_a_fresh_block_passes_its_input_on() -> None:
    """Its last norm starts at 0, so the network starts as its shortcuts."""
    for deep in (1, 4):
        torch.manual_seed(0)
        student = FAMILY.student(shape((4, deep), (6, 1), (8, 1)), 1, 5).eval()
        stem = torch.relu(student.norm(student.conv(images := torch.randn(2, 1, 8, 8))))
        assert torch.equal(student(images).feats[0], stem)


def test_fresh_convolutions_have_he_variance() -> None:
    """2 / (9 · outputs) (He et al., 2015, arXiv:1502.01852, eq. 14), elastic or not."""
    space = Space(
        {f"stage{s}.width": Choice((64,)) for s in (1, 2, 3)}
        | {f"stage{s}.depth": Choice((1,)) for s in (1, 2, 3)}
    )
    torch.manual_seed(0)
    student = FAMILY.student(Architecture.of(space.largest()), 3, 10)
    supernet = FAMILY.supernet(space, 3, 10)
    assert isinstance(student, ResNet) and isinstance(supernet, ElasticResNet)
    for convolution in (student.stages[1][0].conv2, supernet.stages[1][0].conv2.widest):
        assert float(convolution.weight.detach().var()) == pytest.approx(2 / (9 * 64), rel=0.05)
    norms = [m for m in supernet.modules() if isinstance(m, nn.BatchNorm2d)]
    assert sum(not bool(norm.weight.any()) for norm in norms) == 3  # one per block


def test_an_elastic_stage_runs_its_first_blocks() -> None:
    space = axes(stage2_depth=Choice((1, 2, 3)))
    net = FAMILY.supernet(space, 3, 5).eval()
    ran: list[int] = []
    for number, block in enumerate(net.stages[1]):
        block.register_forward_hook(lambda *_, number=number: ran.append(number))
    for depth in (1, 2, 3):
        ran.clear()
        net(
            torch.randn(1, 3, 8, 8), Architecture.of(space.smallest() | {"stage2.depth": depth})
        )
        assert ran == list(range(depth))


@pytest.mark.parametrize("count", [3, 4])
def test_a_space_of_widths_and_depths_is_accepted(count: int) -> None:
    stage4 = dict.fromkeys(("stage4_width", "stage4_depth"), Choice((1,)))
    FAMILY.check(axes(**stage4) if count == 4 else axes())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stage3_width": None}, "3 or 4 stages"),
        ({"stage3_width": None, "stage3_depth": None}, "3 or 4 stages"),
        ({"stage5_width": Choice((1,)), "stage5_depth": Choice((1,))}, "3 or 4 stages"),
        ({"stage1_kernel": Choice((3, 5))}, "stage1.kernel"),
        ({"stage1_width": Choice((0, 2))}, "stage1.width needs whole numbers"),
        ({"stage1_width": Choice((1.5, 2))}, "stage1.width needs whole numbers"),
        ({"stage2_depth": Range(1.0, 3.0)}, "stage2.depth needs whole numbers"),
    ],
)
def test_other_spaces_are_refused(changes: dict[str, Axis | None], words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        FAMILY.check(axes(**changes))
    with pytest.raises(UserError):
        FAMILY.supernet(axes(**changes), 3, 10)


def test_wider_rounds_and_never_drops_to_nothing() -> None:
    architecture = shape((3, 1), (4, 2), (8, 3))
    assert FAMILY.wider(architecture, 1.5) == shape((4, 1), (6, 2), (12, 3))
    assert FAMILY.wider(architecture, 0.01) == shape((1, 1), (1, 2), (1, 3))


def test_reset_weights_are_those_of_a_new_network(stirred: Callable[..., nn.Module]) -> None:
    """The same constants where a new one has constants, the same spread elsewhere."""
    torch.manual_seed(0)
    shape_ = [(48, 2), (64, 1), (80, 1)]
    new, used = ResNet(shape_, 3, 100), stirred(ResNet(shape_, 3, 100))
    used.reset_parameters()
    for (name, wanted), found in zip(
        new.state_dict().items(), used.state_dict().values(), strict=True
    ):
        if wanted.ndim == 4:
            assert float(found.var()) == pytest.approx(float(wanted.var()), rel=0.1), name
        elif name.startswith("classifier"):
            bound = 1 / 80**0.5
            assert 0.9 * bound < float(found.abs().max()) <= bound
        else:
            assert torch.equal(found, wanted), name


def test_resetting_follows_the_global_seed() -> None:
    first, second = (ResNet([(4, 1), (6, 1), (8, 1)], 3, 5) for _ in range(2))
    for network in (first, second):
        torch.manual_seed(7)
        network.reset_parameters()
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
