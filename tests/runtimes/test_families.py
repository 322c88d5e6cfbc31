"""Students of every shelved space, called in every way the runtimes here honour."""

import itertools

import numpy as np
import pytest
import torch

from kdsearch.core.records import Architecture
from kdsearch.measure.latency import Target, images_for
from kdsearch.nets.kinds import family_of
from kdsearch.nets.logits import Logits
from kdsearch.runtimes import RUNTIMES
from kdsearch.runtimes.runtime import Calling
from kdsearch.spaces import list_spaces, load_space

CALLINGS = [
    (name, precision, layout)
    for name, r in RUNTIMES.items()
    if name != "compile"  # seconds to minutes a network
    for precision, layout in itertools.product(r.precisions, r.layouts)
]


@pytest.mark.parametrize(("name", "precision", "layout"), CALLINGS)
@pytest.mark.parametrize("space", list_spaces())
def test_a_shelved_student_computes_what_it_computes(
    space: str, name: str, precision: str, layout: str
) -> None:
    calling = Calling(1, precision, layout)
    if lacking := RUNTIMES[name].lacks(calling):
        pytest.skip(f"{name}: {lacking}")
    found = load_space(space)
    architecture = Architecture.of(found.space.smallest())
    torch.manual_seed(0)
    student = Logits(family_of(found.family).student(architecture, 3, 10)).eval()
    target = Target("here", name, 1, 2, precision, layout)
    images = images_for(target, torch.randn(2, 3, found.min_size, found.min_size))
    with torch.no_grad():
        expected = student(images).numpy()
    actual = RUNTIMES[name].prepare(student, images, calling).call(images.numpy())
    share = 1e-4 if precision == "float32" else 0.1
    np.testing.assert_allclose(actual, expected, atol=share * np.abs(expected).max())
