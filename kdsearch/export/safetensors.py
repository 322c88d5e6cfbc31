"""Weights as safetensors and a config.json to build the network again in PyTorch."""

from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from kdsearch.export.format import Spec
from kdsearch.export.rebuild import rebuilt
from kdsearch.files import read_json, write_bytes, write_json
from kdsearch.nets.logits import Logits, bare
from kdsearch.runtimes.eager import Eager
from kdsearch.runtimes.runtime import Call, Calling


class Safetensors:
    name = "safetensors"

    def write(
        self, student: nn.Module, spec: Spec, example: Tensor, folder: Path
    ) -> list[Path]:
        """See `Format.write`: model.safetensors and config.json."""
        weights, config = folder / "model.safetensors", folder / "config.json"
        tensors = {
            name: tensor.contiguous() for name, tensor in bare(student).state_dict().items()
        }
        write_bytes(weights, safetensors.torch.save(tensors))
        write_json(config, spec)
        return [weights, config]

    def load(self, folder: Path) -> Call:
        """See `Format.load`: PyTorch, eager."""
        spec: Spec = read_json(folder / "config.json")
        student = bare(rebuilt(spec))
        student.load_state_dict(safetensors.torch.load_file(folder / "model.safetensors"))
        example = torch.zeros(1, spec["channels"], spec["size"], spec["size"])
        return Eager().prepare(Logits(student), example, Calling()).call
