import json

import onnx
import pytest
import torch
from torch import nn

from kdsearch.errors import ExportError
from kdsearch.export.onnx import Onnx, exported


@pytest.fixture(scope="module")
def model(student, spec, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    (path,) = Onnx().write(student, spec, images, folder)
    return onnx.load(path)


def test_is_valid_and_takes_any_batch(model):
    onnx.checker.check_model(model, full_check=True)
    (images,) = model.graph.input
    first, *rest = images.type.tensor_type.shape.dim
    assert (images.name, first.dim_param, first.dim_value) == ("images", "batch", 0)
    assert [d.dim_value for d in rest] == [2, 8, 8]
    assert [out.name for out in model.graph.output] == ["logits"]


def test_tells_nothing_of_the_machine_it_was_written_on(model):
    assert b".py" not in model.SerializeToString()


def test_carries_the_spec(model, spec):
    (entry,) = model.metadata_props
    assert entry.key == "kdsearch"
    assert json.loads(entry.value) == spec


class Airy(nn.Module):
    """ONNX has no such function."""

    def forward(self, images):
        return torch.special.airy_ai(images)


def test_network_that_cannot_be_written_gives_one_line():
    with pytest.raises(ExportError, match="cannot be written as ONNX .*airy_ai") as caught:
        exported(Airy().eval(), torch.ones(2, 3))
    assert str(caught.value).isprintable()
