import pytest
import torch
from torch import nn

from kdsearch.errors import UserError
from kdsearch.runtimes import ready
from kdsearch.runtimes.compile import Compile
from kdsearch.runtimes.runtime import Calling


class Compiler:
    """Stands for Inductor: takes the graph as it is, and counts."""

    def __init__(self):
        self.graphs = 0

    def __call__(self, graph, inputs):
        self.graphs += 1
        return graph.forward


def test_networks_of_one_class_are_compiled_each_and_once():
    """PyTorch keeps eight variants of one code: the ninth of a class would not be compiled."""
    compiler, images = Compiler(), torch.randn(1, 3, 2, 2)
    networks = [nn.Sequential(nn.Flatten(), nn.Linear(12, width)) for width in range(2, 14)]
    runtime = Compile(backend=compiler)
    calls = [runtime.prepare(net, images, Calling()).call for net in networks]
    assert compiler.graphs == 12  # before the first call that may be timed
    for _ in range(2):
        assert [call(images.numpy()).shape[1] for call in calls] == list(range(2, 14))
    assert compiler.graphs == 12


def test_another_thread_count_outside_compiles_nothing_again():
    compiler, images = Compiler(), torch.randn(1, 3, 2, 2)
    call = Compile(backend=compiler).prepare(nn.Flatten(), images, Calling(2)).call
    before = torch.get_num_threads()
    torch.set_num_threads(before + 2)
    try:
        call(images.numpy())
    finally:
        torch.set_num_threads(before)
    assert compiler.graphs == 1


class Undecided(nn.Module):
    """Does what its images tell it to: no one graph of it exists."""

    def forward(self, images):
        return images.flatten(1) if images.sum() > 0 else images.flatten(1) + 1


def test_what_cannot_be_compiled_is_said_in_one_line():
    with pytest.raises(UserError, match="a student cannot be compiled") as refused:
        Compile(backend=Compiler()).prepare(Undecided(), torch.ones(1, 1, 2, 2), Calling())
    assert "\n" not in str(refused.value)


def test_no_compiler_is_said_before_anything_is_compiled(monkeypatch):
    monkeypatch.setenv("CXX", "/nowhere/c++")
    with pytest.raises(UserError, match="no C.. compiler '/nowhere/c..' here; install one"):
        ready("compile", Calling())
