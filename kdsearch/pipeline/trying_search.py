"""What only a search needs, tried out before hours go into teacher and supernet (ours)."""

import math

import torch

from kdsearch.config import Config
from kdsearch.config.targets import targets_of
from kdsearch.engines.cluster import DRIVER
from kdsearch.engines.ray_start import address_of, is_up, started
from kdsearch.errors import UserError
from kdsearch.pipeline.cluster import cluster_of
from kdsearch.pipeline.context import Context
from kdsearch.pipeline.costs import target_of
from kdsearch.pipeline.search import pool_of
from kdsearch.pipeline.starts import starts_within
from kdsearch.places import Remote, try_out
from kdsearch.runtimes import ready


def try_out_search(context: Context) -> None:
    """Leaves nothing behind.

    Raises:
        UserError: no start points in `search.start_from`, nothing can be written at
            `search.weights`, this machine cannot run a target, nobody answers at
            `ray.address`, or this machine lacks the GPUs.
    """
    starts_within(context, pool_of(context))
    try_out_targets(context.config)
    try_out_weights(context.config)
    if context.config.search.engine != "in-process":
        try_out_cluster(context.config)


def try_out_targets(config: Config) -> None:
    """Those that are measured here: another node says later what it cannot do."""
    if cluster_of(config).latency_node == DRIVER:
        for one in (t for t in targets_of(config) if t.profile is None):
            ready(one.runtime, target_of(one).calling)


def try_out_weights(config: Config) -> None:
    url = config.search.weights
    if url is None:
        return
    try:
        try_out(Remote(url))
    except UserError as error:
        raise UserError(f"search.weights = '{url}': {error}") from error


def try_out_cluster(config: Config) -> None:
    cluster = cluster_of(config)
    if is_up():
        return
    if address_of(cluster) is None:
        there, asked = torch.cuda.device_count(), math.ceil(cluster.gpu or 0)
        if asked > there:
            raise UserError(
                f"ray.resources.gpu = {cluster.gpu:g}: this machine has {there or 'no'} GPU; "
                "set null or 0, or name a cluster that has more in ray.address"
            )
        return
    with started(config.search.workers, cluster):
        pass  # it answers, and to us
