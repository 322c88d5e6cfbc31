"""The device of a worker: what Ray gave it, as far as torch finds it."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from kdsearch.core.space import Space
from kdsearch.engines.ray_device import WITHOUT_TORCH, settled
from kdsearch.engines.ray_hand import Hand
from kdsearch.search.setting import AUTO, Setting
from kdsearch.stopping import STOP
from kdsearch.training.plan import Plan


def setting(device: str) -> Setting:
    return Setting("", None, None, "", Space({}), Plan(1, 1, 0.1, 0, 0), (1.0,), device=device)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`worker(["0"], True)`: Ray gave this process GPU 0, and torch finds it."""

    def made(given: list[str], found: bool) -> None:
        monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get_gpu_ids=lambda: given))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: found)

    return made


@pytest.mark.parametrize(
    ("given", "found", "device", "said"),
    [
        (["0"], True, "cuda", ""),
        (["0"], False, "cpu", WITHOUT_TORCH),
        ([], True, "cpu", ""),  # it sees GPUs that are others'
        ([], False, "cpu", ""),
    ],
)
def test_a_worker_trains_on_what_it_was_given(
    worker: Any, given: list[str], found: bool, device: str, said: str
) -> None:
    worker(given, found)
    own, words = settled(setting(AUTO))
    assert (own, words) == (setting(device), said)
    for known in ("cpu", "cuda"):
        assert settled(setting(known)) == (setting(known), "")


def test_an_actor_tells_what_there_is_to_say_of_it(
    worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(STOP, "listen", lambda look: None)
    worker(["0"], False)
    made: list[Setting] = []

    def make(own: Setting, progress: Any, given: Any) -> Any:
        made.append(own)

    assert Hand(setting(AUTO), make).is_there() == WITHOUT_TORCH
    assert made == [setting("cpu")]
