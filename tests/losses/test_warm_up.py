import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.losses.warm_up import PUBLISHED, warm_up


@pytest.mark.parametrize("epoch", [1, 2, 13, 19, 20, 21, 240])
def test_every_epoch_of_the_authors_starts_with_their_factor(epoch: int) -> None:
    """megvii-research/mdistiller, mdistiller/distillers/DKD.py: min(epoch / 20, 1), the first
    of 240 epochs 1."""
    behind = (epoch - 1) / 240
    assert warm_up(behind, PUBLISHED) == pytest.approx(min(epoch / 20, 1))


@given(progress=st.floats(0, 1), later=st.floats(0, 1), share=st.floats(0, 1))
def test_it_grows_from_above_zero_to_one(progress: float, later: float, share: float) -> None:
    first, second = sorted((progress, later))
    assert 0 < warm_up(first, share) <= warm_up(second, share) <= 1
    assert warm_up(1.0, share) == 1


def test_without_a_share_the_loss_counts_at_once() -> None:
    assert warm_up(0.0, 0.0) == 1
