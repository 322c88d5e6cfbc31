"""Two processes train one network: two_ranks.py does it, once; here is what came of it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch.training.parallel import averaged, own_share

Ranks = tuple[dict[str, Any], dict[str, Any]]

pytestmark = pytest.mark.slow

POLICIES = ("sandwich", "importance")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def ranks(folder: Path) -> Ranks:
    """What each process saw."""
    script = Path(__file__).with_name("two_ranks.py")
    both = [
        subprocess.Popen(
            [sys.executable, "-W", "error", str(script), str(own), str(folder)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for own in (0, 1)
    ]
    said = [process.communicate(timeout=600)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(said)
    first, second = (torch.load(folder / f"rank{own}.pt") for own in (0, 1))
    return first, second


def test_alone_everything_is_ones_own() -> None:
    values = torch.tensor([1.0, 2.0])
    assert averaged(values) is values and own_share(7) == slice(0, 7)


def test_the_first_is_heard(ranks: Ranks) -> None:
    for own, seen in enumerate(ranks):
        assert seen["told"]["of"] == (own, 2)
        assert seen["told"]["first"] == "of 0"
        zeros, numbers, flags, one = seen["told"]["mixed"]
        assert zeros == [[0.0] * 3] * 2 and flags == [True, False] and one == 0
        assert torch.tensor(numbers).flatten().tolist() == list(range(24))
        assert seen["told"]["mean"] == [0.5, 3.0]


def assert_close(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-5, rtol=1e-5, msg=name)


@pytest.mark.parametrize("kind", ["layer norm", "vit"])
def test_without_batch_norm_gradients_are_those_of_the_whole_batch(
    ranks: Ranks, kind: str
) -> None:
    """Of one network with a layer that is not used, and of four students of a supernet."""
    alone = ranks[0]["alone"][kind]
    assert not any("unused" in name for name in alone)
    for seen in ranks:
        assert_close(seen[kind], alone)


def test_with_batch_norm_they_are_those_of_halves_normalised_apart(ranks: Ranks) -> None:
    """And not those of the whole batch normalised at once."""
    alone = ranks[0]["alone"]
    for seen in ranks:
        assert_close(seen["batch norm"], alone["halves"])
    with pytest.raises(AssertionError):
        assert_close(ranks[0]["batch norm"], alone["batch norm"])


@pytest.mark.parametrize("policy", POLICIES)
def test_both_hold_the_same_supernet(ranks: Ranks, policy: str) -> None:
    """Whatever weights they began with: weights, statistics, average, losses."""
    first, second = (seen[policy] for seen in ranks)
    for part in ("parameters", "buffers", "average", "curve"):
        assert first[part] == second[part], part
    steps, losses = zip(*first["curve"], strict=True)
    assert list(steps) == list(range(1, 21)) and losses[-1] < losses[0]


@pytest.mark.parametrize("policy", POLICIES)
def test_both_train_the_same_paths(ranks: Ranks, policy: str) -> None:
    paths = ranks[0][policy]["paths"]
    assert paths == ranks[1][policy]["paths"]
    assert len(paths) == 4 * 20 and len(set(paths)) > 10


def test_each_sees_its_own_half_of_what_one_would_see(ranks: Ranks) -> None:
    first, second = (seen["sandwich"]["seen"] for seen in ranks)
    assert {len(rows) for rows in first + second} == {8}
    joined = [one + other for one, other in zip(first, second, strict=True)]
    assert joined == ranks[0]["alone"]["seen"]


def test_each_has_its_own_noise(ranks: Ranks) -> None:
    first, second = (seen["sandwich"]["noise"] for seen in ranks)
    assert not set(first) & set(second) and len(set(first)) == 20


@pytest.mark.parametrize("policy", POLICIES)
def test_cut_in_two_it_is_the_same_run(ranks: Ranks, folder: Path, policy: str) -> None:
    """Whatever weights the second process has before the first one's reach it."""
    for seen in ranks:
        straight = [seen[policy][part] for part in ("parameters", "buffers", "average")]
        assert seen[policy]["resumed"] == straight
    cut, straight_file = (folder / name / "0" for name in (f"{policy} cut", policy))
    assert cut.read_bytes() == straight_file.read_bytes()


def test_only_the_first_writes(ranks: Ranks, folder: Path) -> None:
    written = {str(path.relative_to(folder)) for path in folder.glob("*/*")}
    names = [f"{policy}{end}" for policy in POLICIES for end in ("", " cut")]
    assert written == {f"{name}/0" for name in (*names, "broken")}


def test_one_message_a_step(ranks: Ranks) -> None:
    """Four students, one teacher of three of them: one all-reduce of all weights."""
    for seen in ranks:
        assert seen["counted"] == {"calls": 3, "steps": 3, "whole": True}


def test_shares_have_to_be_even(ranks: Ranks) -> None:
    for seen in ranks:
        assert seen["odd"] == (
            "UserError: a batch of 15 images cannot be shared evenly by 2 processes; "
            "set batch_size to a multiple of 2"
        )


def test_who_drifts_apart_is_told(ranks: Ranks) -> None:
    for seen in ranks:
        assert seen["drifted"].startswith("KdsearchError: after step 2 the processes' weights")


def test_both_go_back_where_one_went_wrong(ranks: Ranks) -> None:
    first, second = (seen["broken"] for seen in ranks)
    assert first == second
    assert first["rollbacks"] == 1
    # twenty steps: a checkpoint after each, kept when the step after it went well
    assert first["steps"] == [*range(13), *range(11, 20)]
    assert first["said"].startswith("loss is nan at step 12;")
