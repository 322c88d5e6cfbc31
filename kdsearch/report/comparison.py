"""The page of a comparison: methods on the same student, as means, differences and costs."""

from collections.abc import Callable, Sequence

from kdsearch.core.quantities import UNKNOWN, count, milliseconds, percent
from kdsearch.report import dots
from kdsearch.report.axes import drawable, percents
from kdsearch.report.compared import BASELINES, Compared, MethodRow, Outcome
from kdsearch.report.differences import difference_cell, figure, points, points_axis
from kdsearch.report.document import document, nothing, section, tiles
from kdsearch.report.dots import Column, DotPlot
from kdsearch.report.markup import Markup, element, joined
from kdsearch.report.tables import Cell, row, table
from kdsearch.report.wording import interval_text, knobs_text

EPOCHS, SECONDS = "at equal epochs", "at equal seconds"
OF: dict[str, Callable[[MethodRow], Outcome]] = {
    EPOCHS: lambda method: method.epochs,
    SECONDS: lambda method: method.seconds,
}


def page(compared: Compared) -> str:
    differences = [
        section(f"Difference to {base}", _differences(compared, base))
        for base in BASELINES
        if any(m.name != base and base in m.epochs.versus for m in compared.rows)
    ]
    return document(
        compared.run,
        _header(compared),
        section("Accuracy", _accuracies(compared)),
        *differences,
        section("In figures", _outcomes(compared)),
        section("A training step", _steps(compared)),
        section("Runs that failed", _failed(compared)),
        element("footer", f"kdsearch {compared.version}, {compared.made}"),
        style=dots.STYLE,
    )


def _header(compared: Compared) -> Markup:
    return element(
        "header",
        element("p", "kdsearch comparison", class_="brand"),
        element("h1", compared.run),
        element("p", lead(compared), class_="lead"),
        tiles(_tiles(compared)),
    )


def lead(compared: Compared) -> str:
    """What was compared, in two sentences."""
    images = f" ({compared.train_images:,} training images)" if compared.train_images else ""
    seeds = "one seed" if compared.seeds == 1 else f"{compared.seeds} seeds each"
    teacher = (
        f"the teacher has {percent(compared.teacher_accuracy)} on search-validation"
        if drawable(compared.teacher_accuracy)
        else "there is no teacher"
    )
    return (
        f"{_methods(len(compared.rows))} taught the same student of "
        f"{compared.data}{images}, {seeds}, for {_epochs(compared)} of {compared.batch_size} "
        f"images; {teacher}. The student: {compared.student}."
    )


def _methods(number: int) -> str:
    return "One method" if number == 1 else f"{number} methods"


def _epochs(compared: Compared) -> str:
    epochs = "1 epoch" if compared.epochs == 1 else f"{compared.epochs:,} epochs"
    return f"{epochs}, {compared.steps:,} steps"


def _tiles(compared: Compared) -> list[tuple[str, str, str]]:
    items = []
    if drawable(compared.teacher_accuracy):
        items.append(("teacher", percent(compared.teacher_accuracy), "search accuracy"))
    for method in compared.rows:
        if method.name in BASELINES:
            accuracy = method.epochs.accuracy
            below = interval_text(accuracy.ci95) or EPOCHS
            items.append((method.name, percent(accuracy.mean), below))
    for base in BASELINES:
        said = [m.epochs.versus[base].says for m in compared.rows if base in m.epochs.versus]
        if said:
            better, worse = said.count("better"), said.count("worse")
            below = f"of {len(said)} {EPOCHS}, by their intervals"
            items.append((f"beside {base}", f"{better} better, {worse} worse", below))
    return items


def _accuracies(compared: Compared) -> Markup:
    columns = []
    for title, of in OF.items():
        spreads = [of(method).accuracy for method in compared.rows]
        lines = {
            method.name: spread.mean
            for method, spread in zip(compared.rows, spreads, strict=True)
            if method.name in BASELINES and drawable(spread.mean)
        }
        columns.append(Column(title, spreads, lines))
    plot = DotPlot(
        "Accuracy on search-validation, by method",
        "One row a method: its mean over the seeds with the 95 % interval, and the single "
        "runs. The numbers stand in the table.",
        [method.name for method in compared.rows],
        columns,
        percents,
        percent,
    )
    return figure(
        plot,
        "Scored on the search-validation images; the test images stay closed. Vertical lines "
        "are the means of the baselines. At equal seconds a method takes as many steps as fit "
        f"in the time that {_first(compared)} takes for its own, by their measured step times.",
    )


def _first(compared: Compared) -> str:
    return compared.rows[0].name if compared.rows else BASELINES[0]


def _differences(compared: Compared, base: str) -> Markup:
    others = [method for method in compared.rows if method.name != base]
    columns = [
        Column(title, [of(m).versus.get(base) for m in others]) for title, of in OF.items()
    ]
    plot = DotPlot(
        f"Accuracy less that of {base}, by method, in percentage points",
        "One row a method: the mean of its paired differences with the 95 % interval, and the "
        "single pairs, one for each seed. The numbers stand in the table.",
        [method.name for method in others],
        columns,
        points_axis,
        points,
        has_zero=True,
    )
    return figure(plot, f"In percentage points. {PAIRED} {chance(compared)}")


PAIRED = (
    "Runs of one seed start from the same weights and see the same images in the same order, "
    "so they are compared in pairs; intervals are Student’s, over the pairs."
)


def chance(compared: Compared) -> str:
    """What so many intervals show where there is nothing."""
    shown = [
        spread
        for method in compared.rows
        for of in OF.values()
        for spread in of(method).versus.values()
        if spread.ci95 is not None
    ]
    if not shown:
        return "One seed has no interval, so nothing is called better or worse."
    return (
        f"With {len(compared.rows)} methods there are {len(shown)} intervals of differences "
        "on this page; where nothing differs, about one in twenty of them leaves zero out by "
        "chance."
    )


def _outcomes(compared: Compared) -> Markup:
    bases = [b for b in BASELINES if any(b in m.epochs.versus for m in compared.rows)]
    parts = []
    for title, of in OF.items():
        headers = ["method", "accuracy, mean", *(f"to {base}, points" for base in bases)]
        headers += ["steps", "runs, of those begun"]
        rows = [
            row(headers, _outcome_cells(method, of(method), bases)) for method in compared.rows
        ]
        parts += [
            element("h3", title[:1].upper() + title[1:]),
            table(headers, rows, "students"),
        ]
    note = (
        "Under each mean stands its 95 % interval; “better” and “worse” stand only where the "
        "interval of a paired difference leaves zero out."
    )
    return joined([element("p", note, class_="note"), *parts])


def _outcome_cells(method: MethodRow, outcome: Outcome, bases: Sequence[str]) -> list[Cell]:
    accuracy = outcome.accuracy
    ended = sum(drawable(run) for run in accuracy.runs)
    begun = ended + len(outcome.failed)
    return [
        Cell(method.name, knobs_text(method.knobs)),
        Cell(percent(accuracy.mean), interval_text(accuracy.ci95), number=True),
        *(difference_cell(outcome.versus.get(base)) for base in bases),
        Cell(UNKNOWN if outcome.steps is None else f"{outcome.steps:,}", number=True),
        Cell(f"{ended} of {begun}" if begun else UNKNOWN, number=True),
    ]


def _steps(compared: Compared) -> Markup:
    bases = [b for b in BASELINES if any(b in m.ratios for m in compared.rows)]
    headers = ["method", "step, median", *(f"times {base}’s" for base in bases)]
    headers.append("extra parameters, trained beside the student")
    rows = [
        row(
            headers,
            [
                Cell(method.name),
                Cell(milliseconds(method.step_ms), number=True),
                *(_ratio_cell(method.ratios.get(base)) for base in bases),
                Cell(count(method.extra_params), number=True),
            ],
        )
        for method in compared.rows
    ]
    device = f" on {compared.device}" if compared.device else ""
    note = (
        f"Measured{device}: the methods take turns, step by step, so what slows the machine "
        "slows them alike. Under each ratio stands the 95 % interval of its median."
    )
    return joined([element("p", note, class_="note"), table(headers, rows, "students")])


def _ratio_cell(ratio: tuple[float, float, float] | None) -> Cell:
    if ratio is None or not all(map(drawable, ratio)):
        return Cell(UNKNOWN, number=True)
    middle, low, high = ratio
    return Cell(f"{middle:.2f}", f"{low:.2f} – {high:.2f}", number=True)


def _failed(compared: Compared) -> Markup:
    headers = ["method", "when", "why"]
    rows = [
        row(headers, [Cell(method.name), Cell(title), Cell(reason)])
        for method in compared.rows
        for title, of in OF.items()
        for reason in of(method).failed
    ]
    return table(headers, rows, "plain") if rows else nothing("Every run came to its end.")
