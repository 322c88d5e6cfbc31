"""What every page is made of: one HTML file with nothing else to load."""

from collections.abc import Sequence

from kdsearch.report.embedded import allowed, read, script
from kdsearch.report.markup import Markup, element
from kdsearch.report.style import style_sheet

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Whatever slips into the page, the browser loads and runs nothing."""


def document(
    title: str, *parts: str, style: str = "", scripted: bool = False, live: str | None = None
) -> str:
    """A whole page.

    Args:
        style: is added to the style sheet of all.
        scripted: has the script of `embedded` in it; the policy lets that one run alone.
        live: names the content of a page that a server keeps up to date.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(scripted, live)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", f"{title} – kdsearch"),
        element("style", Markup(style_sheet() + read("decide.css") * scripted + style)),
    )
    body = element("body", element("main", *parts), *([script()] * scripted))
    return f"<!doctype html>\n{element('html', head, body, lang='en', data_live=live)}\n"


def policy(scripted: bool, live: str | None) -> str:
    """What the browser may do with a page."""
    parts = [POLICY]
    parts += [f"script-src {allowed()}"] * scripted
    return "; ".join(parts + ["connect-src 'self'"] * (live is not None))


def section(title: str, *parts: str) -> Markup:
    return element("section", element("h2", title), *parts)


def nothing(sentence: str) -> Markup:
    """In place of a figure or a table that has nothing to show."""
    return element("p", sentence, class_="none")


def tiles(items: Sequence[tuple[str, str, str]]) -> Markup:
    """(name, value, what stands below it), side by side."""
    written = [
        element("div", element("dt", name), element("dd", value, element("small", below)))
        for name, value, below in items
    ]
    return element("dl", *written, class_="tiles") if written else Markup("")
