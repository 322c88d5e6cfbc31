"""What a check of a config gives, and the ways to it that several checks go."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from kdsearch import spaces
from kdsearch.config.models import Config
from kdsearch.core.space import Value
from kdsearch.errors import UserError
from kdsearch.spaces.marked import Keys

Problem = tuple[Keys, str]
"""Where, and what is wrong there with the way out."""
UNKNOWN_KEY = "unknown key; "
"""What begins the rule of a problem with a key rather than with its value."""


def refused(check: Callable[[], object]) -> str | None:
    """The line of the UserError that a check raises; None if it raises none."""
    try:
        check()
    except UserError as error:
        return str(error)
    return None


def not_of_space(
    config: Config, keys: Keys, chosen: str | Mapping[str, Value]
) -> Iterator[Problem]:
    """What keeps an architecture that is spelt out from being one of the space."""
    if not isinstance(chosen, str) and not refused(partial(spaces.locate, config.space)):
        axes = spaces.load_space(config.space).space
        if wrong := refused(partial(axes.check, chosen)):
            yield keys, wrong
