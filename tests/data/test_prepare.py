import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from kdsearch.core.progress import Silent
from kdsearch.data.load import load_search
from kdsearch.data.prepare import describe, moments, prepare
from kdsearch.data.records import DataInfo, Options, Raw
from kdsearch.data.test_split import open_test
from kdsearch.errors import DataError

Numbered = Callable[..., Raw]
Numbers = Callable[[Tensor], list[int]]


class Given:
    """A data set that a test hands over."""

    name = usage = "given"

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def load(self, argument: str, options: Options, progress: object) -> Raw:
        return self.raw


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Prepares a source with some options and seed; gives the folder."""

    def make(raw: Raw, *, seed: int = 0, **options: Any) -> Path:
        monkeypatch.setattr("kdsearch.data.prepare.DATASETS", {"given": Given(raw)})
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        prepare("given", folder, options=Options(**options), seed=seed, progress=Silent())
        return folder

    return make


def test_every_image_lands_in_one_split_with_its_label(
    prepared: Callable[..., Path], numbered: Numbered, numbers_of: Numbers, tmp_path: Path
) -> None:
    folder = prepared(numbered([90, 60]))
    data = load_search(folder)
    test = open_test(folder, purpose="a test", log=tmp_path / "log")
    found = [numbers_of(split.images) for split in (data.train, data.search_val, test)]
    assert sorted(sum(found, [])) == list(range(150))
    for split in (data.train, data.calibration, data.search_val, test):
        assert split.labels.tolist() == [int(n >= 90) for n in numbers_of(split.images)]
    assert set(numbers_of(data.calibration.images)) <= set(found[0])
    assert data.info.counts == {"train": 90, "calibration": 90, "search_val": 30, "test": 30}


def test_calibration_is_as_large_as_asked_and_stratified(
    prepared: Callable[..., Path], numbered: Numbered
) -> None:
    data = load_search(prepared(numbered([100, 100]), calibration=30))
    assert torch.bincount(data.calibration.labels).tolist() == [15, 15]
    assert len(set(data.calibration.labels[:8].tolist())) == 2


def test_the_fingerprint_names_contents_seed_and_classes(
    prepared: Callable[..., Path], numbered: Numbered
) -> None:
    raw = numbered([50, 50])

    def fingerprint(raw: Raw, **options: Any) -> str:
        return load_search(prepared(raw, **options)).info.fingerprint

    first = fingerprint(raw)
    assert fingerprint(raw) == first
    assert fingerprint(raw, seed=1) != first
    assert fingerprint(dataclasses.replace(raw, classes=("a", "b"))) != first
    swapped = dataclasses.replace(raw.train, labels=raw.train.labels.flip(0))
    assert fingerprint(dataclasses.replace(raw, train=swapped)) != first

    def brighter(indices: Tensor) -> Any:
        read = raw.train.read(indices)
        read.images[indices == 77, 0, 1, 1] += 1  # one pixel of one image, wherever it lands
        return read

    changed = dataclasses.replace(raw.train, read=brighter)
    assert fingerprint(dataclasses.replace(raw, train=changed)) != first


def test_search_data_does_not_reach_the_test_split(
    prepared: Callable[..., Path], numbered: Numbered, numbers_of: Numbers, tmp_path: Path
) -> None:
    folder = prepared(numbered([60, 60]))
    held_apart = set(
        numbers_of(open_test(folder, purpose="a test", log=tmp_path / "log").images)
    )
    assert len(held_apart) == 24
    (folder / "test.safetensors").unlink()
    data = load_search(folder)

    def tensors(value: object) -> list[Tensor]:
        if isinstance(value, Tensor):
            return [value]
        if not dataclasses.is_dataclass(value):
            return []
        names = [field.name for field in dataclasses.fields(value)]
        return [tensor for name in names for tensor in tensors(getattr(value, name))]

    images = [tensor for tensor in tensors(data) if tensor.ndim == 4]
    assert len(images) == 3
    assert not held_apart & {number for tensor in images for number in numbers_of(tensor)}
    public = {name for name in dir(data) if not name.startswith("_")}
    assert public == {"train", "calibration", "search_val", "info"}
    assert str(folder) not in repr(data.info)


def test_info_is_written_last_and_removed_first(
    prepared: Callable[..., Path], numbered: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = prepared(numbered([30, 30]))
    assert sorted(p.name for p in folder.iterdir()) == [
        "info.json",
        "search.safetensors",
        "test.safetensors",
    ]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kdsearch.data.prepare.write_test", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare("given", folder, options=Options(), seed=1, progress=Silent())
    with pytest.raises(DataError, match="holds no prepared data"):
        load_search(folder)


def test_info_survives_json(digits: tuple[Path, DataInfo]) -> None:
    folder, info = digits
    assert DataInfo.of(json.loads((folder / "info.json").read_text())) == info


def test_moments_by_hand() -> None:
    images = torch.zeros((2, 3, 1, 2), dtype=torch.uint8)
    images[:, 0] = torch.tensor([[[0, 51]], [[102, 255]]])
    images[:, 2] = 255
    mean, std = moments(images)
    # levels 0, 0.2, 0.4, 1: mean 0.4, deviations 0.4, 0.2, 0, 0.6 -> sqrt(0.56 / 4)
    assert mean == pytest.approx((0.4, 0.0, 1.0))
    assert std == pytest.approx((0.14**0.5, 1.0, 1.0))


def test_moments_agree_with_torch(digits: tuple[Path, DataInfo]) -> None:
    folder, info = digits
    pixels = load_search(folder).train.images.double() / 255
    assert info.mean[0] == pytest.approx(pixels.mean().item())
    assert info.std[0] == pytest.approx(pixels.std(correction=0).item())


def test_too_little_memory_stops_before_anything_is_read(
    prepared: Callable[..., Path], numbered: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = numbered([30, 30])

    def decode(indices: Tensor) -> Any:
        raise AssertionError("decoded")

    lazy = dataclasses.replace(raw, train=dataclasses.replace(raw.train, read=decode))
    monkeypatch.setattr("kdsearch.data.prepare.available_bytes", lambda: 100)
    with pytest.raises(
        DataError, match=r"^given: 60 images of 1x2x2 need .* smaller data.size"
    ):
        prepared(lazy)


def test_progress_counts_every_image(numbered: Numbered, prepared: Callable[..., Path]) -> None:
    told: list[Any] = []

    class Listener(Silent):
        def start(self, task: str, total: int) -> None:
            told.append(total)

        def step(self, task: str, done: int, note: str = "") -> None:
            told.append(done)

    folder = prepared(numbered([30, 30]))
    prepare("given", folder, options=Options(), seed=0, progress=Listener())
    assert (told[0], told[-1]) == (60, 60)
    assert told[1:] == sorted(told[1:])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digts", "unknown data set 'digts'; did you mean 'digits'"),
        ("digits:7", "digits:7: digits takes no argument"),
        ("torchvision", "torchvision: which set"),
        ("folder:", "folder:: which folder"),
        ("module:", "module:: '' names no function"),
    ],
)
def test_a_wrong_name_gives_one_clear_line(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        prepare(name, tmp_path, options=Options(), seed=0, progress=Silent())
    assert "\n" not in str(error.value)


def test_a_description_has_what_shapes_the_data_and_nothing_else() -> None:
    plain = describe("digits", Options())
    assert json.loads(json.dumps(plain)) == plain
    assert describe("digits", Options(root="/somewhere", download=True)) == plain
    for change in ({"size": 16}, {"limit": 9}, {"val_fraction": 0.1}, {"broken": "skip"}):
        assert describe("digits", Options(**change)) != plain  # type: ignore[arg-type]
