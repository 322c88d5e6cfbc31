"""Stage `supernet` by ways of drawing and teaching, on digits, to weights on disk."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.core.records import Architecture
from kdsearch.errors import UserError
from kdsearch.files import read_json
from kdsearch.nets import FAMILIES
from kdsearch.nets.stored import stored_weights
from kdsearch.rundir import RunDir
from kdsearch.spaces import load_space

SHORT = {"epochs": 1}
LEARNED = {"training": "generic", "epochs": 1, "distribution": {"loss": "capability"}}
UNTAUGHT = {"training": "none"}
WAYS: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "policy learned": ({"policy": "learned"}, LEARNED),
    "policy latency_weighted": ({"policy": "latency_weighted"}, SHORT),
    "lightskd alone": ({"method": "lightskd", "others": "same"}, UNTAUGHT),
    "evolutionary from scratch": ({"method": "evolutionary", "others": "same"}, UNTAUGHT),
    "both targets, adaptive": (
        {
            "targets": "both",
            "others": "alpha_divergence",
            "clip_value": 1.0,
            "reduction": "mean",
            "average": True,
        },
        SHORT,
    ),
    "shrinking": ({"shrink": ["depth", "width"]}, SHORT),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_supernet_comes_out(
    way: str, tiny: Callable[..., dict[str, Any]], go: Callable[..., RunDir], tmp_path: Path
) -> None:
    supernet, teacher = WAYS[way]
    methods = ["hard"] if teacher is UNTAUGHT else ["soften", "hard"]
    config = tiny(
        supernet={"epochs": 1, **supernet}, teacher={**teacher}, distill={"methods": methods}
    )
    run = go(config, tmp_path / "run", until="supernet")
    folder = Path(run.facts()["supernet"])
    space = load_space("resnet-tiny")
    net = FAMILIES[space.family].supernet(space.space, 1, 10)
    net.load_state_dict(stored_weights(folder / "supernet.safetensors"))
    out = net.eval()(torch.randn(2, 1, 8, 8), Architecture.of(space.space.largest()))
    assert bool(torch.isfinite(out.logits).all())
    curve = read_json(folder / "supernet.json")["curve"]
    assert curve[-1][1] < curve[0][1]
    rule = read_json(folder / "key.json")["rule"]
    assert rule["policy"] == supernet.get("policy", "sandwich")


def test_what_cannot_teach_a_supernet_is_one_line(
    tiny: Callable[..., dict[str, Any]], go: Callable[..., RunDir], tmp_path: Path
) -> None:
    config = tiny(supernet={"epochs": 1, "method": "multi_level"})
    with pytest.raises(UserError, match="a method for a supernet cannot ask for views"):
        go(config, tmp_path / "run", until="supernet")
