"""What Ray asks of the keys: an address it understands, resources it can hand out."""

import re
from collections.abc import Iterator

from kdsearch.config.models import Config
from kdsearch.config.problem import Problem
from kdsearch.errors import did_you_mean

PORT = re.compile(r"(ray://)?([^\s/:]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})")
PORTS = range(1, 65_536)
NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
WORDS = ("driver", "whole")
FOR_RAY = "is for Ray; set search.engine: ray-tune or ray-actors, or remove this"
RAYS_OWN = ("cpu", "gpu", "memory", "object_store_memory")


def cluster(config: Config) -> Iterator[Problem]:
    it, engine = config.ray, config.search.engine
    for key in ("address", "latency_node"):
        if getattr(it, key) is not None and engine == "in-process":
            yield ("ray", key), FOR_RAY
            return
    if it.address is not None and (wrong := address_problem(it.address)):
        yield ("ray", "address"), wrong
    elif is_client(it.address) and (engine != "ray-actors" or config.processes > 1):
        rule = "from outside only search.engine: ray-actors works, with processes: 1; "
        yield ("ray", "address"), f"{rule}run kdsearch on a node with auto"
    if wrong := gpu_problem(it.resources.gpu, config):
        yield ("ray", "resources", "gpu"), wrong
    if it.latency_node is not None and (wrong := node_problem(it.latency_node, engine)):
        yield ("ray", "latency_node"), wrong


def is_client(address: str | None) -> bool:
    return address is not None and address.startswith("ray://")


def address_problem(address: str) -> str | None:
    """Why this is no address of a cluster; whether there is one shows later."""
    if address == "auto":
        return None
    if found := PORT.fullmatch(address):
        return None if int(found[3]) in PORTS else "a port is a number from 1 to 65535"
    if address.startswith(("http://", "https://")):
        return "is the dashboard's; `kdsearch submit` takes that, this key auto or HOST:PORT"
    near = did_you_mean(address.lower(), ["auto"])
    way_out = near if near.startswith("did you mean") else "a head's own port is 6379"
    return f"must be auto, HOST:PORT or ray://HOST:PORT; {way_out}"


def gpu_problem(gpu: float | None, config: Config) -> str | None:
    """Why jobs cannot train on the config's device with this share of a GPU."""
    if gpu and gpu > 1 and gpu != int(gpu):
        return "more than one must be a whole number"
    if config.search.engine == "in-process":
        return FOR_RAY if gpu else None
    if gpu and config.device == "cpu":
        return "would be held by jobs that train on processors; set device: auto, or 0 here"
    if gpu == 0 and config.device == "cuda":
        return "gives jobs no GPU, which device: cuda asks for; set device: auto, or null here"
    return None


def node_problem(name: str, engine: str) -> str | None:
    """Why no node can be meant; whether there is one shows later."""
    if name == "whole" and engine != "ray-actors":
        return "works with search.engine: ray-actors; Ray Tune lets no node go meanwhile"
    if name in WORDS:
        return None
    if name.lower() in WORDS:
        return f"{did_you_mean(name.lower(), WORDS)}"
    if name.lower() in RAYS_OWN or not NAME.fullmatch(name):
        return (
            "must be driver, whole, or the name of a custom resource: "
            "ray start --num-cpus=0 --resources='{\"bench\": 1}' sets a node aside"
        )
    return None
