"""docs/cluster.md and its files: they parse, and their commands are understood."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from kdsearch.arguments import parser
from kdsearch.config import read_config
from kdsearch.config.manifest import read_manifest
from kdsearch.spaces.marked import read_file

DOCS = Path(__file__).parents[1] / "docs"


def blocks(language: str) -> list[str]:
    text = (DOCS / "cluster.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [line for line in lines if line.startswith("kdsearch ")]


def test_the_rayjob_runs_our_command_on_its_one_volume(tmp_path: Path) -> None:
    job: dict[str, Any] = read_file(DOCS / "rayjob.yaml").content
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    program, *words = shlex.split(job["spec"]["entrypoint"])
    asked = parser().parse_args(words)
    assert (program, asked.verb) == ("kdsearch", "run")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        (mount,) = container["volumeMounts"]
        assert [volume["name"] for volume in pod["volumes"]] == [mount["name"]]
        assert all(p.startswith(f"{mount['mountPath']}/") for p in (asked.config, asked.out))
        assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in container["env"]
    assert groups[0]["rayStartParams"] == {"num-cpus": "0"}
    (tmp_path / "run.yaml").write_text("seed: 1")
    config = read_config(tmp_path / "run.yaml", asked.set)
    (gpus,) = (group["replicas"] for group in cluster["workerGroupSpecs"])
    assert (config.search.workers * config.ray.resources.gpu, config.device) == (gpus, "auto")


def test_the_launcher_takes_the_token_along_and_hides_the_dashboard() -> None:
    cluster: dict[str, Any] = read_file(DOCS / "cluster.yaml").content
    workers = cluster["provider"]["worker_ips"]
    assert cluster["min_workers"] == cluster["max_workers"] == len(workers)
    assert set(cluster["file_mounts"]) == {"~/.ray/auth_token"}
    (head,) = (c for c in cluster["head_start_ray_commands"] if "ray start" in c)
    (worker,) = (c for c in cluster["worker_start_ray_commands"] if "ray start" in c)
    assert "--dashboard-host=127.0.0.1" in head and "\n" not in head
    for command in (head, worker):
        assert command.startswith("RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 ray start ")


def test_the_manifest_is_one(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("seed: 1")
    (tmp_path / "many.yaml").write_text(blocks("yaml")[0])
    cells = read_manifest(tmp_path / "many.yaml").cells
    assert len(cells) == 2 * 2 * 2 * 2 * 3 + 1
    named = "digits--plain--resnet-tiny--onnxruntime--params-20pct"
    assert named in {cell.name for cell in cells}
    assert named in (DOCS / "cluster.md").read_text()


@pytest.mark.parametrize("command", commands())
def test_every_command_is_understood(command: str) -> None:
    assert parser().parse_args(shlex.split(command)[1:]).verb in ("run", "submit")


def test_there_are_commands() -> None:
    assert len(commands()) >= 2
