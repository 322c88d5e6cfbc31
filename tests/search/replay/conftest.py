"""The table, and searches on it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from replayed import OBJECTIVES, Replay, Table  # noqa: E402

from kdsearch.search.terms import Terms  # noqa: E402

TERMS = Terms(
    trials=40,
    batch=8,
    fractions=(1 / 9, 1 / 3, 1.0, 1.0),  # the last is the finalists'
    keep_layers=10**9,
    objectives=OBJECTIVES,
    bounds=(),
    seed=0,
    reduction=3.0,
)


@pytest.fixture(scope="session")
def table() -> Table:
    return Table.read()


@pytest.fixture
def replay(table: Table, tmp_path: Path) -> Callable[..., Replay]:
    """`replay("name", sampler="tpe", trials=20)`: a search in a folder of this name."""

    def make(name: str, sampler: str = "tpe", **terms: Any) -> Replay:
        return Replay(table, tmp_path / name, TERMS, sampler).having(**terms)

    return make
