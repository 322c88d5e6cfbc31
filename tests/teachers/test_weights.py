"""Weights from files: formats, wrappers, and what is refused."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from kdsearch.errors import TeacherError
from kdsearch.teachers.weights import load_weights, read_weights

STATE = nn.Linear(3, 2).state_dict()


def same(found: dict[str, torch.Tensor]) -> bool:
    return set(found) == set(STATE) and all(torch.equal(found[k], v) for k, v in STATE.items())


def test_safetensors(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "net.safetensors")
    assert same(read_weights(tmp_path / "net.safetensors"))


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 7},
        {"model": STATE},
        {f"module.{name}": value for name, value in STATE.items()},
        {"model": {f"module.{name}": value for name, value in STATE.items()}},
    ],
    ids=["plain", "state_dict", "model", "data-parallel", "both"],
)
@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_state_dicts_as_training_scripts_save_them(
    tmp_path: Path, content: dict[str, Any], suffix: str
) -> None:
    path = tmp_path / f"net{suffix}"
    torch.save(content, path)
    assert same(read_weights(path))


class Harmful:
    """Runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [True, False])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(
    tmp_path: Path, legacy: bool
) -> None:
    path, trace = tmp_path / "net.pt", tmp_path / "ran"
    content = {"weight": STATE["weight"], "extra": Harmful(trace)}
    if legacy:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(TeacherError, match="no readable state dict"):
        read_weights(path)
    assert not trace.exists()


def test_a_whole_module_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save(nn.Linear(3, 2), path)
    with pytest.raises(TeacherError, match="state_dict"):
        read_weights(path)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_garbage_and_absence_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(TeacherError, match=f"no file .*{name}"):
        read_weights(path)
    path.write_bytes(b"not weights")
    with pytest.raises(TeacherError, match=f"{name} is no readable state dict") as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"model": {"epoch": 3}}])
def test_tensors_by_name_are_what_is_wanted(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "net.pt"
    torch.save(content, path)
    with pytest.raises(TeacherError, match="holds no state dict"):
        read_weights(path)


def test_weights_arrive_in_the_network() -> None:
    network = nn.Linear(3, 2)
    load_weights(network, STATE, Path("net.pt"))
    assert same(network.state_dict())


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"weight": STATE["weight"]}, "1 missing, 0 unknown or of another shape, first bias"),
        ({**STATE, "scale": STATE["bias"]}, "0 missing, 1 unknown .*, first scale"),
        ({**STATE, "bias": torch.zeros(3)}, "0 missing, 1 unknown .*, first bias"),
    ],
)
def test_what_does_not_fit_is_counted_and_named(
    state: dict[str, torch.Tensor], words: str
) -> None:
    network = nn.Linear(3, 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(TeacherError, match=f"net.pt does not fit the network: {words}"):
        load_weights(network, state, Path("net.pt"))
    assert all(torch.equal(before[name], v) for name, v in network.state_dict().items())
