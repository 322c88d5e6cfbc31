"""Vision transformers: layers against torch's own on slices, positions, and what is refused."""

import re
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Axis, Choice, Range, Space
from kdsearch.errors import UserError
from kdsearch.measure.size import macs
from kdsearch.nets import FAMILIES
from kdsearch.nets.elastic_attention import HEAD, ElasticAttention
from kdsearch.nets.elastic_layernorm import ElasticLayerNorm
from kdsearch.nets.elastic_vit import ElasticVisionTransformer
from kdsearch.nets.layer_scale import ElasticLayerScale
from kdsearch.nets.patches import ElasticPatches, ElasticPositions
from kdsearch.nets.transformer_block import Sizes, TransformerBlock
from kdsearch.nets.vision_transformer import VisionTransformer

FAMILY = FAMILIES["vit"]
Stirred = Callable[[nn.Module], nn.Module]


def transformer(embedding: int = 12, patch: int = 2, **changes: float) -> Architecture:
    """Three stages of one block with two heads; `stage2_depth=3` changes one of them."""
    usual: dict[str, float] = {"patch": patch, "embedding": embedding}
    for s in (1, 2, 3):
        usual |= {f"stage{s}.depth": 1, f"stage{s}.heads": 2, f"stage{s}.mlp": 2}
    return Architecture.of(usual | {n.replace("_", "."): v for n, v in changes.items()})


def axes(**changes: Axis | None) -> Space:
    """Two choices of each, some axes changed or (None) left out."""
    usual: dict[str, Axis | None] = {"patch": Choice((2,)), "embedding": Choice((8, 12))}
    for s in (1, 2, 3):
        usual |= {f"stage{s}.{axis}": Choice((1, 2)) for axis in ("depth", "heads", "mlp")}
    usual |= {name.replace("_", "."): axis for name, axis in changes.items()}
    return Space({name: axis for name, axis in usual.items() if axis is not None})


def test_queries_keys_and_values_each_keep_a_prefix(stirred: Stirred) -> None:
    """Against torch's multi-head attention with the leading rows of all three."""
    layer, tokens = stirred(ElasticAttention(12, 3)), torch.randn(2, 5, 8)
    inner = 2 * HEAD
    of_queries, of_keys, of_values = layer.project.weight
    merge = layer.merge.widest
    queries, keys, values = (
        (tokens @ weight[:inner, :8].T).view(2, 5, 2, HEAD).transpose(1, 2)
        for weight in (of_queries, of_keys, of_values)
    )
    shares = (queries @ keys.transpose(2, 3) / HEAD**0.5).softmax(3)
    gathered = (shares @ values).transpose(1, 2).reshape(2, 5, inner)
    expected = gathered @ merge.weight[:8, :inner].T + merge.bias[:8]
    torch.testing.assert_close(layer(tokens, 2), expected)
    torch.testing.assert_close(layer.carve(8, 2)(tokens), expected)


def test_attention_is_that_of_torch(stirred: Stirred) -> None:
    layer, tokens = stirred(ElasticAttention(2 * HEAD, 2)), torch.randn(3, 7, 2 * HEAD)
    merge = layer.merge.widest
    expected, _ = F.multi_head_attention_forward(
        *[tokens.transpose(0, 1)] * 3,
        embed_dim_to_check=2 * HEAD,
        num_heads=2,
        in_proj_weight=layer.project.weight.flatten(0, 1),
        in_proj_bias=None,
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=merge.weight,
        out_proj_bias=merge.bias,
    )
    torch.testing.assert_close(layer(tokens, 2), expected.transpose(0, 1))


def test_a_layer_norm_is_over_the_active_width_alone(stirred: Stirred) -> None:
    layer, tokens = stirred(ElasticLayerNorm(6)), 3 * torch.randn(2, 5, 4) + 1
    norm = layer.widest
    centred = tokens - tokens.mean(2, keepdim=True)
    scaled = centred / (tokens.var(2, unbiased=False, keepdim=True) + norm.eps).sqrt()
    expected = scaled * norm.weight[:4] + norm.bias[:4]
    torch.testing.assert_close(layer(tokens), expected)
    torch.testing.assert_close(layer.carve(4)(tokens), expected)


def test_patches_are_linear_in_their_own_pixels(stirred: Stirred) -> None:
    """And what does not fill a patch at the edges is left out."""
    layer, images = stirred(ElasticPatches(3, 6, 2)), torch.randn(2, 3, 5, 5)
    weight, bias = layer.widest.weight[:4], layer.widest.bias[:4]
    expected = torch.stack(
        [
            (images[:, None, :, y : y + 2, x : x + 2] * weight).sum((2, 3, 4)) + bias
            for y in (0, 2)
            for x in (0, 2)
        ],
        dim=2,
    ).view(2, 4, 2, 2)
    torch.testing.assert_close(layer(images, 4), expected)
    torch.testing.assert_close(layer.carve(4)(images), expected)


def test_positions_are_the_same_prefix_at_every_width(stirred: Stirred) -> None:
    """What a channel is told does not depend on how many there are, on any map."""
    layer = stirred(ElasticPositions(8))
    for side in (1, 2, 5):
        maps = torch.randn(2, 8, side, side)
        whole = layer(maps)
        for width in (1, 3, 8):
            torch.testing.assert_close(layer(maps[:, :width]), whole[:, :width])
            torch.testing.assert_close(layer.carve(width)(maps[:, :width]), whole[:, :width])


def test_tokens_know_where_they_are(stirred: Stirred) -> None:
    """The same patches at other places: without positions the logits would be the same."""
    torch.manual_seed(0)
    student = stirred(FAMILY.student(transformer(), 1, 5)).eval()
    images = torch.randn(2, 1, 8, 8)
    turned = images.unflatten(2, (4, 2)).flip(2).flatten(2, 3)
    elsewhere = student(turned).logits
    assert not torch.allclose(student(images).logits, elsewhere, atol=1e-3)
    for stage in student.stages:
        nn.init.zeros_(stage[0].near.weight)
    torch.testing.assert_close(student(images).logits, student(turned).logits)


@pytest.mark.parametrize("patch", [2, 4])
def test_feats_are_maps_of_tokens_at_the_stages_ends(patch: int, stirred: Stirred) -> None:
    student = stirred(FAMILY.student(transformer(12, patch), 3, 7)).eval()
    out = student(torch.randn(2, 3, 8, 8))
    side = 8 // patch
    assert [tuple(feat.shape) for feat in out.feats] == [(2, 12, side, side)] * 3
    assert out.logits.shape == (2, 7)
    tokens = out.feats[-1].permute(0, 2, 3, 1)
    torch.testing.assert_close(out.pooled, student.norm(tokens).mean((1, 2)))


def test_a_student_may_see_its_images_smaller(stirred: Stirred) -> None:
    """With the weights of one that sees them so from the start."""
    space = axes(resolution=Choice((4, 8)))
    net = stirred(FAMILY.supernet(space, 1, 5)).eval()
    small, usual = transformer(), torch.randn(3, 1, 8, 8)
    shrunk = F.interpolate(usual, (4, 4), mode="bilinear")
    for side, images in ((4, shrunk), (8, usual)):
        out = net(usual, Architecture.of({**small.as_dict(), "resolution": side}))
        assert out.feats[0].shape == (3, 12, side // 2, side // 2)
        torch.testing.assert_close(out.logits, net(images, small).logits)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_maps_of_either_layout_are_the_same_to_it(
    layout: torch.memory_format, stirred: Stirred
) -> None:
    student = stirred(FAMILY.student(transformer(), 3, 5)).eval()
    images = torch.randn(2, 3, 8, 8)
    expected = student(images)
    found = student.to(memory_format=layout)(images.contiguous(memory_format=layout))
    torch.testing.assert_close(found.logits, expected.logits)
    found.logits.sum().backward()
    assert all(p.grad is not None for p in student.parameters())


def test_parameters_and_multiplications_counted_by_hand() -> None:
    """Scores and mixes of attention are tokens · tokens · inner each."""
    architecture = transformer(12, stage1_depth=2, stage1_mlp=3, stage2_heads=1, stage3_mlp=1.5)
    student, tokens, width = FAMILY.student(architecture, 3, 10), 4 * 4, 12
    params = (3 * 4 * width + width) + 2 * width + (width + 1) * 10
    work = tokens * 3 * 4 * width + width * 10
    for depth, heads, hidden in ((2, 2, 36), (1, 1, 24), (1, 2, 18)):
        inner = HEAD * heads
        dense = 4 * width * inner + 2 * width * hidden
        params += 9 * width + width
        params += depth * (dense + 4 * width + width + hidden + width + 2 * width)
        work += tokens * 9 * width
        work += depth * (tokens * dense + 2 * tokens * tokens * inner)
    assert sum(p.numel() for p in student.parameters()) == params
    assert macs(student, (3, 8, 8)) == work


def test_an_elastic_stage_runs_its_first_blocks() -> None:
    space = axes(stage2_depth=Choice((1, 2, 3)))
    net = FAMILY.supernet(space, 3, 5)
    assert isinstance(net, ElasticVisionTransformer)
    ran: list[int] = []
    for number, block in enumerate(net.stages[1].blocks):
        block.register_forward_hook(lambda *_, number=number: ran.append(number))
    for depth in (1, 2, 3):
        ran.clear()
        net(
            torch.randn(1, 3, 4, 4), Architecture.of(space.smallest() | {"stage2.depth": depth})
        )
        assert ran == list(range(depth))


def test_a_branch_is_scaled_by_the_leading_numbers(stirred: Stirred) -> None:
    layer, tokens = stirred(ElasticLayerScale(6)), torch.randn(2, 5, 4)
    expected = tokens * layer.widest.weight[:4]
    torch.testing.assert_close(layer(tokens), expected)
    torch.testing.assert_close(layer.carve(4)(tokens), expected)


def test_a_fresh_block_adds_a_tenth_of_its_branches() -> None:
    torch.manual_seed(0)
    block, maps = TransformerBlock(Sizes(12, 2, 24)), torch.randn(2, 12, 3, 3)
    tokens = maps.flatten(2).transpose(1, 2)
    mixed = tokens + 0.1 * block.attention(F.layer_norm(tokens, (12,)))
    inside = F.gelu(block.expand(F.layer_norm(mixed, (12,))))
    expected = mixed + 0.1 * block.shrink(inside)
    torch.testing.assert_close(block(maps).flatten(2).transpose(1, 2), expected)


def test_fresh_weights_have_the_variance_of_glorot() -> None:
    """2 / (inputs + outputs), of each of queries, keys and values too, elastic or not."""
    torch.manual_seed(0)
    space = axes(embedding=Choice((64,)), stage1_heads=Choice((4,)), stage1_mlp=Choice((4,)))
    student = FAMILY.student(Architecture.of(space.largest()), 3, 10)
    net = FAMILY.supernet(space, 3, 10)
    block, elastic = student.stages[0][1], net.stages[0].blocks[0]
    assert isinstance(block, TransformerBlock)
    for found in (*block.attention.project.weight, *elastic.attention.project.weight):
        assert float(found.detach().var()) == pytest.approx(2 / 128, rel=0.1)
    for layer in (block.expand, elastic.expand.widest):
        assert float(layer.weight.detach().var()) == pytest.approx(2 / 320, rel=0.1)
        assert not bool(layer.bias.any())


def test_reset_weights_are_those_of_a_new_network(stirred: Stirred) -> None:
    torch.manual_seed(0)
    architecture = transformer(24)
    used = stirred(FAMILY.student(architecture, 3, 10))
    assert isinstance(used, VisionTransformer)
    torch.manual_seed(7)
    used.reset_parameters()
    again = stirred(FAMILY.student(architecture, 3, 10))
    torch.manual_seed(7)
    again.reset_parameters()
    new = FAMILY.student(architecture, 3, 10).state_dict()
    for (name, one), other in zip(
        used.state_dict().items(), again.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name
        if bool((new[name] == new[name].flatten()[0]).all()):  # a constant
            assert torch.equal(one, new[name]), name
        else:
            assert float(one.std()) == pytest.approx(float(new[name].std()), rel=0.4), name


@pytest.mark.parametrize("count", [3, 4])
def test_a_space_of_its_axes_is_accepted(count: int) -> None:
    stage4 = dict.fromkeys(("stage4_depth", "stage4_heads", "stage4_mlp"), Choice((1,)))
    FAMILY.check(axes(stage1_mlp=Choice((1.5, 4)), **(stage4 if count == 4 else {})))


NEEDS = "family vit needs patch, embedding, and stage1.depth, stage1.heads, stage1.mlp, …"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"patch": None}, NEEDS),
        ({"embedding": None}, NEEDS),
        ({"stage2_mlp": None}, NEEDS),
        ({"stage2_width": Choice((4,))}, NEEDS),
        ({"stage4_depth": Choice((1,))}, NEEDS),
        ({f"stage3_{axis}": None for axis in ("depth", "heads", "mlp")}, NEEDS),
        ({"patch": Choice((2, 4))}, "patch needs one value, patches of two sizes share no"),
        ({"patch": Choice((0,))}, "patch needs whole numbers from 1 up; got one of 0"),
        ({"embedding": Choice((1, 8))}, "embedding needs whole numbers from 2 up; got one of"),
        ({"embedding": Range(8, 16)}, "embedding needs whole numbers from 2 up; got 8 to 16"),
        ({"stage1_heads": Choice((1.5,))}, "stage1.heads needs whole numbers from 1 up"),
        ({"stage1_depth": Choice((0, 1))}, "stage1.depth needs whole numbers from 1 up"),
        ({"stage1_mlp": Choice((0, 1))}, "stage1.mlp needs numbers above 0; got one of 0, 1"),
        ({"stage1_mlp": Range(1, 2)}, "stage1.mlp needs numbers above 0; got 1 to 2"),
        ({"resolution": Choice((4, 7))}, "resolution needs multiples of the patch (2); got 7"),
        ({"resolution": Choice((0, 8))}, "resolution needs whole numbers from 1 up"),
    ],
)
def test_other_spaces_are_refused(changes: dict[str, Axis | None], words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        FAMILY.check(axes(**changes))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(UserError):
        FAMILY.supernet(axes(**changes), 3, 10)


def test_wider_rounds_and_never_drops_to_nothing() -> None:
    architecture = transformer(12, stage2_heads=3, stage3_mlp=2.5)
    wider = FAMILY.wider(architecture, 1.5)
    assert wider == transformer(
        18, stage1_heads=3, stage2_heads=4, stage3_heads=3, stage3_mlp=2.5
    )
    least = FAMILY.wider(architecture, 0.01).as_dict()
    assert least["embedding"] == 2
    assert [least[f"stage{s}.heads"] for s in (1, 2, 3)] == [1, 1, 1]
    FAMILY.student(Architecture.of(least), 1, 3)(torch.zeros(1, 1, 4, 4))


def test_neither_other_images_nor_training_change_an_output(stirred: Stirred) -> None:
    """No statistics: an image's logits are its own, in train mode as in eval mode."""
    student = stirred(FAMILY.student(transformer(), 1, 5))
    images: Tensor = torch.randn(4, 1, 8, 8)
    alone = student.eval()(images[:1]).logits
    torch.testing.assert_close(student.train()(images).logits[:1], alone)
    assert not list(student.buffers())


def test_a_small_student_is_made_of_a_large_ones_leading_weights() -> None:
    space = axes()
    net = FAMILY.supernet(space, 1, 5)
    small = net.carve(Architecture.of(space.smallest())).state_dict()
    large = net.carve(Architecture.of(space.largest())).state_dict()
    for name, value in small.items():
        assert torch.equal(value, large[name][tuple(slice(0, n) for n in value.shape)]), name
