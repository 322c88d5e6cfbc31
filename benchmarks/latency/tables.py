"""The table of README.md from results/*.json: `python benchmarks/latency/tables.py`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    for line in table():
        print(line)


def table() -> Iterator[str]:
    yield (
        "| runtime | networks | rounds | tau, ours | tau, one by one | gain | "
        "median difference, ours / one by one | intervals that overlap | drift | "
        "cores others kept busy |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for path in sorted(RESULTS.glob("*.json")):
        yield f"| {' | '.join(cells(path.stem, json.loads(path.read_text())))} |"


def cells(name: str, found: Any) -> list[str]:
    said = found["summary"]
    apart = said["relative_difference"]
    return [
        name,
        str(len(found["networks"])),
        str(found["rounds"]),
        *(with_interval(said[key]) for key in ("ours", "one_by_one", "gain")),
        f"{apart['ours']:.1%} / {apart['one_by_one']:.1%}",
        f"{said['overlapping_intervals']:.0%}",
        ", ".join(f"{one:.0%}" for one in said["drift"]),
        "–" if found["load"] is None else f"{found['load']:.1f}",
    ]


def with_interval(found: Any) -> str:
    low, high = found["ci95"]
    return f"{found['tau']:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
