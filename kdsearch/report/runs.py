"""The page of several runs: their fronts in one picture, one budget asked of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kdsearch.core.amounts import title
from kdsearch.core.quantities import UNKNOWN, several
from kdsearch.report.axes import drawable
from kdsearch.report.batch_fronts import fronts
from kdsearch.report.choice import Choice
from kdsearch.report.decide import decide, top
from kdsearch.report.document import document, nothing, section
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.summary import Summary
from kdsearch.report.tables import Cell, row, table

VOLUME = (
    "A hypervolume is the share of a box that a front dominates; the box ends at a reference "
    "point. Two are comparable only where objectives, reference point and images are the same: "
    "runs of one group are, and there the larger one is better. Whether a difference is more "
    "than chance, one run each does not say."
)
SETTINGS = "What the runs' configs say differently; keys that none of them sets are left out."
OTHER_IMAGES = (
    "these runs scored their students on different images: their accuracies do not compare"
)
OTHER_TARGETS = (
    "these runs timed their students on different targets or devices: their latencies do not "
    "compare, whatever the picture looks like"
)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One of the runs."""

    name: str
    """Unlike that of any other here."""
    summary: Summary
    reference: Mapping[str, float]
    """Where its hypervolume's box ends; empty of a run without a front."""
    settings: Mapping[str, str]
    """Its config, flat: 'search.trials' to '40'."""

    @property
    def target(self) -> str:
        """The first, on which latency_ms is measured, and the device it was."""
        name = next(iter(self.summary.targets), UNKNOWN)
        device = self.summary.targets.get(name, {}).get("device")
        return f"{name}, {device}" if device else name

    @property
    def images(self) -> str:
        return self.summary.data.fingerprint if self.summary.data else ""

    @property
    def box(self) -> tuple[tuple[str, float], ...]:
        return tuple(self.reference.items())


def page(rows: Sequence[RunRow], choices: Sequence[Choice], made: str, version: str) -> str:
    """`choices`: of the runs that have something to choose from."""
    return document(
        ", ".join(one.name for one in rows),
        _header(rows),
        section(
            "The fronts",
            decide(choices),
            element("div", fronts(list(_cells(rows))), class_="static-front"),
        ),
        section("Hypervolumes", _volumes(rows)),
        section("Settings that differ", _settings(rows)),
        element("footer", f"kdsearch {version}, {made}"),
        scripted=True,
    )


def _header(rows: Sequence[RunRow]) -> Markup:
    students = sum(len(one.summary.students) for one in rows)
    lead = f"{len(rows)} runs with {several(students, 'student')} in all."
    parts = [
        top("kdsearch runs"),
        element("h1", " · ".join(one.name for one in rows)),
        element("p", lead, class_="lead"),
    ]
    items = [element("li", element("b", "Warning: "), line) for line in warnings(rows)]
    return element(
        "header", *parts, *([element("ul", *items, class_="warnings")] * bool(items))
    )


def warnings(rows: Sequence[RunRow]) -> Iterator[str]:
    """What must not be read out of the picture."""
    if len({one.images for one in rows if one.images}) > 1:
        yield OTHER_IMAGES
    if len({one.target for one in rows if one.summary.targets}) > 1:
        yield OTHER_TARGETS
    for one in rows:
        if not one.summary.students:
            yield f"{one.name} has no front yet: what it shows is its search so far"


def _cells(rows: Sequence[RunRow]) -> Iterator[dict[str, object]]:
    """The runs as the static picture takes them."""
    for one in rows:
        points = [
            {
                "search_accuracy": s.search_accuracy,
                "latency_ms": s.latencies[0].p50_ms if s.latencies else None,
                "params": s.params,
            }
            for s in one.summary.students
        ]
        yield {
            "name": one.name,
            "points": points,
            "data": one.summary.data.name if one.summary.data else "",
            "data_hash": one.images,
            "target": one.target,
        }


def groups(rows: Sequence[RunRow]) -> list[list[str]]:
    """Names of runs whose hypervolumes compare, by group; runs without one are in none."""
    found: dict[object, list[str]] = {}
    for one in rows:
        if one.reference and _volume(one) is not None:
            found.setdefault((one.box, one.images), []).append(one.name)
    return list(found.values())


def _volume(one: RunRow) -> float | None:
    volume = one.summary.search.hypervolume if one.summary.search else None
    return volume if drawable(volume) else None


def _volumes(rows: Sequence[RunRow]) -> Markup:
    number = {name: n for n, group in enumerate(groups(rows), start=1) for name in group}
    headers = ("run", "hypervolume", "group", "students", "space", "reference point")
    written = []
    for one in rows:
        volume, search = _volume(one), one.summary.search
        box = ", ".join(f"{title(name)} {value:.4g}" for name, value in one.box)
        group = f"{number[one.name]}" if one.name in number else UNKNOWN
        cells = [
            Cell(one.name),
            Cell(UNKNOWN if volume is None else f"{volume:.4f}", number=True),
            Cell(group, number=True),
            Cell(str(len(one.summary.students)), number=True),
            Cell(search.space if search else UNKNOWN),
            Cell(box or UNKNOWN),
        ]
        written.append(row(headers, cells))
    note = element("p", VOLUME, class_="note")
    return joined([note, table(headers, written, "plain")])


def differing(rows: Sequence[RunRow]) -> dict[str, list[str]]:
    """Settings that are not the same in all runs, with the value of each."""
    names = dict.fromkeys(name for one in rows for name in one.settings)
    values = {name: [one.settings.get(name, "not set") for one in rows] for name in names}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def _settings(rows: Sequence[RunRow]) -> Markup:
    found = differing(rows)
    if not found:
        return nothing("The runs have the same settings.")
    headers = ["setting", *(one.name for one in rows)]
    written = [row(headers, [Cell(name), *map(Cell, values)]) for name, values in found.items()]
    note = element("p", SETTINGS, class_="note")
    return joined([note, table(headers, written, "plain")])
