"""The page of a run."""

from collections.abc import Sequence

from kdsearch.core.costs_named import TIMED, cost_and_target
from kdsearch.core.quantities import duration, percent, several
from kdsearch.report import curves, devices, points, searched, tables
from kdsearch.report.axes import drawable, is_accuracy
from kdsearch.report.baselines import baselines
from kdsearch.report.cards import cards
from kdsearch.report.decide import decide, top
from kdsearch.report.document import document, nothing, section, tiles
from kdsearch.report.front import cost_text, front_chart
from kdsearch.report.importance import importance
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.points import Dot, axis_name
from kdsearch.report.ranking import ranking
from kdsearch.report.summary import DataSummary, Summary
from kdsearch.report.wording import NO_BREAK, value_text

TEST = "test accuracy"
CHEAPEST = {**dict.fromkeys(TIMED, "fastest"), "energy_uj": "least energy"}
UNITS = {"macs": " MACs", "params": " parameters"}


def page(summary: Summary, *, live: str | None = None) -> str:
    """`live`: names the content of a page that a server keeps up to date."""
    return document(
        summary.run,
        _header(summary, live is not None),
        section(
            "The front", decide([summary.choice] if summary.choice else []), _front(summary)
        ),
        section("Students", _students(summary)),
        section("Training", _curves(summary)),
        section("What was searched", _searched(summary)),
        _what_mattered(summary),
        _predictor(summary),
        _baselines(summary),
        section("Can the ranking be trusted?", ranking(summary.audit)),
        section("Time per stage", _stages(summary)),
        section("Data", _data(summary.data)),
        _targets(summary),
        section("Device", _device(summary)),
        element("footer", f"kdsearch {summary.version}, {summary.made}"),
        scripted=True,
        live=live,
    )


def _header(summary: Summary, is_live: bool) -> Markup:
    parts = [
        top("kdsearch run", is_live),
        element("h1", summary.run),
        element("p", _lead(summary), class_="lead"),
        _tiles(summary),
    ]
    if summary.warnings:
        items = [
            element("li", element("b", "Warning: "), warning) for warning in summary.warnings
        ]
        parts.append(element("ul", *items, class_="warnings"))
    return element("header", *parts)


def _lead(summary: Summary) -> str:
    """The outcome in one sentence."""
    drawn = points.dots(summary)
    if not summary.students:
        return "This run has no student yet."
    if not drawn:
        size = several(len(summary.students), "student")
        return f"{size}, none with both an accuracy and a cost."
    if len(drawn) == 1:
        return f"The front has one student: {_at(drawn[0], summary)} ({_split(drawn)})."
    first, last = _at(drawn[0], summary), _at(drawn[-1], summary)
    return f"{len(drawn)} students on the front, from {first} to {last} ({_split(drawn)})."


def _at(dot: Dot, summary: Summary) -> str:
    cost = cost_text(dot.cost, summary.cost).replace(" ", NO_BREAK)
    unit = UNITS.get(summary.cost, "")
    accuracy = percent(_accuracy(dot, points.dots(summary))).replace(" ", NO_BREAK)
    return f"{accuracy} at {cost}{unit}"


def _accuracy(dot: Dot, drawn: Sequence[Dot]) -> float | None:
    """On test if every student was tested, so that the numbers of the heading compare."""
    return dot.row.test_accuracy if _split(drawn) == TEST else dot.accuracy


def _split(drawn: Sequence[Dot]) -> str:
    tested = all(is_accuracy(dot.row.test_accuracy) for dot in drawn)
    return TEST if tested else "search accuracy"


def _tiles(summary: Summary) -> Markup:
    drawn = points.dots(summary)
    items: list[tuple[str, str, str]] = []
    if drawn:
        best, cheapest = max(drawn, key=lambda dot: dot.accuracy), drawn[0]
        name = CHEAPEST.get(cost_and_target(summary.cost)[0], "smallest")
        items.append(
            (
                "most accurate",
                percent(_accuracy(best, drawn)),
                f"{_split(drawn)}, {best.row.id}",
            )
        )
        items.append(
            (
                name,
                cost_text(cheapest.cost, summary.cost),
                f"{percent(_accuracy(cheapest, drawn))}, {cheapest.row.id}",
            )
        )
        items += [
            ("knee", dot.row.id, _at(dot, summary))
            for dot in drawn
            if dot.row.id == summary.knee
        ]
    seconds = [s.seconds for s in summary.stages if drawable(s.seconds) and not s.reused]
    if seconds:
        items.append(("time of this run", duration(sum(seconds)), f"{len(seconds)} stages"))
    return tiles(items)


def _front(summary: Summary) -> Markup:
    if not points.dots(summary) and not points.trials(summary):
        return nothing("Nothing to draw: no student has both an accuracy and a cost yet.")
    wide = front_chart(summary, width=1032, height=520, linked=True)
    narrow = front_chart(summary, width=380, height=440, linked=True)
    return element(
        "figure",
        element("div", wide, class_="wide"),
        element("div", narrow, class_="narrow"),
        element("figcaption", _caption(summary)),
        class_="static-front",
    )


def _caption(summary: Summary) -> str:
    drawn, tried = points.dots(summary), points.trials(summary)
    sentences = []
    if drawn:
        sentences.append(
            "The line is what the front reaches: the best accuracy to be had "
            f"up to each {axis_name(summary.cost)}."
        )
    sentences += _beside_the_picture(summary)
    if len(drawn) < len(summary.students):
        missing = len(summary.students) - len(drawn)
        sentences.append(f"{missing} without an accuracy or a cost: see the table.")
    shown = points.limits(summary, points.costs(drawn, tried))
    for limit in summary.limits:
        where = "" if limit in shown else ", not in this picture"
        value = cost_text(limit.value, limit.cost)
        sentences.append(f"Budget: {limit.text} ({value}){where}.")
    if any(trial.accuracy < points.lowest(summary) for trial in tried):
        sentences.append("Triangles on the lower edge are trials below it.")
    return " ".join(sentences)


def _beside_the_picture(summary: Summary) -> list[str]:
    """Objectives that the picture does not show."""
    asked = () if summary.search is None else summary.search.objectives
    if not asked or set(asked) == {"accuracy", summary.cost}:
        return []
    return [
        f"The search compared by {', '.join(asked)}: a student may be on the front for what "
        "this picture does not show."
    ]


def _students(summary: Summary) -> Markup:
    if not summary.students:
        return nothing("No student has reached the front yet.")
    note = (
        "The search chose by search accuracy; the test split was opened for the finished front "
        "alone. Under each accuracy stands its 95 % interval."
    )
    return joined([element("p", note, class_="note"), tables.students(summary), cards(summary)])


def _curves(summary: Summary) -> Markup:
    parts = []
    for stage, of_stage in curves.stages(summary.curves):
        panels = [curves.loss_panel(of_stage), curves.accuracy_panel(of_stage)]
        drawn = [element("div", panel) for panel in panels if panel]
        if drawn:
            parts.append(element("h3", stage[:1].upper() + stage[1:]))
            parts.append(element("div", *drawn, class_="panels"))
    return joined(parts) if parts else nothing("No training curve was recorded.")


def _searched(summary: Summary) -> Markup:
    what = (
        searched.what_was_searched(summary.search)
        if summary.search
        else nothing("The search has not begun.")
    )
    became = searched.what_became_of_it(summary)
    climbed = searched.rungs_climbed(summary.search)
    return joined([what, climbed, element("h3", "Trials by state"), became])


def _what_mattered(summary: Summary) -> Markup:
    """Nothing where there are too few trials to say anything."""
    if not summary.importance:
        return Markup("")
    return section("What mattered", importance(summary.importance))


def _predictor(summary: Summary) -> Markup:
    """Nothing where no latency was predicted."""
    if not summary.predictor:
        return Markup("")
    return section("Were the latencies predicted well?", devices.predictor(summary.predictor))


def _targets(summary: Summary) -> Markup:
    """Nothing before a latency was measured."""
    if not summary.targets:
        return Markup("")
    return section("Latency targets", devices.targets(summary.targets))


def _baselines(summary: Summary) -> Markup:
    """Nothing where none were run."""
    if summary.baselines is None:
        return Markup("")
    return section("Is the search better than simpler ones?", baselines(summary.baselines))


def _stages(summary: Summary) -> Markup:
    if not summary.stages:
        return nothing("No stage has been timed yet.")
    return tables.stages(summary.stages)


def _data(data: DataSummary | None) -> Markup:
    if data is None:
        return nothing("The data have not been prepared yet.")
    classes = f"{len(data.classes):,} classes"
    parts = [
        tables.facts(
            {
                "data set": data.name,
                "images": data.image,
                "classes": classes,
                "fingerprint": data.fingerprint,
            }
        ),
        tables.bars([(name, float(n), f"{n:,}") for name, n in data.splits.items()]),
    ]
    if data.classes:
        parts.append(_folded("Class names", ", ".join(data.classes)))
    if data.skipped:
        parts.append(
            _folded(
                f"{len(data.skipped):,} broken images were skipped", ", ".join(data.skipped)
            )
        )
    return joined(parts)


def _folded(title: str, content: str) -> Markup:
    return element("details", element("summary", title), element("p", content))


def _device(summary: Summary) -> Markup:
    if not summary.device:
        return nothing("The device was not recorded.")
    return tables.facts({name: value_text(value) for name, value in summary.device.items()})
