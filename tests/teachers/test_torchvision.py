"""Networks by torchvision's name, without any download."""

from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import get_model

from kdsearch.errors import TeacherError
from kdsearch.teachers import torchvision
from kdsearch.teachers.torchvision import build


def small(name: str, classes: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return get_model(name, weights=None, num_classes=classes)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return set(one) == set(other) and all(torch.equal(other[k], v) for k, v in one.items())


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "squeezenet1_1"])
def test_weights_from_a_file_bring_their_number_of_classes(
    tmp_path: Path, name: str, suffix: str
) -> None:
    """In either format, whose order of tensors differs."""
    path, network = tmp_path / f"net{suffix}", small(name, 7)
    (save_file if suffix == ".safetensors" else torch.save)(network.state_dict(), path)
    built = build(name, str(path), 3)
    assert same(built.state_dict(), network.state_dict())


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "net.pt")
    with pytest.raises(TeacherError, match="does not fit the network"):
        build("shufflenet_v2_x0_5", str(tmp_path / "net.pt"), 3)


def test_without_weights_it_has_the_datas_classes() -> None:
    network = build("shufflenet_v2_x0_5", None, 6).eval()
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 6)


def test_a_mistyped_name_gets_the_nearest() -> None:
    with pytest.raises(TeacherError, match="no network 'resnet81'; did you mean 'resnet\\d+'"):
        build("resnet81", None, 3)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(TeacherError, match="no file gone.pt"):
        build("resnet18", "gone.pt", 3)


def test_unknown_weights_are_refused_with_a_way_out() -> None:
    with pytest.raises(TeacherError, match="resnet18 has no weights 'IMAGENET'; use DEFAULT"):
        build("resnet18", "IMAGENET", 3)


def test_without_a_network_the_way_out_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, weights: str) -> nn.Module:
        raise URLError("no route")

    monkeypatch.setattr(torchvision, "get_model", offline)
    with pytest.raises(TeacherError, match="cannot fetch 'DEFAULT' .*give its path"):
        build("resnet18", "DEFAULT", 3)


def test_weights_by_name_are_torchvisions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(name: str, weights: str) -> nn.Module:
        asked.append((name, weights))
        return nn.Linear(2, 2)

    monkeypatch.setattr(torchvision, "get_model", fetch)
    assert isinstance(build("resnet18", "IMAGENET1K_V1", 3), nn.Linear)
    assert asked == [("resnet18", "IMAGENET1K_V1")]
