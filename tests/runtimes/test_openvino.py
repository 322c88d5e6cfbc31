"""OpenVINO where it is installed; what it is told where it is not."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kdsearch.runtimes import openvino
from kdsearch.runtimes.openvino import OpenVino, request
from kdsearch.runtimes.runtime import Calling


class Core:
    """Stands for OpenVINO's, on a processor without bfloat16; notes what it is asked for."""

    asked: list[Any] = []

    def read_model(self, model: bytes) -> bytes:
        return model

    def compile_model(self, model: bytes, device: str, settings: dict[str, Any]) -> Any:
        self.asked.append((model, device, settings))
        return SimpleNamespace(create_infer_request=lambda: None)

    def get_property(self, device: str, name: str) -> list[str]:
        return ["FP32", "INT8"]


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> type[Core]:
    monkeypatch.setattr(Core, "asked", [])
    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=Core, __spec__=object()))
    monkeypatch.setattr(openvino, "core", Core)
    return Core


def test_threads_and_precision_are_pinned(core: type[Core]) -> None:
    request(b"model", Calling(3))
    request(b"model", Calling(1, "bf16"))
    (model, device, first), (*_, second) = core.asked
    assert (model, device) == (b"model", "CPU")
    assert (first["INFERENCE_NUM_THREADS"], first["NUM_STREAMS"]) == (3, 1)
    assert first["INFERENCE_PRECISION_HINT"] == "f32"
    assert second["INFERENCE_PRECISION_HINT"] == "bf16"


def test_bf16_needs_a_processor_with_it(core: type[Core]) -> None:
    assert "precision: bf16" in OpenVino().lacks(Calling(precision="bf16"))
    assert OpenVino().lacks(Calling()) == ""


def test_its_absence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino.util, "find_spec", lambda name: None)
    assert OpenVino().lacks(Calling()).endswith("pip install 'kdsearch[openvino]'")


def test_as_installed_it_computes() -> None:
    """Y = 2 X, in the real one."""
    pytest.importorskip("openvino", reason="OpenVINO: pip install 'kdsearch[openvino]'")
    import torch
    from torch import nn

    double = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(double.weight, 2.0)
    images = torch.arange(4.0).reshape(1, 1, 2, 2)
    call = OpenVino().prepare(nn.Sequential(double, nn.Flatten()), images, Calling()).call
    np.testing.assert_allclose(call(images.numpy()), [[0, 2, 4, 6]])


INTERRUPTED = """
import gc, signal
import torch
from torch import nn
from kdsearch.runtimes.openvino import OpenVino
from kdsearch.runtimes.runtime import Calling

network, images = nn.Conv2d(2, 2, 1), torch.zeros(1, 2, 4, 4)
several = [OpenVino().prepare(network, images, Calling()) for _ in range(3)]
while several:  # the first of them goes first
    several.pop(0)
gc.collect()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.slow
def test_ctrl_c_is_no_crash_after_it_computed() -> None:
    """It gives the thread a signal stack, whose memory must stay."""
    pytest.importorskip("openvino", reason="OpenVINO: pip install 'kdsearch[openvino]'")
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
