"""The verbs on exported folders, and on what this machine can do with them."""

import argparse
from pathlib import Path

from kdsearch.verbs.say import say


def verify(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.verify import verify as checked
    from kdsearch.pipeline.verify import words

    content = checked(Path(arguments.folder), trust_code=arguments.trust_code)
    say(content, arguments.json, words(content))
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.doctor import doctor as looked_at
    from kdsearch.pipeline.doctor import words

    content = looked_at()
    say(content, arguments.json, words(content))
    return 0
