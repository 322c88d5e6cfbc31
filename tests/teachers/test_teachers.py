"""The ways to train a teacher: one learns, one does nothing."""

import copy

import pytest
import torch

from kdsearch.core.records import Architecture
from kdsearch.data.augment import normalise
from kdsearch.measure.accuracy import predict, top1
from kdsearch.nets import FAMILIES
from kdsearch.teachers import SOURCES, TEACHERS
from kdsearch.teachers.training import Course

SMALL = Architecture.of(
    {f"stage{s}.width": 4 for s in (1, 2, 3)} | {f"stage{s}.depth": 1 for s in (1, 2, 3)}
)


def score(network: torch.nn.Module, course: Course) -> float:
    info, split = course.feed.info, course.feed.split
    return top1(
        predict(network, normalise(split.images, info.mean, info.std), 60), split.labels
    )


def test_the_tables() -> None:
    ways = {"none", "plain", "student_oriented", "student_friendly", "generic"}
    assert set(TEACHERS) == ways
    assert set(SOURCES) >= {"torchvision", "module"}


@pytest.mark.parametrize("name", TEACHERS)
def test_every_way_gives_a_finite_network_and_a_curve(name: str, course: Course) -> None:
    network = FAMILIES["resnet"].student(SMALL, 1, 3)
    curve = TEACHERS[name](network, course).curve
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
    assert curve == [] or curve[-1][0] == course.plan.steps


def test_plain_learns_from_labels(course: Course) -> None:
    torch.manual_seed(0)
    network = FAMILIES["resnet"].student(SMALL, 1, 3)
    before = score(network, course)
    curve = TEACHERS["plain"](network, course).curve
    assert before < 0.7
    assert score(network, course) > 0.95
    assert curve[-1][1] < 0.5 * curve[0][1]


def test_none_leaves_the_network_as_it_is(course: Course) -> None:
    network = FAMILIES["resnet"].student(SMALL, 1, 3)
    before = copy.deepcopy(network.state_dict())
    assert TEACHERS["none"](network, course).curve == []
    assert all(torch.equal(before[name], v) for name, v in network.state_dict().items())
    assert not course.checkpoint.exists()
