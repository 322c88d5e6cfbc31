import pytest
import torch
from torch import nn

from kdsearch.measure.accuracy import correct, predict, top1, wilson_ci95
from kdsearch.output import Output

SCORES = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
LABELS = torch.tensor([1, 0, 0, 0])


def test_top1_by_hand():
    assert correct(SCORES, LABELS) == 3
    assert top1(SCORES, LABELS) == 0.75


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # R: prop.test(8, 10, correct = FALSE); statsmodels: proportion_confint(.., "wilson")
        (8, 10, 0.4901624715, 0.9433178485),
        (0, 10, 0.0, 0.2775327998),
        (10, 10, 0.7224672002, 1.0),
    ],
)
def test_wilson_interval_golden(hits, n, low, high):
    assert wilson_ci95(hits, n) == pytest.approx((low, high), abs=1e-9)


class Network(nn.Module):
    """A norm whose statistics differ between modes; notes the batches it sees."""

    def __init__(self):
        super().__init__()
        self.norm, self.frozen, self.seen = nn.BatchNorm2d(1), nn.BatchNorm2d(1), []
        self.frozen.eval()

    def forward(self, images):
        self.seen.append(len(images))
        return Output(self.frozen(self.norm(images)).flatten(1))


def test_predict_in_batches_equals_predict_at_once():
    images = torch.randn(7, 1, 2, 2)
    net = Network()
    at_once, in_batches = predict(net, images, 100), predict(net, images, 3)
    assert net.seen == [7, 3, 3, 1]
    torch.testing.assert_close(in_batches, at_once, rtol=0, atol=1e-6)
    torch.testing.assert_close(at_once, images.flatten(1), rtol=1e-4, atol=1e-4)


def test_predict_keeps_modes_and_statistics():
    net = Network()
    scores = predict(net, torch.randn(7, 1, 2, 2) + 5, 7)
    assert (net.training, net.norm.training, net.frozen.training) == (True, True, False)
    assert net.norm.running_mean == 0
    assert not scores.requires_grad
    assert not scores.is_inference()  # such logits may serve as targets of a later loss


def test_predict_takes_plain_logits_and_gives_float32():
    assert predict(nn.Flatten(), torch.ones(2, 1, 1, 1, dtype=torch.float16), 2).tolist() == [
        [1.0],
        [1.0],
    ]
