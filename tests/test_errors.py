"""The tree of errors, as its docstring draws it."""

import re

import pytest

from kdsearch import errors
from kdsearch.errors import KdsearchError, TrainingError, did_you_mean

DRAWN = re.findall(r"(\w+Error) +(\d)", errors.__doc__ or "")


def test_every_error_is_drawn_with_its_exit_code() -> None:
    tree = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, KdsearchError)
    }
    assert tree == {name: int(code) for name, code in DRAWN}
    assert len(tree) == 13


def test_a_training_error_knows_its_step() -> None:
    error = TrainingError("loss is nan at step 7", 7)
    assert (str(error), error.step) == ("loss is nan at step 7", 7)


@pytest.mark.parametrize(
    ("wrong", "way_out"),
    [
        ("trails", "did you mean 'trials'?"),
        ("TRIALS", "did you mean 'trials'?"),
        ("x", "allowed: seed, trials"),
        ("", "allowed: seed, trials"),
    ],
)
def test_the_way_out_of_a_mistyped_name(wrong: str, way_out: str) -> None:
    assert did_you_mean(wrong, ["trials", "seed"]) == way_out


def test_of_very_many_names_only_some_are_told() -> None:
    told = did_you_mean("x", [f"network{n:03d}" for n in range(100)])
    assert told.endswith("network039 and 60 more")
