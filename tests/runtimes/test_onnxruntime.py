import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from kdsearch.runtimes.onnxruntime import session, traced


def test_probe_has_the_names_and_the_shape_it_was_traced_with():
    model = onnx.load_from_string(traced(nn.Linear(3, 2), torch.zeros(4, 3)))
    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    assert [d.dim_value for d in images.type.tensor_type.shape.dim] == [4, 3]


@pytest.mark.parametrize("threads", [1, 2])
def test_session_is_pinned_sequential_and_does_not_spin(monkeypatch, threads):
    seen = []

    def spy(model, options, providers):
        seen.append(options)
        assert providers == ["CPUExecutionProvider"]

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    session(b"", threads=threads)
    (options,) = seen
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    for pool in ("intra", "inter"):
        assert options.get_session_config_entry(f"session.{pool}_op.allow_spinning") == "0"
