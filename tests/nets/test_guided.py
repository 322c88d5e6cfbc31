from collections.abc import Callable

import pytest
import torch
from torch import nn

from kdsearch.nets.guided import Bottleneck, Exits, Guided
from kdsearch.nets.resnet import ResNet

Cut = Callable[[nn.Module, nn.Module], nn.Module]
Stirred = Callable[..., nn.Module]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 5), (8, 8)])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_map_of_any_size_exits(size: tuple[int, int], batch: int) -> None:
    shown = Guided(12, 2, 32, 5)(torch.randn(batch, 12, *size))
    assert shown.embedding.shape == (batch, 32)
    assert shown.logits.shape == (batch, 5)


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_it_halves_as_often_as_the_stages_to_come(halvings: int) -> None:
    guided = Guided(12, halvings, 32, 5)
    assert guided.layers(torch.randn(1, 12, 16, 16)).shape[2:] == (
        16 >> halvings,
        16 >> halvings,
    )
    shapes = [tuple(layer.conv.widest.weight.shape) for layer in guided.layers]
    assert shapes == [(8, 12, 1, 1), *[(8, 8, 3, 3)] * halvings, (32, 8, 1, 1)]


def test_the_embedding_is_the_maps_mean_and_its_logits_are_linear(stirred: Stirred) -> None:
    guided, maps = stirred(Guided(12, 1, 32, 5)), torch.randn(2, 12, 8, 8)
    embedding, logits = guided(maps)
    torch.testing.assert_close(embedding, guided.layers(maps).flatten(2).mean(2))
    weight, bias = guided.classifier.weight, guided.classifier.bias
    torch.testing.assert_close(logits, embedding @ weight.T + bias)


def test_a_bottleneck_by_hand() -> None:
    """One group: the whole image is normalised."""
    layer, maps = Bottleneck(8, 4, 1), torch.randn(2, 2, 3, 3)
    weight = layer.conv.widest.weight[:, :2, 0, 0]
    out = 2 * torch.einsum("oc,bchw->bohw", weight, maps)
    mean, var = out.mean((1, 2, 3), keepdim=True), out.var((1, 2, 3), False, keepdim=True)
    expected = ((out - mean) / (var + 1e-5).sqrt()).clamp(min=0)
    torch.testing.assert_close(layer(maps), expected, rtol=1e-4, atol=1e-5)


def test_a_narrower_map_sees_a_slice(stirred: Stirred, sliced: Cut) -> None:
    widest = stirred(Guided(12, 2, 32, 5))
    narrow = sliced(Guided(5, 2, 32, 5), widest)
    maps = torch.randn(2, 5, 8, 8)
    for wide, slim in zip(widest(maps), narrow(maps), strict=True):
        torch.testing.assert_close(wide, slim, rtol=1e-4, atol=1e-5)


def test_the_embedding_varies_alike_at_every_width() -> None:
    torch.manual_seed(0)
    guided, maps = Guided(64, 2, 64, 5), torch.randn(64, 64, 8, 8)
    widest = float(guided(maps).embedding.detach().std())
    for width in (8, 24):
        found = float(guided(maps[:, :width]).embedding.detach().std())
        assert found == pytest.approx(widest, rel=0.15)


@pytest.mark.parametrize("widths", [(4, 6, 8), (4, 4, 6, 8)])
def test_a_network_exits_after_every_stage(widths: tuple[int, ...]) -> None:
    """The last exit has the network's own logits, the others' depend on their stage alone."""
    network = ResNet([(width, 1) for width in widths], 3, 5)
    exits = Exits(widths, widths[-1], 16, 5)
    out = network(torch.randn(2, 3, 16, 16))
    shown = exits(out.feats, out.pooled, out.logits)
    assert len(shown) == len(widths)
    assert all(e.embedding.shape == (2, 16) and e.logits.shape == (2, 5) for e in shown)
    assert torch.equal(shown[-1].logits, out.logits)
    assert torch.equal(shown[-1].embedding, exits.embed(out.pooled))
    for stage, guided in enumerate(exits.guided):
        assert torch.equal(shown[stage].logits, guided(out.feats[stage]).logits)
        assert len(guided.layers) - 2 == len(widths) - 1 - stage
    with pytest.raises(ValueError, match="longer"):
        exits((*out.feats, out.feats[-1]), out.pooled, out.logits)


def test_a_narrower_network_sees_slices_and_moves_no_more(
    stirred: Stirred, sliced: Cut
) -> None:
    widest = stirred(Exits((4, 6, 8), 8, 16, 5))
    narrow = sliced(Exits((3, 4, 5), 5, 16, 5), widest)
    out = ResNet([(3, 1), (4, 1), (5, 1)], 3, 5)(torch.randn(2, 3, 16, 16))
    wide, slim = (exits(out.feats, out.pooled, out.logits) for exits in (widest, narrow))
    for first, second in zip(wide, slim, strict=True):
        torch.testing.assert_close(first.embedding, second.embedding, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(first.logits, second.logits, rtol=1e-4, atol=1e-5)
    sum(e.embedding.square().sum() + e.logits.square().sum() for e in wide).backward()
    first = [guided.layers[0].conv.widest.weight.grad for guided in widest.guided]
    for gradient, width in zip(
        [*first, widest.embed.widest.weight.grad], (3, 4, 5), strict=True
    ):
        assert bool(gradient[:, :width].any()) and not bool(gradient[:, width:].any())


def test_its_state_is_loaded_whole(stirred: Stirred) -> None:
    first, second = (Exits((4, 6), 6, 16, 5) for _ in range(2))
    second.load_state_dict(stirred(first).state_dict())
    feats = (torch.randn(1, 4, 4, 4), torch.randn(1, 6, 2, 2))
    pooled, logits = torch.randn(1, 6), torch.randn(1, 5)
    for one, other in zip(
        first(feats, pooled, logits), second(feats, pooled, logits), strict=True
    ):
        assert torch.equal(one.embedding, other.embedding)
        assert torch.equal(one.logits, other.logits)
