"""Any two modules and a DataLoader, in one call."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import kdsearch
from kdsearch.core.space import Space
from kdsearch.distill.hard import Hard
from kdsearch.distill.method import Needs, Seen
from kdsearch.distill.soften import Soften
from kdsearch.errors import KdsearchError, UserError
from kdsearch.output import Output
from kdsearch.pipeline.distill_student import Distilled
from kdsearch.training import fit as fit_module

CLASSES = 3
Loader = Callable[..., DataLoader[Any]]


def cnn(seed: int, width: int, *, head: bool = True) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [
            nn.Conv2d(1, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, 2, 1), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        ]  # fmt: skip
        if not head:
            return nn.Sequential(*layers[:3], nn.Conv2d(width, CLASSES, 3), *layers[6:])
        return nn.Sequential(*layers, nn.Dropout(0.1), nn.Linear(2 * width, CLASSES))


@pytest.fixture(scope="session")
def data() -> TensorDataset:
    """Sixty-six images of 8 px, a noisy pattern for each of three classes."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randn(CLASSES, 1, 8, 8, generator=generator)
    labels = torch.arange(66) % CLASSES
    noise = 0.5 * torch.randn(66, 1, 8, 8, generator=generator)
    return TensorDataset(patterns[labels] + noise, labels)


@pytest.fixture
def loader(data: TensorDataset) -> Loader:
    """A fresh loader; its last batch is smaller than the others."""

    def made(**more: Any) -> DataLoader[Any]:
        return DataLoader(data, batch_size=16, shuffle=True, **more)

    return made


@pytest.fixture(scope="session")
def teacher(data: TensorDataset) -> nn.Module:
    shuffled = DataLoader(data, batch_size=16, shuffle=True)
    found = kdsearch.distill_student(None, cnn(1, 12), shuffled, "hard", epochs=6)
    assert found.accuracy(shuffled) > 0.9
    return found.network


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(t.equal(other[name]) for name, t in one.items())


def test_in_eight_lines(teacher: nn.Module, data: TensorDataset) -> None:
    student = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    loader = DataLoader(data, batch_size=16, shuffle=True)
    found = kdsearch.distill_student(teacher, student, loader, "decoupled", epochs=8)
    assert found.accuracy(loader) > 0.9
    assert isinstance(found.network, nn.Sequential)


def test_who_is_given_stays_as_they_are(teacher: nn.Module, loader: Loader) -> None:
    student = cnn(2, 4).train()
    before = weights(student), weights(teacher), [p.requires_grad for p in teacher.parameters()]
    state = torch.get_rng_state()
    found = kdsearch.distill_student(teacher, student, loader(), epochs=1)
    assert equal(weights(student), before[0]) and student.training
    assert equal(weights(teacher), before[1])
    assert [p.requires_grad for p in teacher.parameters()] == before[2]
    assert all(p.grad is None for p in (*student.parameters(), *teacher.parameters()))
    assert torch.equal(torch.get_rng_state(), state)
    assert not found.network.training
    assert not equal(weights(found.network), before[0])
    assert weights(found.network).keys() == before[0].keys()


def test_the_students_own_weights_are_where_it_starts(
    teacher: nn.Module, loader: Loader
) -> None:
    student = cnn(2, 4)
    found = kdsearch.distill_student(teacher, student, loader(), epochs=1, learning_rate=1e-9)
    own = dict(found.network.named_parameters())
    for name, weight in student.named_parameters():
        torch.testing.assert_close(own[name], weight)


def test_the_same_seed_is_the_same_student(teacher: nn.Module, loader: Loader) -> None:
    """With a loader that shuffles as it likes, and dropout."""

    def taught(seed: int) -> Distilled:
        torch.seed()
        student = cnn(2, 4)
        return kdsearch.distill_student(teacher, student, loader(), epochs=2, seed=seed)

    one, same, other = taught(5), taught(5), taught(6)
    assert one.curve == same.curve and equal(weights(one.network), weights(same.network))
    assert one.curve != other.curve


@pytest.mark.parametrize(
    "method", ["hard", "lightskd", "hint", "evolutionary", "dist+attention"]
)
def test_methods_of_every_kind(method: str, teacher: nn.Module, loader: Loader) -> None:
    """Without a teacher, with parts, with a teacher that learns, and a sum."""
    found = kdsearch.distill_student(teacher, cnn(2, 4), loader(), method, epochs=1)
    assert len(found.curve) == 5
    assert found.network(torch.zeros(2, 1, 8, 8)).shape == (2, CLASSES)


def test_knobs_are_the_methods(teacher: nn.Module, loader: Loader) -> None:
    one = kdsearch.distill_student(teacher, cnn(2, 4), loader(), epochs=1)
    other = kdsearch.distill_student(
        teacher, cnn(2, 4), loader(), knobs={"temperature": 1.5}, epochs=1
    )
    assert one.curve != other.curve


class Opposite:
    """A method as an object: learns the next class in place of each."""

    name: ClassVar[str] = "opposite"
    knobs: ClassVar[Space] = Space({})
    options: ClassVar[Space] = Space({})
    needs = Needs()

    def __call__(self, seen: Seen) -> Tensor:
        shifted = (seen.labels + 1) % CLASSES
        return Hard()(seen._replace(labels=shifted))


def test_a_method_as_an_object(data: TensorDataset, loader: Loader) -> None:
    found = kdsearch.distill_student(None, cnn(2, 8), loader(), Opposite(), epochs=8)
    images, labels = data.tensors
    shifted = DataLoader(TensorDataset(images, (labels + 1) % CLASSES), batch_size=16)
    assert found.accuracy(shifted) > 0.8
    with pytest.raises(UserError, match="has its knobs already"):
        kdsearch.distill_student(None, cnn(2, 8), loader(), Opposite(), {"weight": 1.0})


# Checkpoints.


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("seeded", [True, False])
def test_a_killed_run_goes_on_to_the_same_student(
    seeded: bool,
    teacher: nn.Module,
    loader: Loader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the second epoch, whose order has nothing of the first's."""

    def taught(path: Path | None) -> Distilled:
        generator = torch.Generator().manual_seed(4) if seeded else None
        return kdsearch.distill_student(
            teacher, cnn(2, 4), loader(generator=generator), epochs=3, checkpoint=path
        )

    straight = taught(None)
    monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", -1.0)
    real, steps = fit_module.train_step, iter([*range(7), None, *range(20)])

    def dying(*arguments: Any) -> Any:
        if next(steps) is None:
            raise Killed
        return real(*arguments)

    monkeypatch.setattr(fit_module, "train_step", dying)
    with pytest.raises(Killed):
        taught(tmp_path / "run")
    again = taught(tmp_path / "run")
    assert next(steps) == 15 - 7, "what was done is not done again"
    assert again.curve == straight.curve
    assert equal(weights(again.network), weights(straight.network))


def test_a_checkpoint_of_another_training_is_refused(
    teacher: nn.Module, loader: Loader, tmp_path: Path
) -> None:
    def taught(
        method: Any, width: int = 4, epochs: int = 1, guide: nn.Module = teacher
    ) -> Distilled:
        return kdsearch.distill_student(
            guide, cnn(2, width), loader(), method, epochs=epochs, checkpoint=tmp_path / "run"
        )

    first = taught("soften")
    assert equal(weights(taught("soften").network), weights(first.network))
    assert taught(Soften()).curve == first.curve
    others = (
        ("dist", 4, 1), ("soften", 6, 1), ("soften", 4, 2), ("soften", 4, 1, cnn(3, 12)),
        (Soften(temperature=2.0), 4, 1),
    )  # fmt: skip
    for other in others:
        with pytest.raises(
            UserError, match="run: a checkpoint of another training .*remove it"
        ):
            taught(*other)


# Mistakes, each one clear line before anything is trained.


@pytest.fixture
def refused(
    teacher: nn.Module, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    def training(*arguments: Any, **more: Any) -> Any:
        raise AssertionError("trained in spite of a mistake")

    monkeypatch.setattr("kdsearch.pipeline.distill_student.fit", training)

    def check(words: str, *arguments: Any, **more: Any) -> None:
        given = {"teacher": teacher, "student": cnn(2, 4), "loader": loader(), **more}
        with pytest.raises(UserError, match=words) as caught:
            kdsearch.distill_student(
                given.pop("teacher"),
                given.pop("student"),
                given.pop("loader"),
                *arguments,
                **given,
            )
        assert isinstance(caught.value, KdsearchError)
        assert "\n" not in str(caught.value)

    yield check


def test_unknown_names(refused: Callable[..., None]) -> None:
    refused("unknown method 'sofen'; did you mean 'soften'", "sofen")
    refused(
        "unknown knob 'temperatures'; did you mean 'temperature'",
        "soften",
        {"temperatures": 2.0},
    )
    refused("temperature = -9; allowed: 1.0 to 10.0", "soften", {"temperature": -9})
    refused("unknown argument 'epoch'; did you mean 'epochs'", epoch=3)


def test_schedules_that_are_none(refused: Callable[..., None]) -> None:
    refused("epochs = 0: needs at least 1", epochs=0)
    refused("epochs = 1.5: needs at least 1, a whole number", epochs=1.5)
    refused("learning_rate = 0: needs a number above 0", learning_rate=0)
    refused("learning_rate = nan: needs a number", learning_rate=float("nan"))
    refused("weight_decay = -1: needs a number, 0 or above", weight_decay=-1)
    refused("seed = 'abc': needs a whole number", seed="abc")
    refused("device = 'gpu': torch cannot use it here", device="gpu")
    refused("checkpoint = 3: needs a file's path", checkpoint=3)
    refused("precision = 'fp16'; did you mean 'bf16'", precision="fp16")


def test_other_things_in_the_place_of_methods_and_networks(
    refused: Callable[..., None],
) -> None:
    refused(r"knobs = \[1\]: needs names with values", "soften", [1])
    refused("views = true; allowed: one of 1, 2, 4", "multi_level", {"views": True})
    refused("method = <class .*Hard'>: needs a name or a method object", Hard)
    refused(r"method = \['soften'\]: needs a name", ["soften"])
    refused("the teacher has to be an nn.Module; it is 'resnet18'", teacher="resnet18")
    refused("the student has to be an nn.Module; it is None", student=None)
    refused("nothing to train", student=cnn(2, 4).requires_grad_(False))


def test_no_teacher_for_a_method_that_needs_one(refused: Callable[..., None]) -> None:
    refused("method 'soften' needs a teacher; pass one, or take method='hard'", teacher=None)
    refused("method 'evolutionary' needs a teacher", "evolutionary", teacher=None)


def test_an_auxiliary_teacher_is_for_a_space(refused: Callable[..., None]) -> None:
    refused("set aux: none", "information_flow", {"aux": "double_width"})


def test_a_loader_that_gives_something_else(
    data: TensorDataset, refused: Callable[..., None]
) -> None:
    images, labels = data.tensors
    refused(r"\(images, labels\)", loader=DataLoader(images, batch_size=8))
    refused(r"\(images, labels\)", loader=DataLoader(TensorDataset(images, labels.float())))
    refused("gives no batch", loader=DataLoader(data, batch_size=99, drop_last=True))
    beyond = DataLoader(TensorDataset(images, labels + 1), batch_size=66)
    refused("labels run from 1 to 3, but the student tells 3 classes apart", loader=beyond)


def test_an_accuracy_is_of_images(teacher: nn.Module, data: TensorDataset) -> None:
    with pytest.raises(UserError, match="the loader gives no batch, so there is no accuracy"):
        Distilled(teacher, []).accuracy(DataLoader(data, batch_size=99, drop_last=True))


def test_networks_that_do_not_fit(refused: Callable[..., None]) -> None:
    headless = cnn(2, 4, head=False)
    refused(
        "method needs pooled of the student, which gives none", "relational", student=headless
    )
    refused(
        "method needs pooled of the teacher, which gives none", "relational", teacher=headless
    )
    line = r"the student cannot run on the loader's images \(1, 8, 8\): RuntimeError: "
    refused(line, student=nn.Linear(5, 3))
    refused(
        r"the teacher has to give \(batch, classes\) logits; .* \(2, 1, 8, 8\)",
        teacher=nn.ReLU(),
    )
    refused("the student gives no logits; put a head on it", student=Headless())
    many = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    refused("the teacher tells 5 classes apart, the student 3; ", teacher=many)


class Headless(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = cnn(2, 4)

    def forward(self, images: Tensor) -> Output:
        return Output(None, (), self.body(images))


class SameClass(Opposite):
    name: ClassVar[str] = "same class"
    needs = Needs(views=("same class",))


def test_images_that_a_loader_cannot_be_asked_for(teacher: nn.Module, loader: Loader) -> None:
    with pytest.raises(UserError, match="'same class' kind .*`kdsearch distill` reads data"):
        kdsearch.distill_student(teacher, cnn(2, 4), loader(), SameClass(), epochs=1)
