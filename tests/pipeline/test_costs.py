"""The cost book of a run is opened as its config says."""

from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.data.stored import read_info
from kdsearch.errors import ConfigError
from kdsearch.measure.load import POLICIES, Watch
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.costs import open_books
from kdsearch.rundir import RunDir


@pytest.mark.parametrize("policy", POLICIES)
def test_a_book_does_on_a_busy_machine_what_the_config_says(
    finished: RunDir, tiny: Any, policy: str
) -> None:
    """And has the same folder whatever that is: who waited measured the same."""
    info = read_info(Path(finished.facts()["data"]))
    latency = {"busy": policy, "patience": 3.0}
    context = open_context(parse_config(tiny(latency=latency)), finished.root, Silent())
    book = open_books(context, info).first
    assert book.watch == Watch(policy, 3.0)
    assert book.folder == (finished.root / "latency").resolve()


def test_an_unknown_policy_is_refused(tiny: Any) -> None:
    with pytest.raises(ConfigError, match="latency.busy"):
        parse_config(tiny(latency={"busy": "never"}))
