"""What a config cannot ask of a space whose family is the user's own function."""

from collections.abc import Iterator
from functools import partial

from kdsearch import spaces
from kdsearch.config.knobs import knob_spaces
from kdsearch.config.models import Config
from kdsearch.config.problem import Problem, refused
from kdsearch.config.shaping_checks import BRANCHED

OWN = "module:"


def own_family(config: Config) -> Iterator[Problem]:
    """Wider networks than the space's largest, and branches, which take shared weights."""
    if refused(partial(spaces.load_space, config.space)):
        return  # said elsewhere
    family = spaces.load_space(config.space).family
    if not family.startswith(OWN):
        return
    it = config.teacher
    if it.width != 1:
        rule = f"no wider network than the largest of {family} is known; remove this"
        yield ("teacher", "width"), rule
    if it.training in BRANCHED:
        rule = f"needs students that share weights, {family} has none; set plain"
        yield ("teacher", "training"), rule
    if refused(partial(knob_spaces, config.distill)):
        return  # said elsewhere, too
    for i, name in enumerate(config.distill.names):
        if may_double_width(config, name):
            rule = f"no network twice as wide is known of {family}; set aux: max_subnet"
            yield ("distill", "methods", i), rule


def may_double_width(config: Config, name: str) -> bool:
    """Whether a search may draw an auxiliary network of twice the width."""
    from kdsearch.distill.kinds import kind, possible_needs  # brings torch

    space = knob_spaces(config.distill)[name]
    asked = [needs.auxiliary for needs in possible_needs(kind(name), space)]
    return any(aux is not None and aux.size == "double_width" for aux in asked)
