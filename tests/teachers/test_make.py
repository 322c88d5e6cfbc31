"""Teachers made, brought, fine-tuned, refused; and loaded again as they were."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import get_model

from kdsearch.data.augment import normalise
from kdsearch.errors import TeacherError
from kdsearch.files import read_json, write_json
from kdsearch.measure.accuracy import predict, top1
from kdsearch.teachers.make import Finetune, Origin, load_teacher, make_teacher
from kdsearch.teachers.training import Course
from kdsearch.training import fit as fit_module

Factory = Callable[..., str]

SMALL = {f"stage{s}.width": 4 for s in (1, 2, 3)} | {f"stage{s}.depth": 1 for s in (1, 2, 3)}


def origin(network: str, **more: Any) -> Origin:
    return Origin(network, "resnet", SMALL if network == "family" else {}, **more)


def shown(course: Course) -> Tensor:
    info = course.feed.info
    return normalise(course.feed.split.images, info.mean, info.std)


def logits(network: nn.Module, course: Course) -> Tensor:
    return predict(network, shown(course), 60)


def own_network(classes: int = 3, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 6, 3, 2, 1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(24, classes),
        )


def test_a_family_teacher_is_trained_and_loaded_as_it_was(
    course: Course, tmp_path: Path
) -> None:
    make_teacher(origin("family"), "plain", course, tmp_path / "teacher")
    teacher = load_teacher(tmp_path / "teacher", course)
    assert top1(logits(teacher, course), course.feed.split.labels) > 0.95
    assert not any(module.training for module in teacher.modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    facts = read_json(tmp_path / "teacher" / "teacher.json")
    assert facts["training"] == "plain"
    assert facts["curve"][-1][0] == course.plan.steps
    assert facts["origin"]["architecture"] == SMALL


def test_a_seed_is_a_teacher_and_global_generators_are_left_alone(
    course: Course, tmp_path: Path
) -> None:
    contents = []
    for name, seed, outer in (("a", 5, 0), ("b", 5, 1), ("c", 6, 0)):
        torch.manual_seed(outer)
        state = torch.get_rng_state()
        plan = replace(course.plan, seed=seed, steps=5)
        own = replace(course, plan=plan, checkpoint=tmp_path / f"{name}.checkpoint")
        make_teacher(origin("family"), "plain", own, tmp_path / name)
        load_teacher(tmp_path / name, own)
        assert torch.equal(torch.get_rng_state(), state)
        contents.append((tmp_path / name / "teacher.safetensors").read_bytes())
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "squeezenet1_1"])
def test_torchvision_with_weights_of_the_right_classes_teaches_as_it_is(
    course: Course, tmp_path: Path, name: str, suffix: str
) -> None:
    """At the size, channels and scale that it wants."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = get_model(name, weights=None, num_classes=3).eval()
    path = tmp_path / f"net{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(network.state_dict(), path)
    wants = {"size": 32, "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}
    brought = origin(f"torchvision:{name}", weights=str(path), **wants)
    make_teacher(brought, "none", course, tmp_path / "teacher")
    path.unlink()  # what was brought is kept
    teacher = load_teacher(tmp_path / "teacher", course)

    info, split = course.feed.info, course.feed.split
    pixels = (split.images.float() / 255).expand(-1, 3, -1, -1)
    resized = nn.functional.interpolate(pixels, (32, 32), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(wants[key]).view(3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        expected = network((resized - mean) / std)
    torch.testing.assert_close(logits(teacher, course), expected, rtol=1e-4, atol=1e-4)
    assert info.channels == 1


def test_torchvision_without_weights_knows_nothing(course: Course, tmp_path: Path) -> None:
    brought = origin("torchvision:shufflenet_v2_x0_5", size=32)
    with pytest.raises(TeacherError, match="without teacher.weights knows nothing"):
        make_teacher(brought, "none", course, tmp_path)
    assert not (tmp_path / "teacher.json").exists()


def test_torchvision_without_weights_may_be_trained(course: Course, tmp_path: Path) -> None:
    brought = origin("torchvision:shufflenet_v2_x0_5", size=32)
    short = replace(course, plan=replace(course.plan, steps=3))
    make_teacher(brought, "plain", short, tmp_path / "teacher")
    teacher = load_teacher(tmp_path / "teacher", short)
    assert logits(teacher, short).shape == (60, 3)


def test_other_classes_without_finetune_are_refused(
    course: Course, factory: Factory, tmp_path: Path
) -> None:
    brought = origin(f"module:{factory(classes=5)}:teacher")
    with pytest.raises(TeacherError, match=r"5 classes apart, the data have 3; .*finetune"):
        make_teacher(brought, "none", course, tmp_path / "teacher")
    assert not (tmp_path / "teacher").exists()


@pytest.mark.parametrize("classes", [3, 5])
def test_finetune_with_freeze_fits_the_head_alone(
    course: Course, tmp_path: Path, classes: int
) -> None:
    """The body, its batch statistics too, stays as it was to the last bit."""
    given = own_network(classes)
    given[1].running_mean.uniform_(-1, 1)
    before = copy.deepcopy(given.state_dict())
    make_teacher(
        origin("object"), "none", course, tmp_path, finetune=Finetune(freeze=True), given=given
    )
    teacher = load_teacher(tmp_path, course, given)
    after = teacher.body.module.state_dict()
    assert set(after) == set(before)
    for name, value in before.items():
        is_head = name.startswith("5.")
        same = after[name].shape == value.shape and torch.equal(after[name], value)
        assert same == (not is_head), name
    assert top1(logits(teacher, course), course.feed.split.labels) > 0.9


def test_finetune_without_freeze_trains_the_body_too(course: Course, tmp_path: Path) -> None:
    given = own_network(5)
    make_teacher(
        origin("object"), "none", course, tmp_path, finetune=Finetune(freeze=False), given=given
    )
    after = load_teacher(tmp_path, course, given).body.module.state_dict()
    for name in ("0.weight", "1.weight", "1.running_mean"):
        assert not torch.equal(after[name], given.state_dict()[name]), name


def test_a_network_without_a_linear_head_cannot_be_fitted(
    course: Course, tmp_path: Path
) -> None:
    given = nn.Sequential(nn.Conv2d(1, 3, 8), nn.Flatten())
    with pytest.raises(TeacherError, match="does not end in a linear layer"):
        make_teacher(
            origin("object"),
            "none",
            course,
            tmp_path,
            finetune=Finetune(freeze=True),
            given=given,
        )


def test_a_module_factory_is_built_again_without_its_weights_file(
    course: Course, factory: Factory, tmp_path: Path
) -> None:
    name = factory(seed=2)
    trained = own_network(3, seed=9)
    weights = nn.Sequential(*trained[:3], nn.Dropout(0.1), *trained[3:]).state_dict()
    torch.save(weights, tmp_path / "net.pt")
    brought = origin(f"module:{name}:teacher", weights=str(tmp_path / "net.pt"))
    make_teacher(brought, "none", course, tmp_path / "teacher")
    (tmp_path / "net.pt").unlink()
    teacher = load_teacher(tmp_path / "teacher", course)
    torch.testing.assert_close(logits(teacher, course), logits(trained, course))


def test_a_given_object_teaches_and_is_left_as_it_was(course: Course, tmp_path: Path) -> None:
    given = own_network(5).train()
    before, kept = copy.deepcopy(given.state_dict()), given[5]
    make_teacher(
        origin("object"), "none", course, tmp_path, finetune=Finetune(freeze=False), given=given
    )
    load_teacher(tmp_path, course, given)
    assert given[5] is kept and given.training
    assert all(parameter.requires_grad for parameter in given.parameters())
    assert all(torch.equal(before[name], v) for name, v in given.state_dict().items())


def test_an_object_has_to_be_given_again(course: Course, tmp_path: Path) -> None:
    given = own_network()
    make_teacher(origin("object"), "none", course, tmp_path, given=given)
    again = load_teacher(tmp_path, course, own_network(3, seed=4))
    torch.testing.assert_close(logits(again, course), logits(given, course))
    with pytest.raises(TeacherError, match="pass it again"):
        load_teacher(tmp_path, course)


def test_taps_by_name_are_kept(course: Course, tmp_path: Path) -> None:
    given = own_network()
    make_teacher(origin("object", taps=["0"]), "none", course, tmp_path, given=given)
    teacher = load_teacher(tmp_path, course, given)
    assert teacher.body.taps == ("0",)
    wrong = origin("object", taps=["7"])
    with pytest.raises(TeacherError, match="no module '7' to tap"):
        make_teacher(wrong, "none", course, tmp_path / "wrong", given=given)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_logits_that_are_no_numbers_are_refused(
    course: Course, tmp_path: Path, bad: float
) -> None:
    given = own_network()
    with torch.no_grad():
        given[5].bias[1] = bad
    with pytest.raises(TeacherError, match="not finite"):
        make_teacher(origin("object"), "none", course, tmp_path / "teacher", given=given)
    assert not (tmp_path / "teacher").exists()


@pytest.mark.parametrize("network", ["torchvison:resnet18", "resnet18", "torchvision:"])
def test_an_unknown_kind_of_network_is_refused(
    course: Course, tmp_path: Path, network: str
) -> None:
    with pytest.raises(TeacherError, match="did you mean|allowed: checkpoint, family"):
        make_teacher(origin(network), "none", course, tmp_path)


def test_a_killed_finetune_goes_on(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its checkpoint, to the same teacher."""
    given, finetune = own_network(5), Finetune(freeze=True)

    def make(name: str) -> bytes:
        own = replace(course, checkpoint=tmp_path / f"{name}.checkpoint")
        make_teacher(
            origin("object"), "none", own, tmp_path / name, finetune=finetune, given=given
        )
        return (tmp_path / name / "teacher.safetensors").read_bytes()

    expected = make("straight")
    monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        plain, calls = fit_module.apply, iter(range(100))

        def dying(*args: Any) -> None:
            if next(calls) == 17:
                raise KeyboardInterrupt
            plain(*args)

        patch.setattr(fit_module, "apply", dying)
        make("cut")
    assert (tmp_path / "cut.checkpoint").exists()
    assert make("cut") == expected


def test_another_runs_teacher_teaches_as_it_is(course: Course, tmp_path: Path) -> None:
    """And what is kept of it needs the other run no more."""
    make_teacher(origin("family"), "plain", course, tmp_path / "a")
    before = logits(load_teacher(tmp_path / "a", course), course)
    kept = Origin(f"checkpoint:{tmp_path / 'a'}", "resnet", {})
    course.checkpoint.unlink()
    make_teacher(kept, "none", course, tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    assert torch.equal(logits(load_teacher(tmp_path / "b", course), course), before)
    assert read_json(tmp_path / "b" / "teacher.json")["origin"]["network"] == "family"


def test_another_runs_teacher_may_be_a_module_and_be_trained_on(
    course: Course, factory: Factory, tmp_path: Path
) -> None:
    """With the size, scale and taps that it was brought with."""
    brought = origin(f"module:{factory()}:teacher", size=10, taps=["0", "4"])
    make_teacher(brought, "plain", course, tmp_path / "a")
    course.checkpoint.unlink()
    first = load_teacher(tmp_path / "a", course)
    make_teacher(
        Origin(f"checkpoint:{tmp_path / 'a'}", "resnet", {}), "generic", course, tmp_path
    )
    second = load_teacher(tmp_path, course)
    assert second.body.taps == ("0", "4") and second.view.size == 10
    assert list(first.state_dict()) == list(second.state_dict())
    assert not torch.equal(logits(first, course), logits(second, course))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": 7}, "made for 7 classes, the data have 3"),
        ({"channels": 3}, "made for 3 channels, the data have 1"),
        (
            {"origin": {"network": "object", "family": "resnet", "architecture": {}}},
            "Python ob",
        ),
        (None, "no teacher.json and teacher.safetensors there; .*module:pkg.mod:factory"),
    ],
)
def test_another_runs_teacher_that_does_not_fit_is_refused(
    course: Course, tmp_path: Path, change: dict[str, Any] | None, words: str
) -> None:
    make_teacher(origin("family"), "none", course, tmp_path / "a")
    if change is not None:
        facts = read_json(tmp_path / "a" / "teacher.json")
        write_json(tmp_path / "a" / "teacher.json", {**facts, **change})
    folder = tmp_path / ("a" if change else "b")
    with pytest.raises(TeacherError, match=words):
        make_teacher(Origin(f"checkpoint:{folder}", "resnet", {}), "none", course, tmp_path)
