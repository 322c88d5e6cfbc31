"""Device times without a device: events that a counter stands for."""

from typing import Any

import pytest
import torch

from kdsearch.runtimes import gpu


class Device:
    """A GPU that takes 2 ms a launch; its events note when it passes them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms, self.waits = 0.0, 0
        monkeypatch.setattr(torch.cuda, "Event", lambda enable_timing: Event(self))
        monkeypatch.setattr(torch.cuda, "synchronize", self.wait)

    def launch(self) -> None:
        self.now_ms += 2.0

    def wait(self) -> None:
        self.waits += 1


class Event:
    def __init__(self, device: Device) -> None:
        self._device, self.at, self.is_over = device, -1.0, False

    def record(self) -> None:
        self.at = self._device.now_ms

    def synchronize(self) -> None:
        self.is_over = True

    def elapsed_time(self, end: Any) -> float:
        assert end.is_over
        return float(end.at - self.at)


def test_seconds_are_those_of_one_of_many_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device(monkeypatch)
    assert gpu.back_to_back(device.launch) == pytest.approx(0.002)
    assert device.now_ms == 2.0 * gpu.LAUNCHES >= 20
    assert device.waits == 1  # whatever was under way before is not counted
