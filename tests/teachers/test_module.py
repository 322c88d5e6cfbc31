"""Networks from a function of the user's."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from kdsearch.errors import TeacherError, UserError
from kdsearch.teachers.module import build

Factory = Callable[..., str]


def test_what_the_factory_returns(factory: Factory) -> None:
    network = build(f"{factory(classes=5)}:teacher", None, 3)
    assert network.eval()(torch.zeros(2, 1, 8, 8)).shape == (2, 5)


def test_weights_from_a_file(factory: Factory, tmp_path: Path) -> None:
    trained = build(f"{factory(seed=1)}:teacher", None, 3)
    torch.save(trained.state_dict(), tmp_path / "net.pt")
    network = build(f"{factory(seed=2)}:teacher", str(tmp_path / "net.pt"), 3)
    assert all(torch.equal(network.state_dict()[k], v) for k, v in trained.state_dict().items())


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        ("number", TeacherError, "returned int; it must return an nn.Module"),
        ("fails", TeacherError, "raised KeyError: 'no weights at home'"),
        ("takes", TeacherError, "raised TypeError.*takes no argument"),
        ("techer", UserError, "did you mean 'teacher'"),
    ],
)
def test_other_factories_are_refused(
    factory: Factory, function: str, error: type[UserError], words: str
) -> None:
    with pytest.raises(error, match=words):
        build(f"{factory()}:{function}", None, 3)
