import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdsearch.measure.size import macs, params
from kdsearch.output import Output


def test_convolution_by_hand():
    conv = nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1)
    # 4 x 4 positions, 8 outputs, 3 inputs of 3 x 3 each; a weight for each pair, and 8 biases
    assert macs(conv, (3, 8, 8)) == 4 * 4 * 8 * 3 * 9
    assert params(conv) == 8 * 3 * 9 + 8


def test_grouped_convolution_by_hand():
    assert macs(nn.Conv2d(6, 6, 3, groups=6, bias=False), (6, 5, 5)) == 3 * 3 * 6 * 9


def test_linear_by_hand():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 7))
    assert (macs(net, (3, 2, 2)), params(net)) == (12 * 7, 12 * 7 + 7)


def test_attention_counts_its_projections_and_products():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, images):
            tokens = images.flatten(2).transpose(1, 2)
            return self.attention(tokens, tokens, tokens)[0]

    # 9 tokens: in (8 to 24) and out (8 to 8) projections, scores and mix of 9 x 9 x 8 each
    assert macs(Attention(), (8, 3, 3)) == 9 * 8 * 24 + 9 * 8 * 8 + 2 * 9 * 9 * 8


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.head = nn.BatchNorm2d(2), nn.Linear(2, 3)

    def forward(self, images):
        return Output(self.head(self.norm(images).mean((2, 3))))


def test_network_stays_as_it_is():
    net = Network().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    assert macs(net, (2, 1, 1)) == 6
    assert net.training
    torch.testing.assert_close(dict(net.state_dict()), before)


@pytest.mark.parametrize("width", [3, 6])
def test_shared_parameters_count_once(width):
    layer = nn.Linear(width, width)
    assert params(nn.Sequential(layer, layer)) == width * width + width


def test_a_forward_may_look_at_its_norms() -> None:
    """As dynamic networks do, which slice a norm's statistics themselves."""

    class Looking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)

        def forward(self, images: Tensor) -> Tensor:
            out = self.norm(self.conv(images))
            return F.batch_norm(out, self.norm.running_mean, self.norm.running_var)

    net = Looking()
    assert macs(net, (1, 6, 6)) == 4 * 4 * 4 * 9
    assert "forward" not in vars(net.norm)  # the network itself is as it was
