"""The tables of README.md from results/*.json: `python benchmarks/methods/tables.py`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
NAMES = {
    "module:four_views:Hard": "hard, 4 views",
    "module:four_views:Soften": "soften, 4 views",
    "information_flow@aux=max_subnet": "information_flow, aux: max_subnet",
    "information_flow@labels=0@aux=max_subnet": "information_flow without labels",
    "information_flow@labels=0@flow=1@reduction=mean@aux=max_subnet": (
        "information_flow without labels, mean over entries"
    ),
    "multi_level@views=1": "multi_level, 1 view",
}


def main() -> None:
    for pair in ("family", "heterogeneous"):
        found = [read(f"{pair}-{part}") for part in ("core", "flow", "rest")]
        print(f"\n### {pair}\n")
        print("\n".join(pair_table([content for content in found if content is not None])))
        for extra in ("retrieval", "transfer"):
            rows = {}
            for content in reversed([content for content in found if content is not None]):
                rows.update(content.get(extra, {}))
            print(f"\n{extra}:\n")
            print("\n".join(extra_table(rows)))
    print("\n### few labels\n")
    print("\n".join(few_table()))
    if (steps := read("step-times")) is not None:
        print("\n### step times\n")
        print("\n".join(step_table(steps)))


def read(name: str) -> Any:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def pair_table(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| method | seeds | accuracy | − hard | − soften | same seconds: − hard | − soften |"
    yield "|---|---|---|---|---|---|---|"
    for number, content in enumerate(parts):
        for row in content["methods"]:
            if number and row["name"] in ("hard", "soften"):
                continue  # the first table's, of more seeds
            epochs, seconds = row["epochs"], row["seconds"]
            versus = [epochs["versus"].get(b) for b in ("hard", "soften")]
            versus += [seconds["versus"].get(b) for b in ("hard", "soften")]
            cells = [name_of(row), str(content["seeds"]), accuracy(epochs)]
            yield line([*cells, *(points(v) for v in versus)])


def few_table() -> Iterator[str]:
    yield "| px | labels | hard | soften − hard | lightskd − hard | evolutionary − hard | same seconds: soften | lightskd | evolutionary |"  # noqa: E501
    yield "|---|---|---|---|---|---|---|---|---|"
    for size in (8, 16):
        for images in (50, 250, 1250):
            content = read(f"few-{size}px-{images}")
            if content is None:
                continue
            rows = {row["name"]: row for row in content["methods"]}
            others = [rows[name] for name in ("soften", "lightskd", "evolutionary")]
            cells = [str(size), str(images), accuracy(rows["hard"]["epochs"])]
            cells += [points(row["epochs"]["versus"]["hard"]) for row in others]
            cells += [points(row["seconds"]["versus"]["hard"]) for row in others]
            yield line(cells)


def extra_table(found: Mapping[str, Any]) -> Iterator[str]:
    yield "| method | mean | − hard |"
    yield "|---|---|---|"
    for name, row in found.items():
        versus = "" if name == "hard" else points(row["versus_hard"])
        yield line([NAMES.get(name, name), f"{100 * row['mean']:.1f}", versus])


def step_table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| method | × hard | × soften | extra parameters |"
    yield "|---|---|---|---|"
    for row in rows:
        ratios = row["pace"]["ratios"]
        cells = [ratio(ratios[base]) for base in ("hard", "soften")]
        yield line([name_of(row), *cells, f"{row['pace']['extra_params']:,}"])


def name_of(row: Mapping[str, Any]) -> str:
    return NAMES.get(row["name"], row["name"])


def accuracy(found: Mapping[str, Any]) -> str:
    return f"{100 * found['mean']:.1f} ± {100 * (found['ci95'][1] - found['mean']):.1f}"


def points(found: Mapping[str, Any] | None) -> str:
    """A difference in points with its interval; bold where the interval leaves zero out."""
    if found is None:
        return "–"
    low, high = (100 * end for end in found["ci95"])
    text = f"{100 * found['mean']:+.1f} ({low:.1f} to {high:.1f})"
    return f"**{text}**" if found["says"] else text


def ratio(found: Sequence[float]) -> str:
    return f"{found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})"


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
