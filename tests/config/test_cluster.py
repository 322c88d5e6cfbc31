"""What the section `ray` may say, and what is said where it says something else."""

from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.errors import ConfigError


def read(ray: dict[str, Any], engine: str = "ray-actors", **more: Any) -> Any:
    return parse_config({"search": {"engine": engine}, "ray": ray, **more}).ray


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "head.lan:6379", "[::1]:6379"])
@pytest.mark.parametrize("engine", ["ray-tune", "ray-actors"])
def test_a_cluster_has_an_address(address: str, engine: str) -> None:
    assert read({"address": address}, engine).address == address


def test_nothing_said_is_ray_on_this_machine() -> None:
    found = read({})
    assert (found.address, found.latency_node) == (None, None)
    assert (found.resources.cpu, found.resources.gpu) == (1, None)


@pytest.mark.parametrize("node", ["driver", "whole", "bench", "lab_1"])
def test_latencies_have_a_node(node: str) -> None:
    assert read({"latency_node": node}).latency_node == node


@pytest.mark.parametrize("resources", [{"cpu": 4, "gpu": 0.25}, {"gpu": 2}, {"gpu": 0}])
def test_a_job_takes_its_share(resources: dict[str, float]) -> None:
    found = read({"resources": resources}).resources
    assert found.model_dump(exclude_unset=True) == resources


@pytest.mark.parametrize(
    ("ray", "words"),
    [
        ({"address": "Auto"}, ["ray.address = 'Auto'", "did you mean 'auto'?"]),
        (
            {"address": "10.0.0.1"},
            ["ray.address", "ray://HOST:PORT; a head's own port is 6379"],
        ),
        ({"address": "10.0.0.1:0"}, ["a port is a number from 1 to 65535"]),
        ({"address": "ray://head:65536"}, ["a port is a number from 1 to 65535"]),
        ({"address": "http://10.0.0.1:8265"}, ["kdsearch submit"]),
        ({"adress": "auto"}, ["did you mean 'address'?"]),
        ({"resources": {"gpus": 1}}, ["did you mean 'gpu'?"]),
        ({"resources": {"gpu": 1.5}}, ["ray.resources.gpu", "whole number"]),
        ({"resources": {"cpu": 0}}, ["ray.resources.cpu"]),
        ({"latency_node": "Whole"}, ["did you mean 'whole'?"]),
        ({"latency_node": "CPU"}, ["ray.latency_node", "custom resource"]),
        ({"latency_node": "my node"}, ["ray.latency_node", "custom resource"]),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_out(
    ray: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(ray)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("gpu", "device", "words"),
    [
        (0.25, "cpu", "held by jobs that train on processors; set device: auto, or 0"),
        (0, "cuda", "no GPU, which device: cuda asks for; set device: auto, or null"),
    ],
)
def test_a_share_of_a_gpu_and_the_device_agree(gpu: float, device: str, words: str) -> None:
    ray = {"resources": {"gpu": gpu}}
    for engine in ("ray-tune", "ray-actors"):
        with pytest.raises(ConfigError, match=rf"ray\.resources\.gpu = {gpu}: .*{words}"):
            read(ray, engine, device=device)
    other = {"cpu": "cuda", "cuda": "cpu"}[device]
    for engine, allowed in (("ray-tune", "auto"), ("ray-tune", other)):
        assert read(ray, engine, device=allowed).resources.gpu == gpu


@pytest.mark.parametrize(
    "ray", [{"address": "auto"}, {"latency_node": "bench"}, {"resources": {"gpu": 0.5}}]
)
def test_a_cluster_is_of_no_use_in_process(ray: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="set search.engine: ray-tune or ray-actors"):
        read(ray, "in-process")


def test_from_outside_only_actors_work() -> None:
    outside = {"address": "ray://10.0.0.1:10001"}
    assert read(outside).address == outside["address"]
    with pytest.raises(ConfigError, match="only search.engine: ray-actors works"):
        read(outside, "ray-tune")
    with pytest.raises(ConfigError, match="with processes: 1"):
        read(outside, processes=2)


def test_tune_leaves_no_node_whole() -> None:
    with pytest.raises(ConfigError, match="works with search.engine: ray-actors"):
        read({"latency_node": "whole"}, "ray-tune")


def test_an_engine_is_one_of_three() -> None:
    with pytest.raises(ConfigError, match="did you mean 'ray-actors'"):
        read({}, "ray-actor")
