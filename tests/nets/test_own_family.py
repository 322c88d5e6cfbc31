"""The user's own `build`: what it may be, what it gives, and how it is refused in one line."""

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.errors import UserError
from kdsearch.nets import FAMILIES
from kdsearch.nets.kinds import check_source, family_of, identity, made_of
from kdsearch.nets.logits import Logits
from kdsearch.nets.own_family import OwnFamily
from kdsearch.nets.own_student import OwnStudent
from kdsearch.output import Output

NAME = "own_nets"
BUILD = """
from torch import nn


def build(choices, classes):
    width = choices["width"]
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.Dropout(0.5),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.BatchNorm2d(2 * width),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, classes),
    )
"""
SMALL = Architecture.of({"depth": 1, "width": 2})


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes the user's file and gives the family's name; again, with another text."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(text: str = BUILD, function: str = "build") -> str:
        (tmp_path / f"{NAME}.py").write_text(text)
        monkeypatch.delitem(sys.modules, NAME, raising=False)
        sys.path_importer_cache.clear()
        return f"module:{NAME}:{function}"

    return written


def family(build: Callable[..., Any]) -> OwnFamily:
    return OwnFamily("module:here:build", build)


def head(width: int, classes: int = 3) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, 2, 1), nn.BatchNorm2d(width), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(width, classes),
    )  # fmt: skip


def images(count: int = 4) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))


# Which families there are.


def test_families_of_the_table_are_found_by_name_and_share_weights() -> None:
    assert all(family_of(name) is found for name, found in FAMILIES.items())
    assert all(found.shares_weights for found in FAMILIES.values())
    assert all(identity(name) == name and made_of(name) == {} for name in FAMILIES)


def test_an_unknown_family_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UserError, match=r"unknown family 'resnt' .*did you mean 'resnet'\?"):
        family_of("resnt")


def test_a_users_function_is_a_family_without_shared_weights(module: Any) -> None:
    found = family_of(module())
    assert (found.name, found.shares_weights) == (f"module:{NAME}:build", False)
    found.check(Space({"anything": Choice((1, 2))}))
    with pytest.raises(UserError, match="no supernet"):
        found.supernet(Space({"width": Choice((2,))}), 1, 3)


@pytest.mark.parametrize(
    ("function", "words"),
    [("biuld", "no function 'biuld' .*did you mean 'build'"), ("", "names no function")],
)
def test_a_wrong_name_is_refused(module: Any, function: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        family_of(module(function=function))


def test_another_source_is_another_family_in_every_key(module: Any) -> None:
    name = module()
    before, recorded = identity(name), made_of(name)
    assert before.startswith(name) and identity(module()) == before
    check_source(name, recorded)
    module(BUILD + "\n# mended\n")
    assert identity(name) != before
    with pytest.raises(UserError, match="has changed since this student was trained"):
        check_source(name, recorded)
    check_source("resnet", {})


# What a student is.


def test_taps_and_pooled_features_are_found_at_the_first_forward(module: Any) -> None:
    student = family_of(module()).student(SMALL, 1, 3).eval()
    names = list(student.state_dict())
    out = student(images())
    assert [tuple(f.shape) for f in out.feats] == [(4, 2, 8, 8), (4, 4, 4, 4)]
    assert out.pooled is not None and out.pooled.shape == (4, 4)
    assert out.logits.shape == (4, 3)
    assert list(student.state_dict()) == names
    assert torch.equal(out.logits, student.module(images()))


def test_the_first_forward_changes_nothing_and_each_part_keeps_its_mode(module: Any) -> None:
    """As when statistics are taken anew: the norms alone are in train mode."""
    student = family_of(module()).student(SMALL, 1, 3).eval()
    norm = next(m for m in student.modules() if isinstance(m, nn.BatchNorm2d))
    norm.train()
    reference = copy.deepcopy(student.module)
    student(images())
    reference(images())
    assert [m.training for m in student.modules()].count(True) == 1 and norm.training
    ours, theirs = student.module.state_dict(), reference.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_a_copy_looks_at_itself(module: Any) -> None:
    student = family_of(module()).student(SMALL, 1, 3).eval()
    student(images())
    twin = copy.deepcopy(student)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert all(not feat.any() for feat in twin(images()).feats[:1])
    assert student(images()).feats[0].any()


def test_weights_are_the_seeds(module: Any) -> None:
    found = family_of(module())

    def weights(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return next(found.student(SMALL, 1, 3).parameters())

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_module_that_gives_an_output_is_taken_at_its_word() -> None:
    class Telling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = head(2)

        def forward(self, shown: Tensor) -> Output:
            logits = self.body(shown)
            return Output(logits, (shown,), logits[:, :2])

    student = family(lambda choices: Telling()).student(SMALL, 1, 3).eval()
    out = student(images())
    assert torch.equal(out.feats[0], images()) and out.pooled.shape == (4, 2)
    assert Logits(student).network is student.module


def test_channels_and_classes_are_given_to_whoever_asks_for_them() -> None:
    seen: list[dict[str, Any]] = []

    def build(choices: dict[str, Any], *, classes: int, channels: int = 7) -> nn.Module:
        seen.append({**choices, "classes": classes, "channels": channels})
        return head(2, classes)

    family(build).student(SMALL, 1, 5)
    assert seen == [{"depth": 1, "width": 2, "classes": 5, "channels": 1}]

    class Class(nn.Linear):
        def __init__(self, choices: dict[str, Any], classes: int) -> None:
            super().__init__(int(choices["width"]), classes)

    assert isinstance(family(Class).student(SMALL, 1, 5).module, Class)


def test_it_is_built_of_real_numbers_also_where_an_outline_is_asked_for() -> None:
    """Rates of stochastic depth are often read off a tensor, which the meta device has not."""

    def build(choices: dict[str, Any]) -> nn.Module:
        rates = [rate.item() for rate in torch.linspace(0, 0.1, 2)]
        return nn.Sequential(nn.Dropout(rates[0]), head(2))

    with torch.device("meta"):
        student = family(build).student(SMALL, 1, 3)
    assert {p.device.type for p in student.parameters()} == {"cpu"}


def test_logits_are_asked_of_the_module_itself() -> None:
    """Hooks take time, which is no part of a student's latency."""
    student = family(lambda choices: head(2)).student(SMALL, 1, 3).eval()
    network = Logits(student)
    assert network.network is student.module
    assert torch.equal(network(images()), student(images()).logits)


# What is refused, in one line that names the student.


def raising(choices: dict[str, Any]) -> nn.Module:
    raise ValueError("a first line\nand a second")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (raising, "build raised ValueError: a first line and a second"),
        (lambda: head(2), "build raised TypeError"),
        (lambda choices: choices["wdth"], "build raised KeyError: 'wdth'"),
        (lambda choices: head, "build returned function; it must return an nn.Module"),
        (lambda choices: None, "build returned NoneType"),
    ],
)
def test_a_build_that_fails_is_named_with_the_student(
    build: Callable[..., Any], words: str
) -> None:
    with pytest.raises(UserError) as caught:
        family(build).student(SMALL, 1, 3)
    line = str(caught.value)
    assert line.startswith("family module:here:build, student {depth: 1, width: 2}: ")
    assert words in line and "\n" not in line


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (head(2, classes=4), r"gives (2, 4) for 2 images of 3 classes, needs logits (2, 3)"),
        (nn.Conv2d(1, 3, 1), r"gives (2, 3, 8, 8)"),
        (nn.LSTM(8, 3), "gives tuple"),
    ],
)
def test_what_gives_no_logits_for_the_classes_is_refused(
    network: nn.Module, words: str
) -> None:
    shown = images() if not isinstance(network, nn.LSTM) else images()[:, 0]
    with pytest.raises(UserError) as caught:
        OwnStudent(network, 3, "student {width: 2}")(shown)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused() -> None:
    weights = family(lambda choices: head(4)).student(SMALL, 1, 3).state_dict()
    with pytest.raises(UserError, match="build has changed since") as caught:
        family(lambda choices: head(2)).student(SMALL, 1, 3).load_state_dict(weights)
    assert "\n" not in str(caught.value)


def test_no_wider_network_is_known() -> None:
    own = family(lambda choices: head(2))
    assert own.wider(SMALL, 1.0) == SMALL
    with pytest.raises(UserError, match="no student 2 times as wide is known"):
        own.wider(SMALL, 2.0)
