"""The tables of README.md from results/*.json: `python benchmarks/search/tables.py`."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from curves import ratio

from kdsearch.measure.paired import Interval, difference, interval

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    for name, lines in TABLES.items():
        path = RESULTS / f"{name}.json"
        if path.exists():
            print("\n".join([f"## {name}", "", *lines(json.loads(path.read_text())), ""]))


# Samplers.


def samplers(content: Mapping[str, Any]) -> Iterator[str]:
    levels, most = content["levels"], content["candidates"]
    rivals = {row["batch"]: row for row in content["rows"] if row["sampler"] == "random"}
    shown = content["shown"]
    yield line(
        [
            "sampler",
            "batch",
            *(f"trials to {level:.0%}" for level in levels),
            *(f"/ random's, {level:.0%}" for level in levels),
            *(f"volume at {n}" for n in shown),
        ]
    )
    yield line(["---"] * (2 + 2 * len(levels) + len(shown)))
    for row in content["rows"]:
        against = rivals.get(row["batch"], next(iter(rivals.values())))
        cells = [row["sampler"], str(row["batch"])]
        cells += [trials(row, str(level)) for level in levels]
        for level in map(str, levels):
            ours = [seed["reached"][level] or most for seed in row["seeds"]]
            theirs = [seed["reached"][level] or most for seed in against["seeds"]]
            cells.append("" if row is against else str(ratio(ours, theirs)))
        for n in map(str, shown):
            found = [seed["volume"][n] for seed in row["seeds"] if seed["volume"][n]]
            whole = len(found) == len(row["seeds"])
            cells.append(f"{mean(found) / content['exhaustive']:.1%}" if whole else "–")
        yield line(cells)


def trials(row: Mapping[str, Any], level: str) -> str:
    """The median over seeds, and how many did not get there."""
    found = [seed["reached"][level] for seed in row["seeds"]]
    missed = sum(n is None for n in found)
    known = median(9e9 if n is None else n for n in found)
    words = f"{known:.0f}" if known < 9e9 else f"over {row['trials']}"
    return f"{words} ({missed} of {len(found)} not)" if missed else words


# Successive halving.


def halving(content: Mapping[str, Any]) -> Iterator[str]:
    yield line(
        [
            "sampler",
            "search",
            "epochs to there, median",
            "/ all epochs of no stopping",
            "/ its epochs to there",
            "not there",
            "volume at equal epochs, less",
        ]
    )
    yield line(["---"] * 7)
    for row in content["rows"]:
        seeds = row["seeds"]
        first = median(seed["first"] for seed in seeds)
        yield line([row["sampler"], "no stopping", f"{first:.0f}", "", "", "", ""])
        for arm in content["arms"]:
            yield line(halved(row["sampler"], arm, seeds, content["patience"]))


def halved(sampler: str, arm: str, seeds: Sequence[Any], patience: int) -> list[str]:
    found = [seed["arms"][arm] for seed in seeds]
    most = [patience * seed["epochs"] for seed in seeds]
    epochs = [one["epochs"] or limit for one, limit in zip(found, most, strict=True)]
    missed = sum(one["epochs"] is None for one in found)
    gained = difference([one["volume"] for one in found], [seed["volume"] for seed in seeds])
    return [
        sampler,
        arm,
        f"{median(epochs):.0f}",
        str(ratio(epochs, [seed["epochs"] for seed in seeds])),
        str(ratio(epochs, [seed["first"] for seed in seeds])),
        f"{missed} of {len(seeds)}",
        spread(gained, "+.4f"),
    ]


# Joint search.


def joint(content: Mapping[str, Any]) -> Iterator[str]:
    yield line(
        [
            "search",
            "search-val volume",
            "joint less it",
            "test volume",
            "joint less it",
            "trials",
            "seconds",
        ]
    )
    yield line(["---"] * 7)
    seeds = content["seeds"]
    for arm in content["arms"]:
        cells = [arm]
        for split in ("search", "test"):
            own = [seed["arms"][arm]["volume"][split] for seed in seeds]
            best = [seed["arms"]["joint"]["volume"][split] for seed in seeds]
            cells.append(spread(interval(own), ".4f"))
            cells.append("" if arm == "joint" else verdict(difference(best, own)))
        cells.append(f"{mean(seed['arms'][arm]['trials'] for seed in seeds):.0f}")
        cells.append(f"{mean(trained(seed['arms'][arm]['seconds']) for seed in seeds):.0f}")
        yield line(cells)


def trained(seconds: Mapping[str, float]) -> float:
    """Below the finalists' rung."""
    return sum(s for rung, s in seconds.items() if rung != max(seconds, key=int))


def verdict(found: Interval) -> str:
    """Bold where the interval leaves zero out."""
    text = spread(found, "+.4f")
    return f"**{text}**" if found.says else text


def spread(found: Interval, form: str) -> str:
    if found.ci95 is None:
        return f"{found.mean:{form}}"
    low, high = found.ci95
    return f"{found.mean:{form}} ({low:{form}} to {high:{form}})"


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


TABLES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "samplers": samplers,
    "halving": halving,
    "joint": joint,
}

if __name__ == "__main__":
    main()
