"""The script and the data within a page: one script runs, data are never anything else."""

import json
import math
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kdsearch.core.quantities import printable
from kdsearch.report.choice import Candidate, Choice, Quantity, unit
from kdsearch.report.decide import decide
from kdsearch.report.document import document
from kdsearch.report.embedded import SCRIPTS, code, read
from kdsearch.report.page import page
from kdsearch.report.summary import Summary

STUDENT = Candidate("s001", {"accuracy": 0.9, "macs": 1e6}, {"accuracy": 0.9, "macs": 1e6})
CHOICE = Choice(
    run="a",
    command="runs/a",
    leading="accuracy",
    quantities=(
        Quantity("accuracy", "accuracy", "percent", True, True),
        Quantity("macs", "MACs", "count", False, False),
    ),
    candidates=(STUDENT,),
)


class Scripts(HTMLParser):
    """Attributes and content of each script element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.found.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            attributes, before = self.found[-1]
            self.found[-1] = (attributes, before + data)


def test_one_script_runs_and_the_policy_names_it(example: Callable[..., Summary]) -> None:
    html = page(example())
    data, own = Scripts(html).found
    assert data[0] == {"type": "application/json", "id": "choices"}
    assert own == ({}, code())
    named = b64encode(sha256(own[1].encode()).digest()).decode()
    head = html.partition("</head>")[0]
    assert f'script-src &#x27;sha256-{named}&#x27;"' in head
    assert "connect-src" not in head
    assert "connect-src &#x27;self&#x27;" in page(example(), live="1").partition("</head>")[0]


def test_the_script_has_nothing_that_ends_it_or_reaches_out() -> None:
    assert "</script" not in code().lower() and "<!--" not in code()
    for name in SCRIPTS:
        text = read(f"{name}.js")
        assert text.startswith("// ") and text.isprintable() is False and "\t" not in text
        for way_out in ("innerHTML", "eval(", "XMLHttpRequest", "import(", "document.write"):
            assert way_out not in text, (name, way_out)
        assert name == "live" or "fetch(" not in text


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None)))
@example("</script><script>alert(1)</script>")
@example("<!--<script>")
@example("\u2028\u2029]]>&lt;'\"\\")
def test_data_of_any_name_stay_data(name: str) -> None:
    first = replace(STUDENT, id=name, recipe=name, values={name: 1.0})
    html = document(
        "x", decide([replace(CHOICE, run=name, candidates=(first,))]), scripted=True
    )
    assert html.count("<script") == html.lower().count("</script") == 2
    data = Scripts(html).found[0][1]
    assert not set(data) & set("<>&'\u2028\u2029")
    (found,) = json.loads(data)
    assert found["run"] == found["candidates"][0]["id"] == printable(name)
    assert found["candidates"][0]["values"] == {printable(name): 1.0}
    html.encode("utf-8")


def test_a_number_that_is_none_is_null() -> None:
    first = replace(STUDENT, values={"accuracy": math.nan, "macs": math.inf})
    html = document("x", decide([replace(CHOICE, candidates=(first,))]), scripted=True)
    (found,) = json.loads(Scripts(html).found[0][1])
    assert found["candidates"][0]["values"] == {"accuracy": None, "macs": None}


def test_quantities_of_every_target_have_a_unit() -> None:
    assert unit("latency_ms@edge") == unit("latency_ms") == "milliseconds"
    assert (unit("params"), unit("accuracy")) == ("count", "percent")
    assert unit("worst_class") == "plain_number"
