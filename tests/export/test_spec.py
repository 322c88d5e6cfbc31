import pytest

from kdsearch.export.spec import MOST_LAYERS, is_spec, own_code


def test_what_we_write_is_one(spec):
    assert is_spec(spec)
    assert is_spec(spec | {"source": "abc"})
    assert is_spec(spec | {"size": 2_896})
    assert is_spec(spec | {"architecture": {"kind": "wide", "resolution": 2_896}})
    assert is_spec(spec | {"family": None, "origin": {"network": "timm:x", "weights": None}})


@pytest.mark.parametrize(
    "changed",
    [
        {"family": 5},
        {"family": None},
        {"architecture": {"stage1.depth": MOST_LAYERS + 1}},
        {"architecture": {"stage1.depth": MOST_LAYERS, "stage2.depth": 1}},
        {"architecture": {"stage1.width": 65_537}},
        {"architecture": {"stage1.width": -1}},
        {"architecture": {"stage1.width": float("nan")}},
        {"architecture": {"stage1.width": 10**400}},
        {"architecture": []},
        {"architecture": {"stage1.depth": "100000000"}},
        {"architecture": {"stage1.width": " 1_000_000 "}},
        {"architecture": {"stage1.width": "inf"}},
        {"architecture": {"resolution": 2_897}},
        {"size": 2_897},
        {"channels": 0},
        {"channels": True},
        {"channels": 3},
        {"classes": []},
        {"classes": [1]},
        {"size": 8.5},
        {"mean": ["a", "b"]},
        {"std": [1.0]},
        {"origin": {"network": "timm:x"}},
        {"origin": {"network": "timm:x", "weights": None, "size": 2_897}},
        {"origin": {"network": "timm:x", "weights": None, "architecture": {"a.depth": "9"}}},
        {"origin": {"network": "timm:x", "weights": "x"}},
        {"origin": {"network": "timm:x", "weights": None, "code": 1}},
        {"origin": {"network": "family", "family": "resnet", "weights": None}},
    ],
)
def test_what_is_none(spec, changed):
    assert not is_spec(spec | changed)
    assert not is_spec([])


def test_missing_keys(spec):
    for key in spec:
        assert not is_spec({name: value for name, value in spec.items() if name != key})


def test_whose_code_it_takes(spec):
    assert own_code(spec) is None
    assert own_code(spec | {"family": "module:a:b"}) == "module:a:b"
    assert own_code(spec | {"origin": {"network": "torchvision:resnet18"}}) is None
    assert own_code(spec | {"origin": {"network": "module:a:b"}}) == "module:a:b"


@pytest.mark.parametrize("name", ["module:a:b", "checkpoint:a", "object"])
def test_code_is_found_wherever_a_spec_names_it(spec, name):
    brought = {"network": "torchvision:resnet18", "family": "resnet", "weights": None}
    for key in ("network", "family"):
        assert own_code(spec | {"origin": brought | {key: name}}) == name
    assert own_code(spec | {"origin": brought, "family": name}) == name
