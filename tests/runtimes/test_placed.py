import numpy as np
import pytest
import torch
from torch import nn

from kdsearch.runtimes.placed import array, pinned, placed, tensor
from kdsearch.runtimes.runtime import Calling


def test_weights_and_statistics_take_precision_and_layout():
    module = nn.Sequential(nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8))
    found = placed(module, Calling(1, "bf16", "channels_last"))
    assert not found.training and module.training
    assert {t.dtype for t in found.state_dict().values()} == {torch.bfloat16, torch.int64}
    assert found[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert module[0].weight.dtype == torch.float32 and module[0].weight.is_contiguous()


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_images_laid_out_as_called_are_not_copied(layout):
    calling = Calling(layout=layout)
    images = tensor(np.random.default_rng(0).random((2, 3, 4, 5), np.float32), calling).numpy()
    again = tensor(images, calling)
    assert np.shares_memory(again.numpy(), images)
    other = Calling(layout={"contiguous": "channels_last"}.get(layout, "contiguous"))
    turned = tensor(images, other)
    assert not np.shares_memory(turned.numpy(), images)
    np.testing.assert_array_equal(turned.numpy(), images)


def test_logits_come_in_float32():
    assert array(torch.ones(2, 3, dtype=torch.bfloat16)).dtype == np.float32


def test_thread_count_comes_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ValueError), pinned(before + 1):
        assert torch.get_num_threads() == before + 1
        raise ValueError
    assert torch.get_num_threads() == before
