"""Whether what a search is to vary of the training can be varied."""

from collections.abc import Iterator
from functools import partial

from kdsearch.config.knob_checks import not_allowed
from kdsearch.config.models import Config
from kdsearch.config.problem import Problem
from kdsearch.config.vary import VARIED, Bounds
from kdsearch.core.space import Value
from kdsearch.errors import did_you_mean

STRENGTH = "augment_strength"


def vary(config: Config) -> Iterator[Problem]:
    for name, values in config.search.vary.items():
        path = ("search", "vary", name)
        if name not in VARIED:
            yield path, f"unknown; {did_you_mean(name, VARIED)}"
        else:
            yield from not_allowed(path, values, partial(outside, VARIED[name]))
    if STRENGTH not in config.search.vary:
        return
    path = ("search", "vary", STRENGTH)
    if config.data.augment == "none":
        yield path, "has nothing to vary with data.augment: none; set shift, or remove this"
    if config.distill.bank:
        rule = "cannot be varied while distill.bank stores what the teacher says; set bank: 0"
        yield path, rule


def outside(bounds: Bounds, value: Value) -> str | None:
    """Why a value cannot be one of these."""
    if isinstance(value, str | bool):
        return bounds.words
    is_low = value <= bounds.low if bounds.open else value < bounds.low
    return bounds.words if is_low or value > bounds.high else None
