from types import SimpleNamespace

import onnxruntime
import pytest

from kdsearch.errors import UserError
from kdsearch.runtimes.session import session


def opens(monkeypatch, has):
    """Stands for ONNX Runtime on a machine that `has` these providers; notes what was asked."""
    seen = []

    def open_session(model, options, providers):
        seen.append((options, providers))
        return SimpleNamespace(get_providers=lambda: has)

    monkeypatch.setattr(onnxruntime, "InferenceSession", open_session)
    return seen


@pytest.mark.parametrize("threads", [1, 2])
def test_session_is_pinned_sequential_and_does_not_spin(monkeypatch, threads):
    seen = opens(monkeypatch, ["CPUExecutionProvider"])
    session(b"", threads=threads)
    ((options, providers),) = seen
    assert providers == ["CPUExecutionProvider"]
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    for pool in ("intra", "inter"):
        assert options.get_session_config_entry(f"session.{pool}_op.allow_spinning") == "0"


def test_falling_back_to_the_processor_is_an_error(monkeypatch):
    asked = ("CUDAExecutionProvider",)
    seen = opens(monkeypatch, ["CPUExecutionProvider"])
    with pytest.raises(UserError, match="cannot start CUDAExecutionProvider"):
        session(b"", threads=1, providers=asked)
    opens(monkeypatch, [*asked, "CPUExecutionProvider"])
    session(b"", threads=1, providers=asked)
    assert seen[0][1] == list(asked)
