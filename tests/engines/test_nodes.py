"""A search on several nodes: one goes in the middle of it, and nothing is lost."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.engines import ray_start
from kdsearch.engines.ray_device import WITHOUT_TORCH
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]

TOKEN = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
    "OMP_NUM_THREADS": "1",
}
PLANS: dict[str, Any] = {
    "distill": {"epochs": 12},
    "search": {"workers": 4, "trials": 10, "batch_size": 5, "screen_layers": 9},
}
"""Trials that take a while, four at a time."""

LOSES_A_NODE = '''
"""Three nodes on this machine, a search on them; one is killed with a job on it."""
import json, os, sys, threading, time
from pathlib import Path

from kdsearch.engines.ray_start import QUIET
os.environ.update(QUIET)
from ray._private.state import actors
from ray.cluster_utils import Cluster

from kdsearch.config import parse_config
from kdsearch.core.progress import Noting, Silent
from kdsearch.engines.ray_actors import Foreman
from kdsearch.engines.ray_watch import Watch
from kdsearch.pipeline.run import run
from kdsearch.pipeline.trials import trials
from kdsearch.search.climb import Climb

config, out = json.loads(sys.argv[1]), Path(sys.argv[2])
cluster = Cluster(
    initialize_head=True,
    head_node_args={"num_cpus": 0, "resources": {"bench": 1}, "include_dashboard": False},
)
nodes = [cluster.add_node(num_cpus=2, num_gpus=1) for _ in range(2)]
config["ray"] |= {"address": cluster.address, "latency_node": "bench"}
told, lost, said = [], [], Noting(Silent())

def tell(self, result, tell=Climb.tell):
    told.append(result.job)
    tell(self, result)

def take(self, jobs, results, is_lost, take=Foreman.take):
    if is_lost:
        lost.append([job.name for job in jobs])
    take(self, jobs, results, is_lost)

def recovers(self, iteration, trials, trial, noted=Watch.on_trial_recover):
    lost.append(trial.config["job"]["name"])
    noted(self, iteration, trials, trial)

Climb.tell, Foreman.take, Watch.on_trial_recover = tell, take, recovers

def of_trials(name):
    return {path.parent for path in out.glob(f"trials/*/{name}")}

def crowded():
    # more jobs are under way than actors live elsewhere
    jobs = len(of_trials("candidate.json") - of_trials("rung1.json"))
    homes = [a["Address"]["NodeID"] for a in actors().values() if a["State"] == "ALIVE"]
    return [n for n in nodes if jobs > sum(home != n.node_id for home in homes)]

def kill():
    while not of_trials("rung1.json") or not (found := crowded()):
        time.sleep(0.02)
    cluster.remove_node(found[0], allow_graceful=False)

threading.Thread(target=kill, daemon=True).start()
done = run(parse_config(config), out, said, until="search")
print(json.dumps({
    "told": told,
    "lost": lost,
    "said": said.lines,
    "nodes": len(cluster.list_all_nodes()),
    "states": [[t.state, t.reason] for t in trials(done)],
}))
cluster.shutdown()
'''


@pytest.mark.parametrize("engine", ["ray-actors", "ray-tune"])
def test_a_node_that_goes_takes_no_trial_along(
    finished: RunDir, tiny: Any, engine: str, tmp_path: Path
) -> None:
    """Latencies come from the head, which has no processors and so no trials."""
    config = tiny(**PLANS, ray={"resources": {"cpu": 1, "gpu": 0.5}}, device="auto")
    config["search"] |= {"engine": engine, "objectives": ["accuracy", "latency_ms"]}
    done = subprocess.run(
        [sys.executable, "-c", LOSES_A_NODE, json.dumps(config), str(tmp_path / "run")],
        env={**os.environ, **TOKEN},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["nodes"] == 2
    assert len(found["states"]) == 10
    assert {state for state, _ in found["states"]} <= {"complete", "stopped"}, found["states"]
    assert len(found["told"]) == len(set(found["told"]))
    assert found["lost"]
    assert torch.cuda.is_available() or found["said"].count(WITHOUT_TORCH) == 1


ALONE = ("unshare", "--net", "--pid", "--fork", "--mount-proc")
"""A network and processes of our own; all end with the first one."""
TWO_NODES = '''
"""A head without GPUs and a node with one, started as people start them; a search on them."""
import fcntl, socket, struct, subprocess, sys

with socket.socket() as some:
    up = struct.pack("16sh14x", b"lo", 1 | 64)
    fcntl.ioctl(some, 0x8914, up)  # SIOCSIFFLAGS: the loopback is up and running

ray, short, config, out = sys.argv[1:]
here = "--node-ip-address=127.0.0.1"
head = ["--head", "--port=6399", "--num-cpus=1", "--include-dashboard=false"]
for words in ([*head, f"--temp-dir={short}"], ["--address=127.0.0.1:6399", "--num-gpus=1"]):
    subprocess.run([ray, "start", here, *words], check=True, stdout=sys.stderr)
command = [sys.executable, "-m", "kdsearch", "run", config, "--out", out, "--until", "search"]
sys.exit(subprocess.run(command).returncode)
'''


def alone() -> Sequence[str] | None:
    """The way into a network of our own that this machine allows, if it allows any."""
    if shutil.which(ALONE[0]) is None:
        return None
    for more in ((), ("--map-root-user",)):
        way = [*ALONE, *more]
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    return None


def test_two_nodes_started_by_hand(finished: RunDir, tiny: Any, tmp_path: Path) -> None:
    way = alone()
    if way is None:
        pytest.skip("no network namespace of the test's own: unshare is missing or refused")
    config = tiny(
        search={"engine": "ray-actors", "workers": 2},
        ray={"address": "127.0.0.1:6399", "resources": {"cpu": 0.5, "gpu": 0.5}},
        device="auto",
    )
    path, ray = tmp_path / "run.json", Path(sys.executable).with_name("ray")
    surroundings = {n: v for n, v in os.environ.items() if n not in ray_start.ALONE}
    path.write_text(json.dumps(config))
    with tempfile.TemporaryDirectory(prefix="kd-") as short:  # sockets have short names
        done = subprocess.run(
            [*way, sys.executable, "-c", TWO_NODES]
            + [str(ray), short, str(path), str(tmp_path / "run")],
            env={**surroundings, **TOKEN, "RAY_USAGE_STATS_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    states = {trial.state for trial in trials(RunDir(tmp_path / "run"))}
    assert states <= {"complete", "stopped"} and "complete" in states
