"""What run.json may hold."""

import pytest

from kdsearch.core.run_shapes import is_run


@pytest.mark.parametrize(
    ("limit", "holds"), [(5.0, True), ("60%", True), (None, True), ([5.0], False), ({}, False)]
)
def test_a_budget_is_a_number_a_share_or_nothing(limit: object, holds: bool) -> None:
    assert is_run({"study_key": {"budget": {"latency_ms": limit}}}) is holds
