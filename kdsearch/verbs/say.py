"""What a verb says on stdout."""

import json
from typing import Any


def say(content: Any, as_json: bool, text: str) -> None:
    """One JSON document, or the text for a person."""
    print(json.dumps(content) if as_json else text)
