import json

import onnxruntime
import pytest
import torch

from kdsearch.errors import UserError
from kdsearch.measure.fingerprint import fingerprint, processor
from kdsearch.measure.latency import Target


def test_names_what_a_latency_depends_on():
    found = fingerprint(Target("laptop", "onnxruntime", threads=2, batch_size=8))
    assert found["runtime_version"] == onnxruntime.__version__
    assert found["torch_version"] == str(torch.__version__)
    assert (found["threads"], found["batch_size"], found["precision"]) == (2, 8, "float32")
    assert found["device"]
    assert json.loads(json.dumps(found)) == found


def test_processor_is_the_models_name_or_at_least_its_kind(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Fast: 9000\n")
    assert processor(info) == "Fast: 9000"
    info.write_text("processor\t: 0\n")
    assert processor(info) == processor(tmp_path / "absent") != ""


def test_unknown_runtime_is_the_users_error():
    with pytest.raises(UserError, match="egaer"):
        fingerprint(Target("laptop", "egaer"))
