"""Processes that train together as workers of Ray Train, on the cluster the search runs on."""

import tempfile
from collections.abc import Callable
from typing import Any

from kdsearch.engines.ray_start import own_handlers, started
from kdsearch.engines.team import Order, Team

MESSAGES = {False: "gloo", True: "cpu:gloo,cuda:nccl"}
PATIENCE_S = 7 * 24 * 3600


def start_with_ray(work: Callable[[Order], None], order: Order, team: Team) -> None:
    """See `Start`. Ray Train sets up the process group itself."""
    with started(team.processes, team.cluster):
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        with tempfile.TemporaryDirectory(prefix="kdsearch-train-") as scratch, own_handlers():
            TorchTrainer(
                take_place,
                train_loop_config={"work": work, "order": order, "gpus": team.gpus},
                torch_config=TorchConfig(MESSAGES[team.gpus], timeout_s=PATIENCE_S),
                scaling_config=ScalingConfig(num_workers=team.processes, use_gpu=team.gpus),
                run_config=RunConfig(storage_path=scratch, name="kdsearch"),
            ).fit()


def take_place(told: dict[str, Any]) -> None:
    if told["gpus"]:
        import torch
        from ray.train.torch import get_device

        torch.cuda.set_device(get_device())
    told["work"](told["order"])
