import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdsearch.report.front import front_svg
from kdsearch.report.markup import LEAVES
from kdsearch.report.page import page
from kdsearch.report.summary import (
    Curve,
    DataSummary,
    Latency,
    Limit,
    MethodRow,
    SearchSummary,
    StageTime,
    StudentRow,
    Summary,
    TeacherRow,
    TrialDot,
)

Example = Callable[..., Summary]
EMPTY = Summary(run="nothing yet", made="now", version="0.1.0")
ATTACK = "</title></style><script>alert(1)</script><img src=x onerror=y>\"' onload='z' &amp; "
ODD = "Größe 数字 \U0001f600 \u202eabc\u2066 \x00\x1b[31m \ud800 \ufffe é"
NAN = float("nan")


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
        assert tag in LEAVES, f"<{tag}/> is not closed in HTML"
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data + "\n"


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def poisoned(value: Any, text: str) -> Any:
    """The same data with `text` in every string of it, states and costs left as they are."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"state", "cost"}
        return replace(
            value,
            **{
                f.name: poisoned(getattr(value, f.name), text)
                for f in fields(value)
                if f.name not in kept
            },
        )
    if isinstance(value, str):
        return text + value
    if isinstance(value, tuple):
        return tuple(poisoned(item, text) for item in value)
    if isinstance(value, dict):
        return {poisoned(k, text): poisoned(v, text) for k, v in value.items()}
    return value


@pytest.fixture
def full(example: Example) -> Summary:
    """Every field filled."""
    summary = example()
    assert summary.data is not None
    return replace(summary, data=replace(summary.data, skipped=("train/a.png", "train/b.png")))


def test_the_page_is_balanced_and_complete(full: Summary) -> None:
    reader = read(page(full))
    for shown in (
        "7 students on the front",
        "s006",
        "knee · trial 10",
        "88.5 %",
        "86.7 – 89.5",
        "p95 20.8 µs",
        "temperature\u00a04 · weight\u00a00.9",
        "depth 2, 1, 2",
        "resnet-tiny, 729 students",
        "one of 1.0, 2.0, 4.0, 8.0",
        "loss is not a number at step 112",
        "31 s, from the store",
        "10 classes",
        "1,078",
        "2 broken images were skipped",
        "AMD EPYC 9B14",
        "p95 is up to 1.9 x p50",
        "p99",
        "24.1 µs to 25.8 µs",
        "predicted p50",
        "not told apart from that of s003",
        "channels_last",
        "ceiling 0.97",
        "+1.0 %",
        "latency_ms <= 60% (150 µs)",
    ):
        assert shown in reader.text, shown


def test_the_page_loads_nothing(full: Summary) -> None:
    html = page(full)
    reader = read(html)
    loading = {"src", "srcset", "href", "xlink:href", "action", "data", "poster", "background"}
    targets = [value or "" for name, value in reader.attributes if name in loading]
    assert targets and all(t.startswith("#") or t == "data:," for t in targets)
    assert not re.search(r"@import|url\((?!#)", html)
    without_namespace = html.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in without_namespace and "https://" not in without_namespace
    assert "default-src 'none'" in dict(reader.attributes).values() or any(
        "default-src 'none'" in (value or "") for _, value in reader.attributes
    )


def test_dots_lead_to_rows_that_exist(full: Summary) -> None:
    reader = read(page(full))
    ids = [value for name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    rows = {f"#{i}" for i in ids if i and i.startswith(("student-", "card-"))}
    targets = {v for n, v in reader.attributes if n == "href" and (v or "").startswith("#")}
    assert targets == rows and len(rows) == 14


@pytest.mark.parametrize("text", [ATTACK, ODD])
def test_no_text_becomes_markup(full: Summary, text: str) -> None:
    clean, dirty = read(page(full)), read(page(poisoned(full, text)))
    names = {name for name, _ in dirty.attributes}
    assert names == {name for name, _ in clean.attributes}
    assert not {"onload", "onerror", "src"} & names
    assert set(dirty.tags) == set(clean.tags)
    ElementTree.fromstring(front_svg(poisoned(full, text)))
    page(poisoned(full, text)).encode("utf-8")


def strings(value: Any) -> list[str]:
    """Every string that is shown."""
    if is_dataclass(value) and not isinstance(value, type):
        return [s for f in fields(value) for s in strings(getattr(value, f.name))]
    if isinstance(value, tuple):
        return [s for item in value for s in strings(item)]
    if isinstance(value, dict):
        return [s for pair in value.items() for item in pair for s in strings(item)]
    return [value] if isinstance(value, str) else []


def test_the_poison_reaches_every_string(full: Summary) -> None:
    untouched = [s for s in strings(poisoned(full, "☠")) if "☠" not in s]
    assert set(untouched) <= {"latency_ms", "trained", "screened", "stopped", "failed"}


def test_an_empty_run_says_so_everywhere() -> None:
    text = read(page(EMPTY)).text
    for sentence in (
        "This run has no student yet.",
        "Nothing to draw",
        "No student has reached the front yet.",
        "No training curve was recorded.",
        "The search has not begun.",
        "No trial has been made yet.",
        "No stage has been timed yet.",
        "The data have not been prepared yet.",
        "The device was not recorded.",
    ):
        assert sentence in text, sentence


def test_one_student(example: Example) -> None:
    text = read(page(example(1, 0))).text
    assert "The front has one student: 88.1\u00a0% at 16\u00a0µs (test accuracy)." in text


def test_students_without_latency(example: Example) -> None:
    summary = example()
    bare = tuple(replace(row, latencies=()) for row in summary.students)
    text = read(page(replace(summary, students=bare, trials=(), teacher=None))).text
    assert "7 students, none with both an accuracy and a cost." in text
    assert "Nothing to draw" in text
    assert "latency p50" not in text


def test_further_objectives_have_columns_and_are_named_under_the_picture(
    example: Example,
) -> None:
    summary = example()
    assert summary.search is not None
    asked = ("accuracy", "macro_f1", "latency_ms", "worst_class")
    rows = tuple(
        replace(row, more={"macro_f1": 0.5 + i / 100, "worst_class": None})
        for i, row in enumerate(summary.students)
    )
    wide = replace(summary, students=rows, search=replace(summary.search, objectives=asked))
    text = read(page(wide)).text
    assert "macro-F1" in text and "worst_class" in text and "0.53" in text
    assert "The search compared by accuracy, macro_f1, latency_ms, worst_class: " in text
    assert "The search compared by" not in read(page(summary)).text


def test_one_of_several_latencies_is_missing(example: Example) -> None:
    summary = example()
    first, *others = summary.students
    extra = replace(first, latencies=(*first.latencies, Latency("eager", 0.3)))
    text = read(page(replace(summary, students=(extra, *others)))).text
    assert "eager" in text and "300 µs" in text and "–" in text


def test_untested_students_are_compared_by_search_accuracy(example: Example) -> None:
    summary = example()
    first, *others = summary.students
    untested = replace(first, test_accuracy=None, test_ci95=None)
    text = read(page(replace(summary, students=(untested, *others)))).text
    assert "from 88.5\u00a0% at 16\u00a0µs" in text and "(search accuracy)" in text


def test_numbers_that_are_none_are_dashes(example: Example) -> None:
    row = replace(
        example().students[0],
        search_accuracy=NAN,
        search_ci95=(NAN, NAN),
        params=None,
        macs=NAN,
        knobs={"weight": NAN},
        latencies=(Latency("eager", NAN, None, (NAN, NAN)),),
    )
    summary = replace(
        EMPTY,
        students=(row,),
        stages=(StageTime("teacher", NAN), StageTime("search", None)),
        trials=(TrialDot("t", "trained", NAN, NAN),),
        search=SearchSummary("s", None, "tpe", "in-process", 0, (), (NAN,), hypervolume=NAN),
        device={"threads": None, "share": NAN},
        data=DataSummary("d", (), "", {"train": 0}),
    )
    assert "–" in read(page(summary)).text


any_number = st.none() | st.floats() | st.floats(0, 1) | st.floats(1e-3, 10)
any_interval = st.none() | st.tuples(st.floats(), st.floats())
any_curve = st.lists(st.tuples(st.floats(), st.floats()), max_size=4).map(tuple)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_numbers_give_a_page(data: st.DataObject) -> None:
    def latency() -> Latency:
        return Latency(
            "t", data.draw(any_number), data.draw(any_number), data.draw(any_interval)
        )

    rows = tuple(
        StudentRow(
            id=f"s{i}",
            architecture={},
            method="hard",
            knobs={},
            search_accuracy=data.draw(any_number),
            params=data.draw(any_number),
            macs=data.draw(any_number),
            search_ci95=data.draw(any_interval),
            test_accuracy=data.draw(any_number),
            latencies=(latency(),),
        )
        for i in range(data.draw(st.integers(0, 3)))
    )
    trials = tuple(
        TrialDot("t", "trained", data.draw(any_number), data.draw(any_number))
        for _ in range(data.draw(st.integers(0, 3)))
    )
    summary = replace(
        EMPTY,
        students=rows,
        trials=trials,
        teacher=TeacherRow("t", data.draw(any_number)),
        limits=(Limit("latency_ms", data.draw(st.floats()), "x"),),
        curves=(Curve("c", "c", data.draw(any_curve), data.draw(any_curve)),),
    )
    read(page(summary))
    ElementTree.fromstring(front_svg(summary))


def test_reasons_are_counted_and_the_rarest_summed_up() -> None:
    many = [TrialDot(f"trial {i}", "failed", reason=f"reason {i}") for i in range(30)]
    often = [TrialDot(f"trial {100 + i}", "failed", reason="out of memory") for i in range(5)]
    silent = [TrialDot("trial 200", "failed")]
    text = read(page(replace(EMPTY, trials=(*many, *often, *silent)))).text
    assert "trial 100, trial 101, trial 102 and 2 more" in text
    assert "12 more with rarer reasons." in text
    assert "36" in text


def test_a_method_without_knobs_is_listed() -> None:
    search = SearchSummary(
        "s", 9, "tpe", "in-process", 4, ("accuracy",), (1.0,), (MethodRow("hard", {}),)
    )
    text = read(page(replace(EMPTY, search=search))).text
    assert "hard" in text and "none" in text
