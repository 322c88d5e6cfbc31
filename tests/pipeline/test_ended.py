"""A search that a limit ended stays over, until that limit is raised."""

from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.search import is_open, is_over, limits_asked
from kdsearch.pipeline.terms import terms_of
from kdsearch.search.limits import Limits


def opened(tiny: Any, root: Path, **search: Any) -> Context:
    return open_context(parse_config(tiny(search=search)), root, Silent())


@pytest.mark.parametrize(
    ("changed", "study", "over"),
    [
        ({}, "this", True),
        ({"trials": 900}, "this", True),
        ({"patience": 6}, "this", False),
        ({"seconds": 100}, "this", False),
        ({}, "another", False),
    ],
)
def test_until_a_limit_is_changed(
    changed: dict[str, Any], study: str, over: bool, tiny: Any, tmp_path: Path
) -> None:
    before = opened(tiny, tmp_path, patience=5, trials=400)
    why = "search.patience: 5 trials did not add to the front"
    before.run.note(ended={"study": "this", "why": why, "limits": limits_asked(before)})
    now = opened(tiny, tmp_path, **{"patience": 5, "trials": 400} | changed)
    assert is_over(now, study) == over
    assert is_open([], terms_of(now), Limits(), is_over(now, study)) != over


def test_one_that_came_to_its_trials_goes_on_with_more(tiny: Any, tmp_path: Path) -> None:
    before = opened(tiny, tmp_path, trials=4)
    before.run.note(ended={"study": "this", "why": "", "limits": limits_asked(before)})
    assert not is_over(before, "this")
