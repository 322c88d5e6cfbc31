import torch
from torch import nn

from kdsearch.runtimes.eager import Eager
from kdsearch.runtimes.runtime import Calling


class Threads(nn.Module):
    """Answers with the number of threads it runs on."""

    def forward(self, images):
        return torch.full((len(images), 1), float(torch.get_num_threads()))


def test_a_call_runs_on_its_own_number_of_threads():
    before = torch.get_num_threads()
    images = torch.zeros(1, 1, 1, 1)
    for threads in (1, 2):
        call = Eager().prepare(Threads(), images, Calling(threads)).call
        assert call(images.numpy()).item() == threads
        assert torch.get_num_threads() == before
