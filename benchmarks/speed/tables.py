"""The tables of README.md from results/*.json: `python benchmarks/speed/tables.py`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
THREADS = (1, 2)


def main() -> None:
    print("\n".join(steps_table()) + "\n")
    print("\n".join(ofa_table()) + "\n")
    print("\n".join(prefixes_table()) + "\n")
    print("\n".join(processes_table()))


def read(name: str) -> Any:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {"rows": []}


def times(row: dict[str, Any]) -> str:
    low, high = row["ci95"]
    return f"{row['times']:.2f} ({low:.2f} to {high:.2f})"


def milliseconds(row: dict[str, Any]) -> str:
    return f"{1000 * row['fast_seconds']:,.0f} | {1000 * row['slow_seconds']:,.0f}"


def steps_table() -> Iterator[str]:
    yield "| space | precision | threads | naive layers | × naive | ours, ms | naive, ms |"
    yield "|---|---|---|---|---|---|---|"
    for threads in THREADS:
        for row in read(f"steps-{threads}")["rows"]:
            cells = f"{row['space']} | {row['ours']} | {threads} | {row['naive_layers']}"
            yield f"| {cells} | {times(row)} | {milliseconds(row)} |"


def ofa_table() -> Iterator[str]:
    yield "| ours | `ofa`, float32 | threads | × `ofa` | ours, ms | `ofa`, ms |"
    yield "|---|---|---|---|---|---|"
    for threads in THREADS:
        for row in read(f"against-ofa-{threads}")["rows"]:
            cells = f"{row['ours']} | {row['theirs']} | {threads}"
            yield f"| {cells} | {times(row)} | {milliseconds(row)} |"


def prefixes_table() -> Iterator[str]:
    found = read("prefixes")
    low, high = found["ratio_ci95"]
    yield "| | |"
    yield "|---|---|"
    yield f"| measured | × {found['ratio']:.2f} ({low:.2f} to {high:.2f}) |"
    for name, ideal in found["ideal"].items():
        share = found["share_of_ideal"][name]
        yield f"| ideal by {name} | × {ideal:.2f}; measured is {share:.0%} of it |"
    yield f"| largest difference of logits | {found['largest_difference']:g} |"
    yield f"| same ranking | {'yes' if found['same_ranking'] else 'no'} |"
    yield f"| most held beside one segment | {found['peak_mib']:.0f} MiB |"
    yield f"| all {found['students']} students | {found['seconds']:.0f} s |"


def processes_table() -> Iterator[str]:
    yield "| precision | messages | × one process | efficiency | two, ms | one, ms |"
    yield "|---|---|---|---|---|---|"
    for row in read("processes")["rows"]:
        share = row["times"] / row["processes"]
        cells = f"{row['precision']} | {'yes' if row['kind'] == 'together' else 'none'}"
        yield f"| {cells} | {times(row)} | {share:.0%} | {milliseconds(row)} |"


if __name__ == "__main__":
    main()
