"""The page of a comparison: every number, no overlaps, verdicts only where there are some."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.report.colours import CHART
from kdsearch.report.compared import Compared, MethodRow, Outcome, Spread
from kdsearch.report.comparison import page, points, points_axis
from kdsearch.report.dots import STYLE, Column, DotPlot, extent, fitted
from kdsearch.report.labels import Box, text_width
from kdsearch.report.markup import LEAVES

NAMES = (
    "hard",
    "soften",
    "multi_level@views=1",
    "multi_level@views=2@labels=0.5",
    "standardized@base=decoupled@temperature=4",
    "information_flow@aux=max_subnet@kernels=cosine+student_t",
    "decoupled+attention",
    "module:four_views:Soften",
    *(f"method_{n}" for n in range(12)),
)
ATTACK = "</title></style><script>alert(1)</script><img src=x onerror=y>\"' onload='z' &amp; "


def spread(centre: float, half: float, rng: random.Random, says: str = "") -> Spread:
    runs = tuple(centre + half * (rng.random() - 0.5) for _ in range(3))
    return Spread(centre, (centre - half, centre + half), runs, says)


def outcome(name: str, rng: random.Random, steps: int) -> Outcome:
    half = 0.002 + 0.02 * rng.random()
    bases = [base for base in ("hard", "soften") if base != name]
    versus = {base: spread(0.03 * (rng.random() - 0.4), half, rng) for base in bases}
    said = {base: replace(one, says=verdict(one)) for base, one in versus.items()}
    return Outcome(spread(0.85 + 0.1 * rng.random(), half, rng), said, steps)


def verdict(one: Spread) -> str:
    assert one.ci95 is not None
    return "better" if one.ci95[0] > 0 else "worse" if one.ci95[1] < 0 else ""


@pytest.fixture
def example() -> Callable[..., Compared]:
    def made(methods: int = len(NAMES)) -> Compared:
        rng = random.Random(2)
        rows = tuple(
            MethodRow(
                name=name,
                knobs={"views": 1} if "@" in name else {},
                epochs=outcome(name, rng, 640),
                seconds=outcome(name, rng, 320),
                step_ms=7.5 + k,
                ratios={"hard": (1.0 + k, 0.9 + k, 1.1 + k), "soften": (0.5, 0.4, 0.6)},
                extra_params=1000 * k,
            )
            for k, name in enumerate(NAMES[:methods])
        )
        return Compared(
            run="methods",
            made="2026-11-21 14:05",
            version="0.1.0",
            data="digits",
            train_images=1078,
            student="resnet-tiny, width 2, 4, 8",
            teacher_accuracy=0.972,
            epochs=40,
            steps=640,
            batch_size=64,
            seeds=3,
            device="AMD EPYC",
            rows=rows,
        )

    return made


@pytest.fixture
def full(example: Callable[..., Compared]) -> Compared:
    return example()


class Reader(HTMLParser):
    """Checks that tags are balanced; collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in LEAVES:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data + "\n"


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@dataclass(frozen=True)
class Text:
    content: str
    box: Box


@dataclass(frozen=True)
class Picture:
    title: str
    paper: Box
    texts: list[Text]
    root: ElementTree.Element


SVG = "{http://www.w3.org/2000/svg}"


def pictures(html: str) -> list[Picture]:
    found = []
    for svg in re.findall(r"<svg xmlns.*?</svg>", html, re.S):
        root = ElementTree.fromstring(svg)
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        title = root.findtext(f"{SVG}title")
        assert title and root.findtext(f"{SVG}desc") and root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == title
        found.append(Picture(title, Box(0, 0, width, height), texts(root), root))
    return found


def texts(element: ElementTree.Element, dx: float = 0, dy: float = 0) -> list[Text]:
    """Where each text of 12 pixels is; a legend's items are moved as a whole."""
    moved = re.match(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    if moved:
        dx, dy = dx + float(moved[1]), dy + float(moved[2])
    found = []
    if element.tag == f"{SVG}text":
        content = element.text or ""
        width = text_width(content)
        shift = {"middle": width / 2, "end": width}.get(element.get("text-anchor", ""), 0)
        left, bottom = float(element.attrib["x"]) + dx - shift, float(element.attrib["y"]) + dy
        found.append(Text(content, Box(left, bottom - 9, left + width, bottom + 2)))
    for child in element:
        found += texts(child, dx, dy)
    return found


# What it shows.


def test_the_first_sentence_says_what_was_compared(full: Compared) -> None:
    text = read(page(full)).text
    assert (
        "20 methods taught the same student of digits (1,078 training images), 3 seeds each, "
        "for 40 epochs, 640 steps of 64 images; the teacher has 97.2 % on search-validation. "
        "The student: resnet-tiny, width 2, 4, 8."
    ) in text


def test_every_number_stands_in_a_table(full: Compared) -> None:
    text = read(page(full)).text
    for row in full.rows:
        assert row.name in text
        for of in (row.epochs, row.seconds):
            assert of.accuracy.mean is not None
            assert f"{100 * of.accuracy.mean:.1f} %" in text
            for one in of.versus.values():
                assert one.mean is not None and one.ci95 is not None
                assert f"{points(one.mean)} {one.says}".strip() in text
                assert f"{points(one.ci95[0])} to {points(one.ci95[1])}" in text
    for shown in (
        "7.5 ms",
        "2.00",
        "1.90 – 2.10",
        "19.0 k",
        "Measured on AMD EPYC",
        "640",
        "320",
    ):
        assert shown in text, shown
    assert "Every run came to its end." in text


def test_a_sentence_about_chance(full: Compared) -> None:
    text = read(page(full)).text
    shown = 2 * (2 * len(full.rows) - 2)
    assert (
        f"With 20 methods there are {shown} intervals of differences on this page; where "
        "nothing differs, about one in twenty of them leaves zero out by chance."
    ) in text


def test_verdicts_stand_where_they_are_said_alone(full: Compared) -> None:
    """Once each, in the tables; nothing is filled in the figure that holds zero."""
    html = page(full)
    said = [v.says for r in full.rows for o in (r.epochs, r.seconds) for v in o.versus.values()]
    cells = re.findall(r"[+−][\d.]+ (better|worse)", html)
    assert len(cells) == sum(map(bool, said)) > 0
    (wide, *_) = [
        p for p in pictures(html) if p.title.startswith("Accuracy less that of soften")
    ]
    to_soften = [r.epochs.versus["soften"] for r in full.rows if "soften" in r.epochs.versus]
    to_soften += [r.seconds.versus["soften"] for r in full.rows if "soften" in r.seconds.versus]
    classes = [c.get("class") for c in wide.root.iter(f"{SVG}circle")]
    legend = 1
    assert classes.count("student") == legend + sum(bool(v.says) for v in to_soften)
    assert classes.count("open") == legend + sum(not v.says for v in to_soften)


def test_failed_runs_are_listed_with_their_reasons(full: Compared) -> None:
    lost = Outcome(Spread(None, runs=(None, None, None)), failed=("loss is nan at step 3",) * 3)
    first, *others = full.rows
    broken = replace(
        others[3], epochs=lost, seconds=Outcome(Spread(None)), step_ms=None, ratios={}
    )
    text = read(page(replace(full, rows=(first, *others[:3], broken)))).text
    assert text.count("loss is nan at step 3") == 3
    assert "no run came to its end" in text and "0 of 3" in text
    assert "Every run came to its end." not in text


def test_one_seed_says_so(full: Compared) -> None:
    def bare(one: Spread) -> Spread:
        return Spread(one.mean, None, one.runs[:1])

    rows = tuple(
        replace(
            row,
            epochs=Outcome(
                bare(row.epochs.accuracy), {b: bare(v) for b, v in row.epochs.versus.items()}
            ),
            seconds=Outcome(bare(row.seconds.accuracy)),
        )
        for row in full.rows
    )
    text = read(page(replace(full, rows=rows, seeds=1))).text
    assert "one seed, for 40 epochs" in text
    assert "One seed has no interval, so nothing is called better or worse." in text
    assert "points better" not in text


def test_without_a_teacher_and_without_methods(full: Compared) -> None:
    alone = replace(full.rows[0], epochs=replace(full.rows[0].epochs, versus={}), ratios={})
    text = read(page(replace(full, rows=(alone,), teacher_accuracy=None, device=""))).text
    assert "One method taught" in text and "there is no teacher" in text
    assert "Difference to" not in text
    empty = read(page(replace(full, rows=()))).text
    assert "Nothing to draw: no run has come to its end." in empty


# How it looks.


def test_nothing_overlaps_with_twenty_methods_of_long_names(full: Compared) -> None:
    found = pictures(page(full))
    assert len(found) == 3 * (1 + 2), "three figures, wide and, column by column, narrow"
    for picture in found:
        assert len(picture.texts) > 40 or picture.paper.right < 400
        for text in picture.texts:
            near = replace(picture.paper, left=-2)
            assert text.box.inside(near), (picture.title, text)
        for k, one in enumerate(picture.texts):
            for other in picture.texts[k + 1 :]:
                assert not one.box.overlaps(other.box), (picture.title, one, other)


def test_marks_stay_within_their_frame(full: Compared) -> None:
    """Also with two seeds, whose intervals are wider than everything else."""
    first, *others = full.rows
    accuracy = replace(first.epochs.accuracy, ci95=(-0.8, 2.6))
    wide = replace(first, epochs=replace(first.epochs, accuracy=accuracy))
    html = page(replace(full, rows=(wide, *others)))
    for picture in pictures(html):
        for circle in picture.root.iter(f"{SVG}circle"):
            assert float(circle.attrib["cx"]) <= picture.paper.right - 6
        for line in picture.root.iter(f"{SVG}line"):
            xs = [float(line.attrib[k]) for k in ("x1", "x2")]
            assert -8 <= min(xs) <= max(xs) <= picture.paper.right
    assert "beyond-edge" in html.partition("<body>")[2]


def test_rows_of_names_and_marks_are_one(full: Compared) -> None:
    wide = pictures(page(full))[0]
    names = {t.content: t.box.bottom for t in wide.texts if t.box.left == 0}
    values = [t for t in wide.texts if t.content.endswith(" %") and t.box.right > 1000]
    shown = [fitted(row.name, 250) for row in full.rows]
    assert [n for n in names if n in shown] == shown, "in the order that was asked for"
    for row in full.rows:
        at = names[fitted(row.name, 250)]
        (value,) = [v for v in values if abs(v.box.bottom - at) < 3]
        assert value.content == f"{100 * (row.seconds.accuracy.mean or 0):.1f} %"


def test_every_class_has_a_style(full: Compared) -> None:
    html = page(full)
    for svg in re.findall(r"<svg xmlns.*?</svg>", html, re.S):
        used = {c for names in re.findall(r'class="([^"]+)"', svg) for c in names.split()}
        for name in used - {"chart", "legend"}:
            assert f".chart .{name} " in CHART + STYLE, name


def test_long_names_are_cut_to_their_room() -> None:
    assert fitted("hard", 250) == "hard"
    cut = fitted("a_very_long_name_of_a_method@with=many@values=more", 120)
    assert cut.endswith("…") and text_width(cut) <= 120
    assert fitted("", 120) == "" and fitted("hard", 1) == ""


def test_an_axis_holds_all_means_and_not_all_of_a_wide_interval() -> None:
    spreads = [Spread(0.5, (0.4, 0.6), (0.45, 0.55)), Spread(0.7, (-3.0, 4.4), (0.6, 0.8))]
    plot = DotPlot("", "", ["a", "b"], [Column("", spreads)], lambda _: str, str)
    low, high = extent(plot)
    assert 0 <= low < 0.45 and 0.8 < high <= 1.01
    low, high = extent(replace(plot, has_zero=True))
    assert low < 0 and high < 2
    assert extent(replace(plot, columns=[Column("", [None, Spread(None)])])) == (0, 1)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, "+1.2"), (-0.1, "−10.0"), (0.0, "0.0"), (-0.0001, "0.0")]
)
def test_differences_are_points_with_a_sign(value: float, text: str) -> None:
    assert points(value) == text


def test_ticks_have_as_many_decimals_as_they_need() -> None:
    assert [points_axis([-0.01, 0, 0.01])(t) for t in (-0.01, 0, 0.01)] == ["−1", "0", "+1"]
    assert [points_axis([0, 0.005])(t) for t in (0, 0.005)] == ["0.0", "+0.5"]


# What it never does.


def poisoned(value: Any, text: str) -> Any:
    """The same data with `text` in every string of it but a verdict or a baseline."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"says"}
        changed = {f.name: poisoned(getattr(value, f.name), text) for f in fields(value)}
        return replace(value, **{k: v for k, v in changed.items() if k not in kept})
    if isinstance(value, str):
        return value if value in ("hard", "soften") else text + value
    if isinstance(value, tuple):
        return tuple(poisoned(item, text) for item in value)
    if isinstance(value, dict):
        return {poisoned(k, text): poisoned(v, text) for k, v in value.items()}
    return value


def test_no_text_becomes_markup(full: Compared) -> None:
    clean, dirty = read(page(full)), read(page(poisoned(full, ATTACK)))
    names = {name for name, _ in dirty.attributes}
    assert names == {name for name, _ in clean.attributes}
    assert not {"onload", "onerror", "src"} & names
    assert set(dirty.tags) == set(clean.tags) and "script" not in dirty.tags
    pictures(page(poisoned(full, ATTACK)))


def test_the_page_loads_nothing(full: Compared) -> None:
    html = page(full)
    reader = read(html)
    targets = [v for n, v in reader.attributes if n in ("href", "src", "srcset", "data")]
    assert targets == ["data:,"]
    assert not re.search(r"@import|url\(", html)
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "").replace(
        "http-equiv", ""
    )
    assert any("default-src 'none'" in (value or "") for _, value in reader.attributes)


share = st.none() | st.floats(0, 1) | st.just(float("nan"))
ends = st.none() | st.tuples(st.floats(-5, 5), st.floats(-5, 5)) | st.just((float("nan"), 1.0))
spreads = st.builds(
    Spread, share, ends, st.lists(share, max_size=3).map(tuple), st.sampled_from(["", "better"])
)
outcomes = st.builds(
    Outcome,
    spreads,
    st.dictionaries(st.sampled_from(["hard", "soften"]), spreads),
    st.none() | st.integers(1, 10**6),
    st.lists(st.just("lost"), max_size=2).map(tuple),
)
ratios = st.tuples(*[st.floats(0.01, 100) | st.just(float("nan"))] * 3)
methods = st.builds(
    MethodRow,
    st.sampled_from(["hard", "soften", "other", "x" * 80]),
    st.just({}),
    outcomes,
    outcomes,
    st.none() | st.floats(0, 1e6),
    st.dictionaries(st.sampled_from(["hard", "soften"]), ratios),
    st.none() | st.floats(0, 1e9),
)


@given(st.lists(methods, max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_numbers_give_a_page(rows: list[MethodRow]) -> None:
    compared = Compared(
        "r", "now", "0", "d", None, "s", float("nan"), 1, 1, 1, 2, "", tuple(rows)
    )
    html = page(compared)
    read(html)
    pictures(html)
