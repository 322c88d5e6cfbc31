"""What holds for every runtime of the table: where it can run, and where it cannot.

A runtime that this machine lacks something for is left out of the first kind, and says why.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kdsearch.errors import UserError
from kdsearch.runtimes import RUNTIMES, ready, refusal, runtime
from kdsearch.runtimes.placed import LAYOUTS, PRECISIONS
from kdsearch.runtimes.runtime import Calling, Prepared

BATCH = 5
CALLINGS = [
    pytest.param(name, Calling(1, precision, layout), id=f"{name}-{precision}-{layout}")
    for name, r in RUNTIMES.items()
    for precision, layout in itertools.product(r.precisions, r.layouts)
]
TOLERANCE = {"float32": 1e-5, "bf16": 3e-2}
"""bfloat16 rounds to eight bits."""

Given = tuple[nn.Module, Tensor, Prepared]


@pytest.fixture(scope="module")
def given(network: Callable[[], nn.Module]) -> Callable[[str, Calling], Given]:
    """A network, images and the network as prepared for them; each calling is made once."""
    made: dict[tuple[str, Calling], Given] = {}

    def make(name: str, calling: Calling) -> Given:
        if lacking := RUNTIMES[name].lacks(calling):
            pytest.skip(f"{name}: {lacking}")
        if (name, calling) not in made:
            net = network()
            images = torch.randn(BATCH, 2, 6, 6)
            made[name, calling] = net, images, RUNTIMES[name].prepare(net, images, calling)
        return made[name, calling]

    return make


@pytest.mark.parametrize(("name", "calling"), CALLINGS)
def test_computes_what_the_network_computes_in_evaluation_mode(
    given: Any, name: str, calling: Calling
) -> None:
    net, images, prepared = given(name, calling)
    assert net.training
    with torch.no_grad():
        expected = nn.Sequential(*net).eval()(images).numpy()
    net.train()
    actual = prepared.call(images.numpy())
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, atol=TOLERANCE[calling.precision])


@pytest.mark.parametrize("name", RUNTIMES)
def test_bf16_is_not_float32_in_disguise(given: Any, name: str) -> None:
    if "bf16" not in RUNTIMES[name].precisions:
        assert "precision: bf16" in refusal(RUNTIMES[name], Calling(precision="bf16"))
        return
    _, images, coarse = given(name, Calling(precision="bf16"))
    _, _, fine = given(name, Calling())
    assert not np.allclose(coarse.call(images.numpy()), fine.call(images.numpy()), atol=1e-6)


@pytest.mark.parametrize("name", RUNTIMES)
def test_images_laid_out_otherwise_are_taken(given: Any, name: str) -> None:
    _, images, prepared = given(name, Calling())
    turned = images.contiguous(memory_format=torch.channels_last)
    actual = prepared.call(turned.numpy())
    np.testing.assert_allclose(actual, prepared.call(images.numpy()), atol=1e-5)


@pytest.mark.parametrize("name", RUNTIMES)
def test_later_changes_of_the_network_do_not_show(given: Any, name: str) -> None:
    net, images, prepared = given(name, Calling())
    before, weight = prepared.call(images.numpy()), net[4].weight.detach().clone()
    nn.init.zeros_(net[4].weight)
    np.testing.assert_array_equal(prepared.call(images.numpy()), before)
    net[4].weight.data.copy_(weight)


@pytest.mark.parametrize("name", RUNTIMES)
def test_logits_of_an_earlier_call_stay(given: Any, name: str) -> None:
    _, images, prepared = given(name, Calling())
    before = prepared.call(images.numpy())
    kept = before.copy()
    prepared.call(images.numpy() + 1)
    np.testing.assert_array_equal(before, kept)


@pytest.mark.parametrize("name", RUNTIMES)
def test_says_nothing_and_keeps_the_thread_count(given: Any, name: str, capfd: Any) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        _, images, prepared = given(name, Calling())
        prepared.call(images.numpy())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_clock_of_its_own_tells_seconds(given: Any, name: str) -> None:
    _, images, prepared = given(name, Calling())
    assert (prepared.seconds is not None) == name.startswith("cuda-")
    if prepared.seconds is not None:
        assert 0 < prepared.seconds(images.numpy()) < 1


@pytest.mark.parametrize("name", RUNTIMES)
def test_has_a_version_where_it_can_run(name: str) -> None:
    assert runtime(name).name == name
    if lacking := RUNTIMES[name].lacks(Calling()):
        pytest.skip(f"{name}: {lacking}")
    assert ready(name, Calling()).version()[0].isdigit()


@pytest.mark.parametrize("name", RUNTIMES)
def test_what_this_machine_lacks_is_said_in_one_line(name: str) -> None:
    lacking = RUNTIMES[name].lacks(Calling())
    if not lacking:
        assert ready(name, Calling()) is RUNTIMES[name]
        return
    with pytest.raises(UserError) as refused:
        ready(name, Calling())
    assert str(refused.value) == f"latency.runtime: {name}: {lacking}"
    assert "\n" not in lacking


@pytest.mark.parametrize("name", RUNTIMES)
def test_what_it_does_not_honour_is_refused_whatever_the_machine(name: str) -> None:
    found = RUNTIMES[name]
    for precision, layout in itertools.product(PRECISIONS, LAYOUTS):
        is_its_own = precision in found.precisions and layout in found.layouts
        assert (refusal(found, Calling(1, precision, layout)) == "") == is_its_own
    assert (refusal(found, Calling(threads=2)) == "") != found.on_gpu


def test_a_refusal_names_runtimes_that_do() -> None:
    with pytest.raises(UserError) as refused:
        ready("onnxruntime", Calling(precision="bf16"))
    assert str(refused.value) == (
        "latency.runtime: onnxruntime: precision: bf16 is not among its own (float32); "
        "runtimes with it: eager, compile, openvino, cuda-events, cuda-graphs"
    )
    with pytest.raises(UserError, match="layout: channels_last .* with it: eager, compile"):
        ready("openvino", Calling(layout="channels_last"))
    with pytest.raises(UserError, match="precision: bf6 .* did you mean 'bf16'"):
        ready("eager", Calling(precision="bf6"))


def test_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown runtime 'onnxruntme'.*'onnxruntime'"):
        runtime("onnxruntme")
