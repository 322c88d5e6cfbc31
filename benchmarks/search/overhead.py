"""What a trial costs beside its own work, by engine: `python benchmarks/search/overhead.py
[--trials 300] [--rounds 3] [--sampler tpe] [--memory 3000]`. Writes results/overhead.json and
prints the table. Takes a quiet machine.

Jobs do nothing but leave their result on disk. Held against Optuna alone: as many trials of the
same sampler asked, told and written to a journal, in one process. Of Ray the start is left out.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "speed"))
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])

from trivial import NOWHERE, OBJECTIVES, Timed, Trivial, parameters, search  # noqa: E402
from turns import machine  # noqa: E402

from kdsearch.core.progress import Silent  # noqa: E402
from kdsearch.engines import ENGINES  # noqa: E402
from kdsearch.engines.engine import Workshop  # noqa: E402
from kdsearch.search.study.mirror import directions  # noqa: E402
from kdsearch.search.study.samplers import SAMPLERS  # noqa: E402

GOALS_MS: Mapping[str, float] = {"in-process": 10.0, "ray-tune": 150.0, "ray-actors": 40.0}
"""At most so much above Optuna alone."""
GOAL_BYTES = 20_000
WORKERS: Mapping[str, int] = {"in-process": 1, "ray-tune": 2, "ray-actors": 2}
SETTLED = 500
"""Trials after which memory is looked at: what is loaded once is there by then."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sampler", default="tpe", choices=sorted(SAMPLERS))
    parser.add_argument("--memory", type=int, default=3000, help="trials; 0: not looked at")
    parser.add_argument("--engines", nargs="*", default=list(ENGINES), choices=list(ENGINES))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "overhead.json")
    asked = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    content = {
        "command": f"python benchmarks/search/overhead.py {' '.join(sys.argv[1:])}".strip(),
        "machine": machine(),
        "sampler": asked.sampler,
        "trials": asked.trials,
        "milliseconds": timed(asked.engines, asked.trials, asked.rounds, asked.sampler),
    }
    if asked.memory > SETTLED:
        content["memory"] = memory(asked.memory, asked.sampler)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(content, indent=1) + "\n")
    print("\n".join(lines(content)))


def timed(engines: Sequence[str], trials: int, rounds: int, sampler: str) -> dict[str, Any]:
    """By who does it milliseconds a trial, for each round; all take turns."""
    found: dict[str, list[float]] = {name: [] for name in ("optuna", *engines)}
    for _ in range(rounds):
        found["optuna"].append(alone(trials, sampler))
        for name in engines:
            found[name].append(worked_off(name, trials, sampler).milliseconds())
    return found


def alone(trials: int, sampler: str) -> float:
    """Optuna's ask, tell and journal: milliseconds a trial."""
    asked = parameters()
    with tempfile.TemporaryDirectory(prefix="kdsearch-") as folder:
        storage = JournalStorage(JournalFileBackend(str(Path(folder) / "optuna.journal")))
        study = optuna.create_study(
            storage=storage,
            directions=directions(OBJECTIVES),
            sampler=SAMPLERS[sampler].make(0, trials),
        )
        times = []
        for number in range(trials):
            study.tell(study.ask(asked), [number % 97 / 97, number % 89])
            times.append(time.perf_counter())
    return 1e3 * (times[-1] - times[0]) / (trials - 1)


def worked_off(engine: str, trials: int, sampler: str) -> Timed:
    """A search of trials that do nothing, by an engine."""
    with tempfile.TemporaryDirectory(prefix="kdsearch-") as folder:
        source = Timed(search(Path(folder), trials, sampler))
        ENGINES[engine](source, Workshop(NOWHERE, WORKERS[engine], Silent(), make=Trivial))
    assert len(source.told) == trials
    return source


def memory(trials: int, sampler: str) -> dict[str, Any]:
    """Bytes that the driver holds more with every trial: the slope of a line through them."""
    held = worked_off("in-process", trials, sampler).bytes[SETTLED:]
    slope = np.polyfit(np.arange(len(held)), held, 1)[0]
    return {"trials": trials, "bytes_per_trial": float(slope), "goal": GOAL_BYTES}


def lines(content: Mapping[str, Any]) -> list[str]:
    """The table for README.md."""
    found = content["milliseconds"]
    base = statistics.median(found["optuna"])
    held = f"Optuna alone, {content['sampler']}, {content['trials']} trials"
    rows = [
        "| who | workers | ms a trial | above Optuna | goal |",
        "|---|---|---|---|---|",
        f"| {held} | 1 | {base:.1f} | | |",
    ]
    for name in (one for one in found if one != "optuna"):
        above = statistics.median(
            a - b for a, b in zip(found[name], found["optuna"], strict=True)
        )
        whole, goal = statistics.median(found[name]), GOALS_MS[name]
        rows.append(f"| {name} | {WORKERS[name]} | {whole:.1f} | {above:.1f} | {goal:.0f} |")
    if "memory" in content:
        kilo = content["memory"]["bytes_per_trial"] / 1e3
        rows.append(
            f"\nDriver memory: {kilo:.1f} kB a trial over {content['memory']['trials']} trials "
            f"(goal: {GOAL_BYTES / 1e3:.0f} kB)."
        )
    return rows


if __name__ == "__main__":
    main()
