import onnx
import torch
from torch import nn

from kdsearch.runtimes.traced import traced


def test_probe_has_the_names_and_the_shape_it_was_traced_with():
    model = onnx.load_from_string(traced(nn.Linear(3, 2), torch.zeros(4, 3)))
    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    assert [d.dim_value for d in images.type.tensor_type.shape.dim] == [4, 3]
