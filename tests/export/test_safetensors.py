import json

import safetensors.torch
import torch

from kdsearch.export.safetensors import Safetensors, rebuilt


def test_config_alone_rebuilds_the_network(student, spec, images, tmp_path):
    weights, config = Safetensors().write(student, spec, images, tmp_path)
    again = rebuilt(json.loads(config.read_text()))
    again.load_state_dict(safetensors.torch.load_file(weights))
    torch.testing.assert_close(again.state_dict(), student.state_dict(), rtol=0, atol=0)


def test_channels_last_weights_are_written_as_they_are(student, spec, images, tmp_path):
    wide = rebuilt(spec).to(memory_format=torch.channels_last)
    weights, _ = Safetensors().write(wide, spec, images, tmp_path)
    found = safetensors.torch.load_file(weights)
    torch.testing.assert_close(found, dict(wide.state_dict()), rtol=0, atol=0)
