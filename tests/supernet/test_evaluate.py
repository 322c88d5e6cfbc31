import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Space
from kdsearch.supernet.calibrate import calibrate
from kdsearch.supernet.evaluate import inherit


def test_a_student_inherits_weights_and_gets_statistics_of_its_own(
    supernet: nn.Module, space: Space, images: Tensor
) -> None:
    for point in (space.smallest(), space.largest()):
        architecture = Architecture.of(point)
        student = inherit(supernet, architecture, [images[:12], images[12:]])
        expected = supernet.carve(architecture)
        for name, parameter in expected.named_parameters():
            assert torch.equal(student.get_parameter(name), parameter), name
        calibrate(expected, [images[:12], images[12:]])
        assert torch.equal(student(images).logits, expected(images).logits)
        assert not student.training


def test_the_supernet_is_left_as_it_was(
    supernet: nn.Module, space: Space, images: Tensor
) -> None:
    supernet.train()
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    student = inherit(supernet, Architecture.of(space.smallest()), [images])
    for value in student.state_dict().values():
        value.zero_()
    assert all(torch.equal(before[name], v) for name, v in supernet.state_dict().items())
    assert supernet.training


def test_calibrating_matters(supernet: nn.Module, space: Space, images: Tensor) -> None:
    """With the supernet's own statistics the smallest student says something else."""
    architecture = Architecture.of(space.smallest())
    shared = supernet.eval().carve(architecture)(images).logits
    own = inherit(supernet, architecture, [images])(images).logits
    assert not torch.allclose(shared, own, atol=0.1)
