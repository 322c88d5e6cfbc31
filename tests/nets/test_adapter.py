"""A teacher's map in a student's place: every ratio of sizes, every width."""

import pytest
import torch

from kdsearch.nets.adapter import Adapter

CASES = {
    "same": ((6, 8, 8), (5, 8, 8), (1, 1)),
    "half": ((6, 8, 8), (5, 4, 4), (3, 3)),
    "double": ((6, 4, 4), (5, 8, 8), (4, 4)),
    "odd": ((6, 7, 7), (5, 4, 4), (3, 3)),
    "far": ((6, 14, 14), (5, 2, 2), (3, 3)),
    "one pixel": ((6, 1, 1), (5, 3, 3), (3, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_shapes(name: str) -> None:
    teacher, student, kernel = CASES[name]
    adapter = Adapter(teacher, student)
    assert adapter.adapt.widest.kernel_size == kernel
    maps = torch.randn(3, *teacher)
    _, height, width = student
    for channels in (1, 3, 5):
        out = adapter(maps, (channels, height, width))
        assert out.shape == (3, channels, height, width)
        assert float(out.detach().min()) == 0 and float(out.detach().max()) > 0


@pytest.mark.parametrize("name", ["same", "half", "double"])
def test_a_narrow_student_gets_the_leading_channels(name: str) -> None:
    teacher, student, _ = CASES[name]
    adapter = Adapter(teacher, student).eval()
    maps = torch.randn(2, *teacher)
    wide = adapter(maps, student)
    narrow = adapter(maps, (2, *student[1:]))
    torch.testing.assert_close(narrow, wide[:, :2])


def test_a_student_at_a_smaller_resolution_gets_a_smaller_map() -> None:
    adapter = Adapter((6, 8, 8), (5, 8, 8))
    assert adapter(torch.randn(2, 6, 8, 8), (5, 5, 5)).shape == (2, 5, 5, 5)
