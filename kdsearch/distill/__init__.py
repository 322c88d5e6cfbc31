"""Distillation methods: METHODS lists them, ours one file each, and other packages'."""

from collections.abc import Mapping
from types import MappingProxyType

from kdsearch.distill.alpha_divergence import AlphaDivergence
from kdsearch.distill.attention import Attention
from kdsearch.distill.decoupled import Decoupled
from kdsearch.distill.dist import DIST
from kdsearch.distill.evolutionary import Evolutionary
from kdsearch.distill.hard import Hard
from kdsearch.distill.hint import Hint
from kdsearch.distill.information_flow import InformationFlow
from kdsearch.distill.lightskd import LightSKD
from kdsearch.distill.method import Method
from kdsearch.distill.multi_level import MultiLevel
from kdsearch.distill.nkd import NKD
from kdsearch.distill.plugins import plugged_in
from kdsearch.distill.probabilistic import Probabilistic
from kdsearch.distill.relational import Relational
from kdsearch.distill.similarity import Similarity
from kdsearch.distill.soften import Soften
from kdsearch.distill.standardized import Standardized

OURS: Mapping[str, type[Method]] = MappingProxyType(
    {
        m.name: m
        for m in (
            AlphaDivergence,
            Attention,
            Decoupled,
            DIST,
            Evolutionary,
            Hard,
            Hint,
            InformationFlow,
            LightSKD,
            MultiLevel,
            NKD,
            Probabilistic,
            Relational,
            Similarity,
            Soften,
            Standardized,
        )
    }
)
METHODS: Mapping[str, type[Method]]
"""Ours and those of other packages."""
BROKEN: Mapping[str, str]
"""Why some of the others cannot be had, by name."""


def __getattr__(name: str) -> Mapping[str, object]:
    """METHODS and BROKEN, on first use: a package that brings a method imports this one, and
    cannot be asked for it before its own import is through."""
    if name not in ("METHODS", "BROKEN"):
        raise AttributeError(f"module 'kdsearch.distill' has no attribute '{name}'")
    theirs, broken = plugged_in(OURS)
    globals().update(METHODS=MappingProxyType({**OURS, **theirs}), BROKEN=broken)
    return globals()[name]  # type: ignore[no-any-return]
