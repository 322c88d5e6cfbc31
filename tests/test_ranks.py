"""One process alone is told nothing; several are in tests/training/test_parallel.py."""

import torch

from kdsearch.ranks import as_first, first_says, meet, rank, world


def test_alone_nothing_is_told() -> None:
    values = torch.tensor([1.0, 2.0])
    assert (rank(), world(), first_says("x")) == (0, 1, "x")
    meet(), as_first([values])
    assert values.tolist() == [1, 2]
