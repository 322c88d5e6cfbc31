import json

import onnx
import pytest
import torch
from torch import nn

from kdsearch.errors import ExportError
from kdsearch.export.onnx import Onnx
from kdsearch.export.onnx_models import checked
from kdsearch.export.original import converted, traced


@pytest.fixture(scope="module")
def folder(original, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    facts = Onnx().write(original, folder)
    assert facts == {"opset": 20, "ir_version": 10}
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return onnx.load(folder / "model.onnx")


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


def test_writing_leaves_the_shared_model_as_it_was(original, folder):
    assert not original.onnx.metadata_props


class Airy(nn.Module):
    """ONNX has no such function."""

    def forward(self, images):
        return torch.special.airy_ai(images)


def test_network_that_cannot_be_written_gives_one_line():
    program = traced(Airy().eval(), torch.ones(2, 3))
    with pytest.raises(ExportError, match="cannot be written as ONNX .*airy_ai") as caught:
        converted(program)
    assert str(caught.value).isprintable()


class Undecided(nn.Module):
    """Looks at its images before it decides: nothing to trace."""

    def forward(self, images):
        return images if images.sum() > 0 else -images


def test_network_that_cannot_be_traced_gives_one_line():
    with pytest.raises(ExportError, match="cannot be traced .*export it to safetensors") as bad:
        traced(Undecided().eval(), torch.ones(2, 3))
    assert str(bad.value).isprintable()


def test_numbers_in_other_files_are_not_read(model, tmp_path):
    forged = onnx.ModelProto()
    forged.CopyFrom(model)
    tensor = forged.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    (tmp_path / "model.onnx").write_bytes(forged.SerializeToString())
    with pytest.raises(ExportError, match="has numbers in files elsewhere; not opened"):
        checked(tmp_path / "model.onnx")
