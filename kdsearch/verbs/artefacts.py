"""The verbs on exported folders, and on what this machine can do with them."""

import argparse
import json
from pathlib import Path


def verify(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.verify import verify as checked
    from kdsearch.pipeline.verify import words

    content = checked(Path(arguments.folder), trust_code=arguments.trust_code)
    print(json.dumps(content) if arguments.json else words(content))
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.doctor import doctor as looked_at
    from kdsearch.pipeline.doctor import words

    content = looked_at()
    print(json.dumps(content) if arguments.json else words(content))
    return 0
