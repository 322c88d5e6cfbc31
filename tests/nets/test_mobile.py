import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Axis, Choice, Range, Space
from kdsearch.errors import UserError
from kdsearch.measure.size import macs
from kdsearch.nets import FAMILIES
from kdsearch.nets.inverted_bottleneck import InvertedBottleneck
from kdsearch.nets.mobile import ElasticMobile, Mobile
from kdsearch.nets.mobile_axes import block_shapes
from kdsearch.nets.squeeze_excite import SqueezeExcite

FAMILY = FAMILIES["mobile"]


def axes(stages: int = 2, **changes: Axis | None) -> Space:
    """Stages of two choices each, some of them changed or (None) left out."""
    usual: dict[str, Axis | None] = {}
    for s in range(1, stages + 1):
        usual |= {f"stage{s}.width": Choice((8 * s, 12 * s)), f"stage{s}.depth": Choice((1, 2))}
        for block in (f"stage{s}.block1", f"stage{s}.block2"):
            usual |= {f"{block}.kernel": Choice((3, 5)), f"{block}.expand": Choice((3, 6))}
    usual |= {name.replace("__", "."): axis for name, axis in changes.items()}
    return Space({name: axis for name, axis in usual.items() if axis is not None})


def largest(space: Space, **changes: int) -> Architecture:
    return Architecture.of(
        space.largest() | {name.replace("__", "."): value for name, value in changes.items()}
    )


@pytest.mark.parametrize("count", [2, 4, 6])
def test_a_stage_has_its_width_and_halves_the_resolution(count: int) -> None:
    architecture = Architecture.of(axes(count).smallest())
    student = FAMILY.student(architecture, 3, 7)
    out = student(torch.randn(2, 3, 32, 32))
    assert [tuple(feat.shape) for feat in out.feats] == [
        (2, 8 * (s + 1), 32 >> s, 32 >> s) for s in range(count)
    ]
    assert out.logits.shape == (2, 7)
    assert torch.equal(out.pooled, out.feats[-1].mean((2, 3)))


def test_the_last_two_stages_squeeze_and_a_new_stage_has_no_shortcut() -> None:
    student = FAMILY.student(largest(axes(4)), 3, 7)
    assert isinstance(student, Mobile)
    squeezing = [
        [isinstance(b.squeeze, SqueezeExcite) for b in stage] for stage in student.stages
    ]
    assert squeezing == [[False] * 2, [False] * 2, [True] * 2, [True] * 2]
    shortcuts = [[block.shortcut for block in stage] for stage in student.stages]
    assert shortcuts == [[True, True], [False, True], [False, True], [False, True]]


def test_parameters_and_work_counted_by_hand() -> None:
    """A block a stage, 8 and 16 wide: middles 24 (3 · 8) and 48 (6 · 8), 8 and 16 squeezed."""
    architecture = Architecture.of(
        axes().smallest() | {"stage2.block1.expand": 6, "stage2.block1.kernel": 5}
    )
    student = FAMILY.student(architecture, 3, 10)
    stem = 3 * 8 * 9
    stage1 = 8 * 24 + 24 * 9 + 24 * 8, 24 * 8 + 8 * 24 + 24 + 8  # second: the squeeze
    stage2 = 8 * 48 + 48 * 25 + 48 * 16, 48 * 16 + 16 * 48 + 48 + 16
    norms = 2 * (8 + 24 + 24 + 8 + 48 + 48 + 16)
    expected = stem + sum(stage1) + sum(stage2) + norms + 16 * 10 + 10
    assert sum(p.numel() for p in student.parameters()) == expected
    work = 64 * stem + 64 * stage1[0] + 24 * 8 * 2
    work += 64 * 8 * 48 + 16 * (48 * 25 + 48 * 16) + 48 * 16 * 2 + 16 * 10
    assert macs(student, (3, 8, 8)) == work


def test_a_fresh_block_with_a_shortcut_passes_its_input_on() -> None:
    torch.manual_seed(0)
    student = FAMILY.student(largest(axes()), 1, 5).eval()
    assert isinstance(student, Mobile)
    images = torch.randn(2, 1, 8, 8)
    stem = nn.functional.hardswish(student.norm(student.conv(images)))
    first, second = student(images).feats
    assert torch.equal(first, stem)
    assert torch.equal(second, student.stages[1][0](first)) and bool(second.any())


def test_fresh_convolutions_have_he_variance_of_their_group() -> None:
    """2 / (outputs of a group · kernel²) (He et al., 2015, arXiv:1502.01852, eq. 14)."""
    space = axes(stage2__width=Choice((64,)), stage2__block2__kernel=Choice((7,)))
    torch.manual_seed(0)
    student, net = FAMILY.student(largest(space), 3, 10), FAMILY.supernet(space, 3, 10)
    assert isinstance(student, Mobile) and isinstance(net, ElasticMobile)
    block, elastic = student.stages[1][1], net.stages[1][1]
    for depthwise in (block.depthwise, elastic.depthwise.widest):
        assert float(depthwise.weight.detach().var()) == pytest.approx(2 / 49, rel=0.05)
    for pointwise in (block.expand, elastic.expand.widest):
        assert float(pointwise.weight.detach().var()) == pytest.approx(2 / 384, rel=0.05)


@torch.no_grad()
def test_blocks_beyond_the_depth_do_not_matter() -> None:
    space, images = axes(), torch.randn(2, 3, 8, 8)
    net = FAMILY.supernet(space, 3, 5).eval()
    one = largest(space, stage1__depth=1)
    other = largest(space, stage1__depth=1, stage1__block2__kernel=3, stage1__block2__expand=3)
    assert one != other and block_shapes(one) == block_shapes(other)
    assert torch.equal(net(images, one).logits, net(images, other).logits)
    keys = [[segment.key for segment in net.segments(a)] for a in (one, other)]
    assert keys[0] == keys[1]


def test_an_elastic_stage_runs_its_first_blocks() -> None:
    space = axes()
    net = FAMILY.supernet(space, 3, 5).eval()
    ran: list[int] = []
    for number, block in enumerate(net.stages[1]):
        block.register_forward_hook(lambda *_, number=number: ran.append(number))
    for depth in (1, 2):
        ran.clear()
        net(torch.randn(1, 3, 8, 8), largest(space, stage2__depth=depth))
        assert ran == list(range(depth))


@torch.no_grad()
def test_a_fresh_kernel_transform_changes_nothing() -> None:
    images, found = torch.randn(2, 3, 8, 8), []
    for space in (
        axes(),
        axes(kernel_transform=Choice((0,))),
        axes(kernel_transform=Choice((1,))),
    ):
        torch.manual_seed(0)
        net = FAMILY.supernet(space, 3, 5)
        matrices = [name for name, _ in net.named_parameters() if "matrices" in name]
        assert len(matrices) == (4 if space.largest().get("kernel_transform") else 0)
        for module in net.modules():  # else the blocks are switched off
            if isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)
        found.append(net.eval()(images, Architecture.of(space.smallest())).logits)
    assert torch.equal(found[0], found[1]) and torch.allclose(found[0], found[2], atol=1e-6)


@pytest.mark.parametrize(
    "space",
    [axes(), axes(6), axes(resolution=Choice((16, 32))), axes(kernel_transform=Choice((0,)))],
)
def test_a_whole_space_is_accepted(space: Space) -> None:
    FAMILY.check(space)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (axes(1), "2 to 6 stages"),
        (axes(7), "2 to 6 stages"),
        (Space({"width": Choice((1,))}), "2 to 6 stages"),
        (axes(stage1__width=None), "missing stage1.width"),
        (axes(stage2__block2__kernel=None), "missing stage2.block2.kernel"),
        (
            axes(stage2__depth=Choice((1, 3))),
            "missing stage2.block3.kernel, stage2.block3.expand",
        ),
        (axes(stage1__block3__kernel=Choice((3,))), "unknown axis 'stage1.block3.kernel'"),
        (axes(stage1__kernal=Choice((3,))), "unknown axis 'stage1.kernal'"),
        (axes(kernel_transfrm=Choice((1,))), "did you mean 'kernel_transform'?"),
        (axes(stage1__width=Choice((0, 2))), "stage1.width needs whole numbers from 1 up"),
        (axes(stage1__depth=Choice((1.5,))), "stage1.depth needs whole numbers from 1 up"),
        (axes(stage2__depth=Range(1.0, 3.0)), "stage2.depth needs whole numbers from 1 up"),
        (axes(stage1__block1__kernel=Choice((3, 4))), "kernel needs some of 3, 5, 7"),
        (axes(stage1__block1__expand=Choice((0.5, 1))), "expand needs numbers from 1 up"),
        (axes(kernel_transform=Choice((0, 1))), "kernel_transform needs one value, 0 or 1"),
        (axes(kernel_transform=Choice((2,))), "kernel_transform needs one value, 0 or 1"),
        (axes(resolution=Choice((0, 32))), "resolution needs whole numbers from 1 up"),
    ],
)
def test_other_spaces_are_refused(space: Space, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        FAMILY.check(space)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(UserError):
        FAMILY.supernet(space, 3, 10)


def test_wider_rounds_and_keeps_everything_else() -> None:
    architecture = largest(axes())
    found = FAMILY.wider(architecture, 1.3)
    assert (found["stage1.width"], found["stage2.width"]) == (16, 31)
    assert FAMILY.wider(architecture, 0.01)["stage2.width"] == 1
    kept = {k: v for k, v in found.as_dict().items() if not k.endswith("width")}
    assert kept.items() <= architecture.as_dict().items() and len(kept) == 10


def test_reset_weights_are_those_of_a_new_network(stirred: Callable[..., nn.Module]) -> None:
    """The same constants where a new one has constants, the same spread elsewhere."""
    torch.manual_seed(0)
    shapes = block_shapes(largest(axes(stage2__width=Choice((64,)))))
    new, used = Mobile(shapes, 3, 100), stirred(Mobile(shapes, 3, 100))
    used.reset_parameters()
    for (name, wanted), found in zip(
        new.state_dict().items(), used.state_dict().values(), strict=True
    ):
        if wanted.ndim == 4:
            assert float(found.var()) == pytest.approx(float(wanted.var()), rel=0.3), name
        elif name.startswith("classifier"):
            bound = 1 / 64**0.5
            assert 0.9 * bound < float(found.abs().max()) <= bound
        else:
            assert torch.equal(found, wanted), name


def test_a_block_is_what_torch_computes_step_by_step(stirred: Callable[..., nn.Module]) -> None:
    shape = block_shapes(largest(axes()))[0][0]
    block, maps = stirred(InvertedBottleneck(shape)).eval(), torch.randn(2, 12, 8, 8)
    steps = nn.Sequential(
        block.expand, block.norm1, nn.Hardswish(),
        block.depthwise, block.norm2, nn.Hardswish(), block.squeeze,
        block.project, block.norm3,
    )  # fmt: skip
    torch.testing.assert_close(block(maps), maps + steps(maps))
