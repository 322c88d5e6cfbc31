import json

import pytest
import safetensors.torch
import torch

from kdsearch.errors import ArtefactError
from kdsearch.export.original import Original
from kdsearch.export.rebuild import rebuilt
from kdsearch.export.safetensors import Safetensors, pretrained


@pytest.fixture
def folder(original, tmp_path):
    Safetensors().write(original, tmp_path)
    return tmp_path


def test_config_alone_rebuilds_the_network(folder, student):
    again = rebuilt(json.loads((folder / "config.json").read_text()))
    again.load_state_dict(safetensors.torch.load_file(folder / "model.safetensors"))
    torch.testing.assert_close(again.state_dict(), student.state_dict(), rtol=0, atol=0)


def test_channels_last_weights_are_written_as_they_are(spec, pixels, tmp_path):
    wide = rebuilt(spec).to(memory_format=torch.channels_last)
    Safetensors().write(Original(wide, spec, pixels), tmp_path)
    found = safetensors.torch.load_file(tmp_path / "model.safetensors")
    torch.testing.assert_close(found, dict(wide.state_dict()), rtol=0, atol=0)


def test_the_pretrained_network_can_be_trained_on(folder, images, expected):
    network = pretrained(folder)
    assert not network.training
    torch.testing.assert_close(network(images), torch.from_numpy(expected))
    assert all(p.requires_grad and not p.is_meta for p in network.parameters())
    network.train()(images).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_a_description_of_a_giant_takes_no_memory(folder):
    spec = json.loads((folder / "config.json").read_text())
    giant = {n: 65_536 if n.endswith("width") else v for n, v in spec["architecture"].items()}
    (folder / "config.json").write_text(json.dumps(spec | {"architecture": giant}))
    with pytest.raises(RuntimeError, match="size mismatch"):  # terabytes, had it been built
        pretrained(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"family": "module:os:system"},
        {"family": None, "origin": {"network": "module:os:system", "weights": None}},
        {"family": None, "origin": {"network": "checkpoint:/tmp", "weights": None}},
    ],
)
def test_code_of_others_is_not_run_unasked(folder, changed):
    spec = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(spec | changed))
    with pytest.raises(ArtefactError, match="would run code of its author's"):
        Safetensors().guard(folder, spec)


def test_weights_of_an_origin_are_never_read(folder):
    spec = json.loads((folder / "config.json").read_text())
    origin = {"network": "torchvision:resnet18", "weights": "/etc/passwd"}
    (folder / "config.json").write_text(json.dumps(spec | {"family": None, "origin": origin}))
    with pytest.raises(ArtefactError, match=r"config\.json: does not describe a student"):
        pretrained(folder)
