"""The page's own script and data, written into it so that nothing has to be loaded.

Data stand in an element that no browser runs. The script is named by its hash in the page's
policy: no other one runs, wherever it may have come from.
"""

import json
import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from kdsearch.core.quantities import printable
from kdsearch.report.choice import Choice
from kdsearch.report.markup import Markup, element

SCRIPTS = (
    "amounts",
    "query",
    "confidence",
    "axes",
    "marks",
    "chart",
    "zoom",
    "tips",
    "bounds",
    "answer",
    "decide",
    "theme",
    "live",
)
"""Files of report/script, in the order they are put together."""
UNSAFE: Mapping[int, str] = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'"}
"""What might end the element, or be read as markup by an old browser."""


@cache
def code() -> str:
    """All of the script, as one function of its own."""
    parts = [read(f"{name}.js") for name in SCRIPTS]
    return '\n(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n"


def read(name: str) -> str:
    return (files("kdsearch.report") / "script" / name).read_text(encoding="utf-8")


@cache
def allowed() -> str:
    """The script as a policy names it."""
    return f"'sha256-{b64encode(sha256(code().encode()).digest()).decode()}'"


def script() -> Markup:
    return element("script", Markup(code()))


def data(choices: Sequence[Choice]) -> Markup:
    """The element that the script reads."""
    content = [cleaned(asdict(one)) for one in choices]
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return element(
        "script", Markup(text.translate(UNSAFE)), type="application/json", id="choices"
    )


def cleaned(content: Any) -> Any:
    """Texts without what a screen would obey; a number that is none becomes null."""
    if isinstance(content, str):
        return printable(content)
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {printable(str(name)): cleaned(value) for name, value in content.items()}
    return [cleaned(one) for one in content] if isinstance(content, list | tuple) else content
