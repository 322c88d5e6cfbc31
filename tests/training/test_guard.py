import math

import pytest

from kdsearch.errors import TrainingError
from kdsearch.training.guard import Guard

CHANCE = math.log(10)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["total", "cross-entropy"])
def test_the_first_loss_that_is_no_number_is_named(bad: float, where: str) -> None:
    fine, broken = [1.0, 1.0, 1.0, 1.0], [1.0, bad, 1.0, bad]
    pair = (broken, fine) if where == "total" else (fine, broken)
    with pytest.raises(TrainingError, match=f"loss is {bad} at step 21;") as caught:
        Guard(10).check(*pair, 23)
    assert caught.value.step == 21


def test_a_fall_back_to_chance() -> None:
    guard = Guard(10)
    guard.check([9.0], [0.7 * CHANCE], 10)
    guard.check([9.0], [0.97 * CHANCE], 11)
    with pytest.raises(TrainingError, match=r"at step 12: .*2\.303, chance 2\.303, best 1\.61"):
        guard.check([9.0], [CHANCE], 12)


def test_a_few_images_do_not_tell_chance() -> None:
    """The rest of an epoch, two images of which one is missed."""
    guard = Guard(10)
    guard.check([9.0], [0.1 * CHANCE], 10)
    guard.check([9.0], [2 * CHANCE], 11, tells_chance=False)
    guard.check([9.0], [0.01 * CHANCE], 12, tells_chance=False)
    assert guard.best == pytest.approx(0.1 * CHANCE)
    with pytest.raises(TrainingError, match="loss is nan at step 13"):
        guard.check([math.nan], [0.1], 13, tells_chance=False)


def test_who_never_learnt_does_not_fall() -> None:
    guard = Guard(10)
    for step, share in enumerate((1.0, 0.81, 1.0, 1.5)):
        guard.check([1.0], [share * CHANCE], step)
    assert guard.best == pytest.approx(0.81 * CHANCE)


def test_a_window_counts_by_its_mean() -> None:
    guard = Guard(10)
    guard.check([1.0, 1.0], [0.5, CHANCE], 1)
    guard.check([1.0, 1.0], [0.5, CHANCE], 3)
    assert guard.best == pytest.approx((0.5 + CHANCE) / 2)


def test_chance_follows_the_classes() -> None:
    assert Guard(10).chance == pytest.approx(2.302585)
    assert Guard(1).chance == pytest.approx(math.log(2))  # one class alone: nothing to lose


def test_an_explosion_of_finite_numbers() -> None:
    guard = Guard(10)
    guard.check([2000.0], [2000.0], 3)  # a bad start may still come back
    with pytest.raises(TrainingError, match=r"loss is 2\.5e\+03 at step 4; a smaller learning"):
        guard.check([2500.0], [2500.0], 4)
