import pytest
import torch
from torch import nn

from kdsearch.runtimes.eager import Eager, pinned


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


class Threads(nn.Module):
    """Answers with the number of threads it runs on."""

    def forward(self, images):
        return torch.full((len(images), 1), float(torch.get_num_threads()))


def test_a_call_runs_on_its_own_number_of_threads():
    images = torch.zeros(1, 1)
    assert Eager().prepare(Threads(), images, threads=1)(images.numpy()).item() == 1
    assert torch.get_num_threads() == 2


def test_thread_count_comes_back_after_an_error():
    with pytest.raises(ValueError), pinned(1):
        raise ValueError
    assert torch.get_num_threads() == 2
