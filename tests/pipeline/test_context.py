"""What a run is given before its first stage: what the machine cannot do is said at once."""

import os
from pathlib import Path

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.errors import ConfigError
from kdsearch.pipeline.context import open_context, training_threads

TOO_MANY = (os.cpu_count() or 1) + 1


@pytest.mark.parametrize(
    "content",
    [
        {"threads": TOO_MANY},
        {"latency": {"threads": TOO_MANY}},
        {"latency": [{"name": "server"}, {"name": "edge", "threads": TOO_MANY}]},
    ],
)
def test_more_threads_than_processors_are_refused(content: dict, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"threads: {TOO_MANY}, but this machine has"):
        open_context(parse_config(content), tmp_path / "run", Silent())


def test_threads_of_rays_workers_are_their_machines_matter(tmp_path: Path) -> None:
    config = parse_config({"threads": TOO_MANY, "search": {"engine": "ray-tune"}})
    assert open_context(config, tmp_path / "run", Silent()).config.threads == TOO_MANY


def test_the_threads_are_given_back() -> None:
    import torch

    before = torch.get_num_threads()
    with training_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_the_plan_of_a_stage_counts_whole_batches(tmp_path: Path) -> None:
    config = parse_config({"distill": {"epochs": 3, "batch_size": 64}})
    context = open_context(config, tmp_path / "run", Silent())
    plan = context.plan(config.distill, "distill", 200)
    assert (plan.steps, plan.batch_size) == (9, 64)
    assert context.plan(config.distill, "distill", 50).batch_size == 50
    assert context.plan(config.distill, "teacher", 200).seed != plan.seed
