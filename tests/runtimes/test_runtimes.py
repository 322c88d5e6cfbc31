"""What holds for every runtime of the table."""

import numpy as np
import pytest
import torch
from torch import nn

from kdsearch.errors import UserError
from kdsearch.runtimes import RUNTIMES, runtime


def network():
    torch.manual_seed(0)
    layers = (nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    net = nn.Sequential(*layers)
    net(torch.randn(32, 2, 6, 6))  # in training mode: the norm's statistics become non-trivial
    return net


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("name", RUNTIMES)
def test_computes_what_the_network_computes_in_evaluation_mode(name, batch):
    net, images = network(), torch.randn(batch, 2, 6, 6)
    call = RUNTIMES[name].prepare(net, images, threads=1)
    actual = call(images.numpy())
    assert net.training
    with torch.no_grad():
        expected = net.eval()(images)
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("name", RUNTIMES)
def test_later_changes_of_the_network_do_not_show(name):
    net, images = network(), torch.randn(1, 2, 6, 6)
    call = RUNTIMES[name].prepare(net, images, threads=1)
    before = call(images.numpy())
    nn.init.zeros_(net[4].weight)
    np.testing.assert_array_equal(call(images.numpy()), before)


@pytest.mark.parametrize("name", RUNTIMES)
def test_says_nothing_and_keeps_the_thread_count(name, capfd):
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        call = RUNTIMES[name].prepare(network(), torch.zeros(1, 2, 6, 6), threads=1)
        call(np.zeros((1, 2, 6, 6), np.float32))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", RUNTIMES)
def test_is_found_by_its_name_and_has_a_version(name):
    assert runtime(name).name == name
    assert runtime(name).version()[0].isdigit()


def test_unknown_name_gets_the_nearest():
    with pytest.raises(UserError, match="unknown runtime 'onnxruntme'.*'onnxruntime'"):
        runtime("onnxruntme")
