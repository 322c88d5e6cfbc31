"""The place to decide: what the page's script works on, and where it puts its work.

Without scripts the picture beside it is all there is; the script takes its place.
"""

from collections.abc import Sequence

from kdsearch.report.choice import Choice
from kdsearch.report.embedded import data
from kdsearch.report.markup import Markup, element, joined


def decide(choices: Sequence[Choice]) -> Markup:
    if not choices:
        return Markup("")
    return joined([element("div", id="decide", hidden=""), data(choices)])


def top(brand: str, is_live: bool = False) -> Markup:
    """The page's first line: what it is, how it stands where it is live, light or dark."""
    button = element("button", "Dark", type="button", id="theme", hidden="")
    line = element("div", element("p", brand, class_="brand"), button, class_="top")
    return joined([now(), line]) if is_live else line


def now() -> Markup:
    """How far the run is; the script fills it in."""
    said = element("span", "Looking at the run …")
    return element("p", said, element("progress", hidden=""), id="now", role="status")
