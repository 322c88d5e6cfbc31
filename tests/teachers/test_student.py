"""Students brought along: their own weights, a head that fits, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from kdsearch.data.augment import normalise
from kdsearch.errors import TeacherError, UserError
from kdsearch.nets.brought import Brought
from kdsearch.output import Output
from kdsearch.teachers.make import Origin
from kdsearch.teachers.student import brought_student
from kdsearch.training.feed import Feed

Factory = Callable[..., str]

HEADLESS = """
from torch import nn


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 5, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )


def strided():
    return nn.Sequential(nn.Conv2d(1, 3, 8), nn.Flatten())
"""


def origin(name: str, **more: object) -> Origin:
    return replace(Origin(name, "resnet", {}), **more)  # type: ignore[arg-type]


def shown(feed: Feed) -> Tensor:
    return normalise(feed.split.images[:4], feed.info.mean, feed.info.std)


def answer(network: nn.Module, feed: Feed) -> Output:
    with torch.no_grad():
        out: Output = network.eval()(shown(feed))
    return out


def test_a_network_of_the_datas_classes_is_taken_as_it_is(feed: Feed, factory: Factory) -> None:
    name = factory(classes=3)
    student = brought_student(origin(f"module:{name}:teacher"), feed)
    module = __import__(name).teacher().eval()
    assert isinstance(student, Brought)
    assert torch.equal(answer(student, feed).logits, module(shown(feed)))


def test_a_head_for_other_classes_is_replaced(feed: Feed, factory: Factory) -> None:
    """All below it keeps the weights it came with."""
    name = factory(classes=7)
    student = brought_student(origin(f"module:{name}:teacher"), feed)
    own = __import__(name).teacher().state_dict()
    kept = {n.removeprefix("body.module."): t for n, t in student.state_dict().items()}
    assert answer(student, feed).logits.shape == (4, 3)
    assert kept.keys() == own.keys()
    changed = {n for n, t in own.items() if t.shape != kept[n].shape or not t.equal(kept[n])}
    assert changed == {"6.weight", "6.bias"}


def test_its_feature_maps_and_pooled_features_are_found(feed: Feed, factory: Factory) -> None:
    out = answer(brought_student(origin(f"module:{factory()}:teacher"), feed), feed)
    assert [tuple(f.shape[1:]) for f in out.feats] == [(6, 4, 4), (6, 2, 2)]
    assert out.pooled is not None and out.pooled.shape == (4, 24)


def test_taps_may_be_named(feed: Feed, factory: Factory) -> None:
    named = origin(f"module:{factory()}:teacher", taps=["0"])
    (feat,) = answer(brought_student(named, feed), feed).feats
    assert feat.shape == (4, 6, 4, 4)


def test_torchvisions_see_grey_images_in_their_own_size(feed: Feed) -> None:
    """Fresh weights, made for the data's classes; no download."""
    wants = origin("torchvision:shufflenet_v2_x0_5", size=32)
    assert answer(brought_student(wants, feed), feed).logits.shape == (4, 3)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("torchvision:resnet81", "no network 'resnet81'; did you mean 'resnet"),
        ("module:{headless}:nothing", "no function 'nothing'"),
        ("module:{headless}:convolutional", "the student does not end in a linear layer"),
        ("module:{factory}:number", "returned int; it must return an nn.Module"),
        ("module:{factory}:fails", "raised KeyError: 'no weights at home'"),
        (
            "module:{headless}:strided@4",
            "the student cannot run on images .*student.input.size",
        ),
    ],
)
def test_what_cannot_be_a_student_is_a_users_mistake(
    name: str,
    words: str,
    feed: Feed,
    factory: Factory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In words about the student, not about a teacher."""
    (tmp_path / "without_head.py").write_text(HEADLESS)
    monkeypatch.syspath_prepend(tmp_path)
    made = name.format(headless="without_head", factory=factory())
    network, _, size = made.partition("@")
    with pytest.raises(UserError, match=words) as caught:
        brought_student(origin(network, size=int(size) if size else None), feed)
    assert "the teacher" not in str(caught.value) and "teacher." not in str(caught.value)
    assert not isinstance(caught.value, TeacherError)
