"""Does a generic teacher's training help its students? The tables of README.md.

`python benchmarks/generic-teacher/run.py DATA_ROOT [--only cifar] [--out runs/generic-teacher]`
goes on where it was stopped; writes results/*.json beside this file and prints the tables.
DATA_ROOT holds torchvision's folders. Another process may do other tables at the same time,
with an --out of its own and the same --store: what both need is made once.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
before = os.environ.get("PYTHONPATH", "")
os.environ["PYTHONPATH"] = f"{HERE}{os.pathsep}{before}"  # coarse.py in Ray's workers

from coarse import ROOT  # noqa: E402

from kdsearch.config import read_config  # noqa: E402
from kdsearch.pipeline.compare_teachers import Asked, compare_teachers, text  # noqa: E402
from kdsearch.pipeline.terminal import terminal_progress  # noqa: E402

STUDENTS = str(HERE / "students.yaml")
LEARNT = "generic@distribution.loss=capability"
LAST_THIRD = "generic@conditioning.warmup=0.67"
MAIN = ("plain", "none", "student_oriented", "student_friendly", "generic", LEARNT)
OPEN = (
    "plain",
    "generic",
    "generic@conditioning.warmup=0.6@conditioning.ramp=0.2",
    LAST_THIRD,
    "generic@conditioning.temperature=2",
    "generic@conditioning.temperature=4",
    "generic@conditioning.kl=3",
    "generic@conditioning.gradient=both",
    "generic@conditioning.gradient=both@conditioning.kl=3",
    "generic@conditioning.attach=all",
    "generic@conditioning.direction=teacher_to_branch",
)
"""What is not known of a generic teacher, one value at a time; from the third on beside the
defaults: late ramp, last third, temperature, weight, whom the divergence moves, where."""
CONVERGED = ("plain", "student_friendly", "generic", LAST_THIRD)
"""With teachers that know nearly all of their own images."""


class Table(NamedTuple):
    config: str
    kinds: Sequence[str]
    students: str = STUDENTS
    given: Sequence[str] = ()
    specialised: bool = False
    seeds: int = 5


TABLES: Mapping[str, Table] = {
    "cifar": Table("cpu-cifar", MAIN),
    "fashion": Table("cpu-fashion", MAIN),
    "cifar-open": Table("cpu-cifar", OPEN),
    "cifar-converged": Table("cpu-cifar", CONVERGED, given=("teacher.epochs=120",)),
    "cifar-specialised": Table("cpu-cifar", ("plain", "generic"), specialised=True),
    "gpu": Table("gpu-cifar100", MAIN, students="9", seeds=3),
}
USUAL = [name for name in TABLES if name != "gpu"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_root", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/generic-teacher"))
    parser.add_argument("--store", type=Path, help="default: OUT/store")
    parser.add_argument("--only", nargs="+", choices=TABLES, metavar="TABLE", default=USUAL)
    parser.add_argument("--seeds", type=int, help="default: 5, on a GPU 3")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--set", nargs="+", default=[], help="as of kdsearch compare-teachers")
    arguments = parser.parse_args()
    os.environ[ROOT] = str(arguments.data_root.resolve())
    store = (arguments.store or arguments.out / "store").resolve()
    given = [f"data.root={arguments.data_root.resolve()}", f"store={store}", *arguments.set]
    arguments.results.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        content = made(name, arguments.out / name, given, arguments.seeds)
        (arguments.results / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
        print(f"\n## {name}\n{text(content)}", flush=True)


def made(name: str, out: Path, given: Sequence[str], seeds: int | None) -> dict[str, Any]:
    it = TABLES[name]
    config = read_config(HERE / f"{it.config}.yaml", [*it.given, *given])
    asked = Asked(it.kinds, it.students, seeds or it.seeds, it.specialised)
    with terminal_progress(sys.stderr) as progress:
        return compare_teachers(config, out, progress, asked)


if __name__ == "__main__":
    main()
