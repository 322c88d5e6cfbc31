"""What a config says of Ray, in the engines' own terms."""

from kdsearch.config import Config
from kdsearch.core.progress import Progress
from kdsearch.engines.cluster import DRIVER, Cluster
from kdsearch.engines.ray_latency import Node
from kdsearch.engines.ray_room import gpus_there
from kdsearch.pipeline.context import Context
from kdsearch.search.setting import AUTO


def cluster_of(config: Config) -> Cluster:
    it = config.ray
    return Cluster(it.address, it.resources.cpu, it.resources.gpu, it.latency_node or DRIVER)


def is_open(config: Config) -> bool:
    """Whether jobs train on what Ray gives their workers, whatever the driver has."""
    return config.device == "auto" and config.search.engine != "in-process"


def device_of_jobs(context: Context) -> str:
    return AUTO if is_open(context.config) else context.device


def precision_of_jobs(context: Context) -> str:
    """The driver's, unless jobs may train on another device than the driver does.

    GPUs of other nodes are taken to have bf16.

    Raises:
        UserError: the cluster does not answer that has to be asked for its GPUs.
    """
    config = context.config
    if config.precision != "auto" or not is_open(config):
        return context.precision
    gpu = config.ray.resources.gpu
    if gpu is None:
        gpu = gpus_there(config.search.workers, cluster_of(config))
    if not gpu:
        return "float32"
    return context.precision if context.device == "cuda" else "bf16"


def node_of(config: Config, progress: Progress) -> Node | None:
    """Where a search's latencies are measured; None: in this process."""
    cluster = cluster_of(config)
    if config.search.engine == "in-process" or cluster.latency_node == DRIVER:
        return None
    return Node(cluster, config.search.workers, progress)
