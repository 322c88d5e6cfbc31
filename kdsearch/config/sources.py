"""Names of networks and data: 'torchvision:NAME', 'module:pkg.mod:factory', …"""

import re
from collections.abc import Mapping, Sequence

from kdsearch.errors import did_you_mean

SOURCES: Mapping[str, str] = {
    "torchvision": r"\w+",
    "timm": r"[\w.-]+",
    "checkpoint": r".+",
    "folder": r".+",
    "module": r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*",
}
"""What may stand after 'torchvision:', 'folder:', 'module:', …"""
FORMS: Mapping[str, str] = {
    "torchvision": "torchvision:NAME",
    "timm": "timm:NAME",
    "checkpoint": "checkpoint:FOLDER",
    "folder": "folder:PATH",
    "module": "module:pkg.mod:factory",
}


def source_problem(name: str, own: str, kinds: Sequence[str]) -> str | None:
    """Why `name` is neither `own` nor a source of one of these kinds; None if it is one."""
    kind, colon, rest = name.partition(":")
    if name == own:
        return None
    if colon and kind in kinds:
        right = re.fullmatch(SOURCES[kind], rest)
        return None if right else f"must have the form {FORMS[kind]}"
    near = did_you_mean(kind if colon else name, (own, *(FORMS[k] for k in kinds)))
    return f"unknown; {near}"
