"""A teacher whose forward pass goes wrong on demand, and a search that it teaches."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kdsearch.rundir import RunDir

FAULTY = '''
import json
import os
import signal
from pathlib import Path

import torch
from torch import nn

ORDERS = Path(__file__).with_name("orders.json")
CALLS = Path(__file__).with_name("calls")


def obey():
    """Does what the orders say for this call, counted over all processes."""
    if not ORDERS.exists():
        return
    with CALLS.open("ab") as file:
        file.write(b".")
        call = file.tell()
    order = json.loads(ORDERS.read_text()).get(str(call))
    if order == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "memory":
        raise torch.OutOfMemoryError("CUDA out of memory")
    if order == "bug":
        raise RuntimeError("a bug\\nof two lines")


class Faulty(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, images):
        obey()
        return self.head(images.flatten(1))


def teacher():
    torch.manual_seed(0)
    return Faulty()
'''


@pytest.fixture
def faulty(tiny: Any, go: Any, plugins: Path, tmp_path: Path) -> Callable[..., RunDir]:
    """`faulty("in-process", {3: "kill"})`: a search whose teacher, at its third call, ...

    Eight trials, all of which learn from it; none is screened out.
    """
    (plugins / "faulty.py").write_text(FAULTY)
    config = tiny(
        teacher={"network": "module:faulty:teacher", "training": "none"},
        distill={"methods": ["soften"]},
        search={"screen_layers": 9},
    )

    def run(engine: str, orders: Mapping[int, str]) -> RunDir:
        config["search"]["engine"] = engine
        for name in ("orders.json", "calls"):
            (plugins / name).unlink(missing_ok=True)
        go(config, tmp_path / "run", until="supernet")
        (plugins / "orders.json").write_text(json.dumps(orders))
        done: RunDir = go(config, tmp_path / "run", until="search")
        return done

    return run
