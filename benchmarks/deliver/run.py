"""Does what `deliver` hands over keep its budget? `python benchmarks/deliver/run.py
[--count 30] [--set latency.rounds=30] [--out FOLDER]`. Takes a quiet machine; prints a table
and writes results/deliveries.json.

One search, then budgets between its fastest and its slowest student, two of three only just
above what a student took: the hardest ones. Each is a command of its own. Afterwards, in a
process that has seen none of it, every delivered network is timed again beside the anchors, all
in the same rounds.
"""

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "speed"))

from turns import machine  # noqa: E402

from kdsearch.pipeline.evidence import deciding, evidence  # noqa: E402

FEWEST_MS = 0.5
BEYOND, NEAR = 0.02, 0.1
TRIES = 2
"""At most so many budgets for one delivery: some are refused when measured again."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--set", nargs="+", default=[], metavar="a.b=value")
    parser.add_argument("--format", default="safetensors")
    parser.add_argument("--out", type=Path, help="a folder; one that is there is gone on with")
    asked = parser.parse_args()
    started = time.perf_counter()
    out = asked.out or Path(tempfile.mkdtemp(prefix="deliver-"))
    run = out / "run"
    overrides = ["--set", *asked.set] if asked.set else []
    kdsearch(
        "run", HERE / "run.yaml", "--out", run, "--set", f"store={out / 'store'}", *overrides
    )
    rows, refused = deliveries(run, out, asked.count, asked.format)
    again = json.loads(python(HERE / "again.py", run, *{row["student"] for row in rows}))
    for row in rows:
        row |= again["students"][row["student"]]
        row["over"] = row["again_ms"] / row["limit_ms"] - 1
    content = {
        "command": f"python benchmarks/deliver/run.py {' '.join(sys.argv[1:])}".strip(),
        "machine": machine(),
        "seconds": time.perf_counter() - started,
        "refused": refused,
        "anchors": again["anchors"],
        "rows": rows,
    }
    path = HERE / "results" / "deliveries.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    print("\n".join(table(content)))


def deliveries(run: Path, out: Path, count: int, form: str) -> tuple[list[Any], list[str]]:
    """So many, and why other budgets were refused. Every second one looks at all trials."""
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    for number, limit in enumerate(budgets(run, count * TRIES)):
        if len(rows) == count:
            break
        among = ("--among", "trials") if number % 2 else ()
        bound = f"latency_ms={limit:.6g}"
        done = called("deliver", run, "--max", bound, "--to", out / f"{number:03d}",
                      "--format", form, "--json", *among)  # fmt: skip
        if done.returncode == 3:
            refused.append(done.stderr.splitlines()[-1])
            continue
        if done.returncode:
            raise SystemExit(done.stderr)
        found = json.loads(done.stdout)
        (facts,) = found["latency"].values()
        rows.append(
            {
                "student": found["student"],
                "limit_ms": limit,
                "delivered_ms": facts["p50"],
                "delivered_upper_ms": facts["ci95"][1],
                "busy": facts.get("busy"),
                "among": "trials" if among else "front",
            }
        )
        print(f"{len(rows)} of {count}: {found['student']} for {limit:.3f} ms", file=sys.stderr)
    return rows, refused


def budgets(run: Path, count: int) -> Iterator[float]:
    """Milliseconds: even in the logarithm, two of three up to 10 % above a student's own."""
    rng = random.Random(0)
    points = json.loads((run / "front.json").read_text())["points"]
    ends = sorted(deciding(evidence(p)["latency_ms"]) for p in points)
    if ends[0] < FEWEST_MS:
        print(f"the fastest student takes {ends[0]:.3f} ms, below {FEWEST_MS}", file=sys.stderr)
    for number in range(count):
        if number % 3:
            yield rng.choice(ends) * rng.uniform(1.0, 1.1)
        else:
            yield math.exp(rng.uniform(math.log(ends[0]), math.log(ends[-1] * 1.02)))


def kdsearch(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "kdsearch", *map(str, words)], check=True)


def called(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kdsearch", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def python(script: Path, *words: object) -> str:
    command = [sys.executable, str(script), *map(str, words)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def table(content: Mapping[str, Any]) -> list[str]:
    rows: Sequence[Mapping[str, Any]] = content["rows"]
    over = [row["over"] for row in rows]
    raw = [row["raw_ms"] / row["limit_ms"] - 1 for row in rows]
    lines = [
        "| student | budget, ms | delivered, ms (upper end) | again, ms | beyond | raw, ms |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['student']} | {r['limit_ms']:.3f} | {r['delivered_ms']:.3f} "
        f"({r['delivered_upper_ms']:.3f}) | {r['again_ms']:.3f} | {r['over']:+.1%} "
        f"| {r['raw_ms']:.3f} |"
        for r in sorted(rows, key=lambda r: -r["over"])
    ]
    beyond = sum(one > BEYOND for one in over)
    near = sum(one > -NEAR for one in over)
    return [
        *lines,
        "",
        f"{len(rows)} delivered ({len({r['student'] for r in rows})} students, fastest "
        f"{min(r['again_ms'] for r in rows):.2f} ms), "
        f"{len(content['refused'])} budgets refused; "
        f"{sum(bool(r['busy']) for r in rows)} delivered on a busy machine",
        f"beyond the budget by more than {BEYOND:.0%}: {beyond} of {len(rows)}; at most "
        f"{max(over):+.1%}, median {median(over):+.1%} (anchor-normalised); {near} take "
        f"{1 - NEAR:.0%} of it or more",
        f"measured again {len(content['anchors']['uneven'])} times until the anchors' speeds "
        f"differed by {content['anchors']['used']:.1%} (deviation) from one to another",
        f"raw: {sum(one > BEYOND for one in raw)} of {len(rows)}, at most {max(raw):+.1%}, "
        f"median {median(raw):+.1%}; {content['seconds']:.0f} s in all",
    ]


if __name__ == "__main__":
    main()
