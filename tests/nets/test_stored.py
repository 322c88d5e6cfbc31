"""Weights that a run keeps: read back, or named with the way out."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from kdsearch.errors import RunError
from kdsearch.nets.stored import stored_weights


def test_weights_come_back(tmp_path: Path) -> None:
    save_file({"a": torch.arange(3.0)}, tmp_path / "net.safetensors")
    assert stored_weights(tmp_path / "net.safetensors")["a"].tolist() == [0, 1, 2]


def test_lost_or_damaged_weights_are_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    with pytest.raises(RunError, match=f"{path}: is not there; remove {tmp_path}, and"):
        stored_weights(path, within=tmp_path)
    path.write_bytes(b"garbage")
    with pytest.raises(RunError, match=f"{path}: no whole weights; remove {path}, and"):
        stored_weights(path)
