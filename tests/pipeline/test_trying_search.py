"""What only a search needs is refused before anything is trained."""

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.errors import UserError
from kdsearch.files import read_json, write_json
from kdsearch.pipeline import trying_search
from kdsearch.pipeline.check import check
from kdsearch.pipeline.trying_search import try_out_cluster
from kdsearch.rundir import RunDir


@pytest.fixture(params=["run", "check"])
def begin(request: pytest.FixtureRequest, tiny: Any, go: Any, tmp_path: Path) -> Any:
    """A run, or the check of one, with these keys of `search`; nothing may come of it."""

    def beginning(**search: Any) -> str:
        out, config = tmp_path / "new", tiny(search=search)
        with pytest.raises(UserError) as caught:
            if request.param == "run":
                go(config, out)
            else:
                check(parse_config(config), out, Silent())
        assert not out.exists(), "nothing was begun"
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return beginning


def test_a_place_for_weights_that_cannot_be_written(begin: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    url = (tmp_path / "file" / "below").as_uri()
    said = begin(weights=url)
    assert said.startswith(f"search.weights = '{url}': cannot be written (")
    assert said.endswith("); name another")


def test_an_earlier_run_without_a_front(begin: Any, copied: RunDir) -> None:
    copied.front.unlink()
    assert begin(start_from=str(copied.root)).startswith(
        f"search.start_from: {copied.root}: no front.json yet"
    )


def test_an_earlier_run_of_another_space(begin: Any, copied: RunDir) -> None:
    front = read_json(copied.front)
    for point in front["points"]:
        point["architecture"]["stage1.width"] = 3
    write_json(copied.front, front)
    assert begin(start_from=str(copied.root)).startswith("search.start_from: no student on the")


def test_the_run_itself(tiny: Any, go: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    go(tiny(), out, until="data")
    with pytest.raises(UserError, match="is this run itself"):
        go(tiny(search={"start_from": str(out)}), out)


def test_a_finished_run_does_not_need_them_any_more(
    tiny: Any, go: Any, copied: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kdsearch.pipeline.run.try_out_search", None)
    go(tiny(), copied.root)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without GPUs, with no Ray yet."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(trying_search, "is_up", lambda: False)
    if "ray" in sys.modules:  # another test's is up
        monkeypatch.setattr(sys.modules["ray"], "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


def asking(**ray: Any) -> None:
    try_out_cluster(parse_config({"search": {"engine": "ray-actors"}, "ray": ray}))


def test_gpus_that_this_machine_lacks(alone: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match=r"^ray\.resources\.gpu = 0\.5: this machine has no GPU"
    ):
        asking(resources={"gpu": 0.5})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    asking(resources={"gpu": 0.5})
    with pytest.raises(UserError, match="= 2: this machine has 1 GPU; "):
        asking(resources={"gpu": 2})


def test_an_address_where_nobody_is(alone: None) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(UserError, match=f"^ray.address: {address}: nobody answers"):
            asking(address=address)
