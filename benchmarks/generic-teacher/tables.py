"""The tables of README.md from results/*.json: run it without arguments."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from kdsearch.report.teacher_tables import Table, failures, lead, tables

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    for path in sorted(RESULTS.glob("*.json")):
        content = json.loads(path.read_text())
        print(f"\n## {path.stem}\n\n{lead(content)}")
        for one in tables(content):
            print("\n".join(["", f"{one.title}:", "", *markdown(one)]))
        print("\n".join(["", *failures(content)]))


def markdown(table: Table) -> Iterator[str]:
    yield line(table.headers)
    yield line(["---"] * len(table.headers))
    for row in table.rows:
        yield line([bold(cell) for cell in row])


def bold(cell: str) -> str:
    """What the interval allows to say."""
    return f"**{cell}**" if cell.endswith((" better", " worse")) else cell


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
