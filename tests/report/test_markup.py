from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.report.markup import Markup, element, escaped, joined


def test_foreign_text_is_escaped_once_and_markup_is_not() -> None:
    inner = element("b", "a < b & 'c'")
    assert inner == "<b>a &lt; b &amp; &#x27;c&#x27;</b>"
    assert element("p", inner, "<i>") == f"<p>{inner}&lt;i&gt;</p>"
    assert joined([inner, "<"]) == f"{inner}&lt;"


def test_attributes() -> None:
    drawn = element("circle", cx=1.0, r=2.345678, class_='x" onload="y', aria_label=None)
    assert drawn == '<circle cx="1" r="2.35" class="x&quot; onload=&quot;y"/>'
    assert element("td", data_label="a") == '<td data-label="a"></td>'
    with pytest.raises(ValueError, match="nan"):
        element("circle", cx=float("nan"))


def test_what_two_markups_add_up_to_is_plain_text_again() -> None:
    assert not isinstance(Markup("<b>") + "<script>", Markup)


@given(st.text(st.characters()))
def test_any_text_gives_well_formed_xml(text: str) -> None:
    parsed = ElementTree.fromstring(element("text", text, id=text).encode("utf-8"))
    assert parsed.text is None or "<" not in escaped(text)
    assert len(parsed) == 0
