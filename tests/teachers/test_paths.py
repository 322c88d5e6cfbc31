"""The distribution of paths: its draws, its floor, what it learns."""

import math
import random

import pytest
import torch
from scipy.stats import chisquare

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Point, Space
from kdsearch.errors import TeacherError
from kdsearch.teachers.costs import value_costs
from kdsearch.teachers.learning import ARCHITECTURE_LOSSES, Learning
from kdsearch.teachers.paths import PathDistribution

SPACE = Space({"width": Choice((2, 4, 8)), "depth": Choice((1, 2))})
FAST = 0.05


def tilted(floor: float) -> PathDistribution:
    made = PathDistribution(SPACE, Learning(floor=floor))
    made.theta.copy_(torch.tensor([4.0, 0.0, -4.0, 2.0, 0.0]))
    return made


@pytest.mark.parametrize("floor", [0.0, 0.3, 1.0])
def test_draws_are_as_frequent_as_told(floor: float) -> None:
    made, rng = tilted(floor), random.Random(0)
    told = made.probabilities()
    assert list(told) == ["width", "depth"]
    draws = [made.draw(rng) for _ in range(4000)]
    joint = {
        Architecture.of({"width": w, "depth": d}): p * q
        for w, p in told["width"].items()
        for d, q in told["depth"].items()
    }
    likely = {a: p for a, p in joint.items() if 4000 * p > 5}
    found = [draws.count(a) for a in likely]
    rest = 4000 * (1 - sum(likely.values()))
    if rest > 1e-6:
        found, expected = (
            [*found, 4000 - sum(found)],
            [*(4000 * p for p in likely.values()), rest],
        )
    else:
        expected = [4000 * p for p in likely.values()]
    assert chisquare(found, expected).pvalue > 1e-3


def test_the_floor_is_kept_however_far_theta_goes() -> None:
    made = tilted(0.3)
    made.theta.mul_(1000)
    told = made.probabilities()
    assert told["width"] == pytest.approx({2: 0.8, 4: 0.1, 8: 0.1})
    assert told["depth"] == pytest.approx({1: 0.85, 2: 0.15})
    made.learn([Architecture.of(SPACE.smallest())], [1.0], 0.0)
    assert bool(made.theta.isfinite().all())


def test_it_starts_uniform() -> None:
    told = PathDistribution(SPACE, Learning()).probabilities()
    assert told["width"] == pytest.approx(dict.fromkeys((2, 4, 8), 1 / 3))
    assert told["depth"] == {1: 0.5, 2: 0.5}


def test_the_gradient_is_that_of_the_mean_loss_the_cost_and_the_entropy() -> None:
    """Averaged over all paths by their probability, against autograd."""
    rule = Learning("target_cost", floor=0.3, entropy=0.2, target=0.4, strictness=0.7)
    costs = torch.tensor([0.1, 0.2, 0.5, 0.0, 0.3], dtype=torch.float64)
    made = PathDistribution(SPACE, rule, costs)
    made.theta.copy_(torch.tensor([0.5, -0.2, 0.1, 0.3, -0.6]))
    loss = {p: math.sin(7 * i) for i, p in enumerate(map(Architecture.of, SPACE.points()))}

    theta = made.theta.clone().requires_grad_()
    learnt = [torch.softmax(t, 0) for t in theta.split([3, 2])]
    mixed = [0.7 * p + 0.3 / len(p) for p in learnt]
    joint = (mixed[0][:, None] * mixed[1][None]).flatten()
    mean = (joint * torch.tensor(list(loss.values()), dtype=torch.float64)).sum()
    cost = (torch.cat(mixed) * costs).sum()
    entropy = -sum((p * p.log()).sum() for p in learnt)
    weight = rule.entropy_at(0.5)
    (mean + 0.7 * (cost / 0.4 - 1) ** 2 - weight * entropy).backward()

    flat = joint.detach().tolist()
    found = torch.zeros_like(theta)
    still = made.gradient([], [], 0.5)
    for p, (path, value) in zip(flat, loss.items(), strict=True):
        found += p * (made.gradient([path], [value], 0.5) - still)
    torch.testing.assert_close(found + still, theta.grad)


def test_the_entropy_weight_falls_to_a_tenth() -> None:
    rule = Learning(entropy=0.1)
    assert rule.entropy_at(0.0) == pytest.approx(0.1)
    assert rule.entropy_at(1.0) == pytest.approx(0.01)


def learnt(loss: str, said: dict[int, tuple[float, float]], steps: int = 300) -> list[float]:
    """Probabilities of the widths after learning from students that only differ by width."""
    made = PathDistribution(SPACE, Learning(loss, learning_rate=FAST))
    for step in range(steps):
        paths = [made.draw(random.Random(10 * step + k)) for k in range(2)]
        losses = [ARCHITECTURE_LOSSES[loss](*said[int(path["width"])]) for path in paths]
        made.learn(paths, losses, step / steps)
    return list(made.probabilities()["width"].values())


SAID = {2: (2.0, 1.5), 4: (1.0, 0.8), 8: (0.5, 0.1)}
"""Cross-entropy and divergence by width: wider does better."""


def test_capability_drifts_to_the_better_student() -> None:
    narrow, _, wide = learnt("capability", SAID)
    assert wide > 0.6 > 0.2 > narrow >= 0.1


def test_hard_student_drifts_away_from_it() -> None:
    narrow, _, wide = learnt("hard_student", SAID)
    assert narrow > 0.6 > 0.2 > wide >= 0.1


def test_without_a_difference_it_stays_near_uniform() -> None:
    alike = dict.fromkeys(SAID, (1.0, 1.0))
    assert learnt("capability", alike) == pytest.approx([1 / 3] * 3, abs=0.02)


def test_target_cost_comes_near_its_target() -> None:
    """With students that are all as good, a narrower mean is bought."""
    costs = torch.tensor([0.1, 0.3, 0.9, 0.05, 0.1], dtype=torch.float64)
    means = []
    for target in (0.3, 0.8):
        rule = Learning(
            "target_cost", target=target, floor=0.0, learning_rate=FAST, entropy=0.0
        )
        made = PathDistribution(SPACE, rule, costs)
        for step in range(400):
            made.learn([made.draw(random.Random(step))], [1.0], step / 400)
        odds = [p for axis in made.probabilities().values() for p in axis.values()]
        means.append(sum(p * c for p, c in zip(odds, costs.tolist(), strict=True)))
    assert means == pytest.approx([0.3, 0.8], abs=0.03)


def test_all_it_needs_to_go_on_is_in_its_state() -> None:
    rule = Learning("capability", learning_rate=FAST)
    made, path = PathDistribution(SPACE, rule), Architecture.of(SPACE.largest())
    for step in range(5):
        made.learn([path], [1.0 - step], 0.0)
    again = PathDistribution(SPACE, rule)
    again.load_state_dict(made.state_dict())
    for one in (made, again):
        one.learn([path], [0.3], 0.5)
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in made.state_dict().items())
    assert not list(made.parameters())


def test_costs_of_values_rise_with_the_values() -> None:
    axes = {f"stage{s}.width": Choice((2, 8, 16)) for s in (1, 2, 3)}
    space = Space(axes | {f"stage{s}.depth": Choice((1, 2)) for s in (1, 2, 3)})
    state = torch.get_rng_state()
    found = value_costs("resnet", space, (1, 8, 8), 0)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(found, value_costs("resnet", space, (1, 8, 8), 0))

    def total(point: Point) -> float:
        flat = [(n, v) for n, values in space.choices().items() for v in values]
        costs = zip(flat, found.tolist(), strict=True)
        return sum(cost for (name, value), cost in costs if point[name] == value)

    assert total(space.largest()) > 0.7
    assert total(space.smallest()) < 0.15
    widths = found[:3].tolist()
    assert widths == sorted(widths)


@pytest.mark.parametrize("loss", ["none", "capability"])
def test_students_held_out_are_never_drawn(loss: str) -> None:
    points = [Architecture.of(point) for point in SPACE.points()]
    held_out, rest = points[:2], set(points[2:])
    made = PathDistribution(SPACE, Learning(loss, learning_rate=FAST), held_out=held_out)
    seen = set()
    for step in range(2000):
        paths = [made.draw(random.Random(2 * step + k)) for k in range(2)]
        seen.update(paths)
        if loss != "none":
            made.learn(paths, [float(path["width"]) for path in paths], 0.5)
    assert seen == rest


def test_without_students_held_out_draws_are_the_same() -> None:
    plain, other = (
        PathDistribution(SPACE, Learning(), held_out=out)
        for out in ((), (Architecture.of({"width": 3, "depth": 1}),))
    )
    draws = [[d.draw(random.Random(k)) for k in range(50)] for d in (plain, other)]
    assert draws[0] == draws[1]


def test_a_space_that_is_held_out_whole_is_an_error() -> None:
    everyone = [Architecture.of(point) for point in SPACE.points()]
    with pytest.raises(TeacherError, match="of the 6 in teacher.held_out; hold out fewer"):
        PathDistribution(SPACE, Learning(), held_out=everyone).draw(random.Random(0))


def test_evenness_is_one_for_even_draws_and_falls_with_theta() -> None:
    assert PathDistribution(SPACE, Learning()).evenness() == pytest.approx(1)
    assert tilted(1.0).evenness() == pytest.approx(1)
    halves = PathDistribution(Space({"depth": Choice((1, 2))}), Learning(floor=0.0))
    halves.theta.copy_(torch.tensor([math.log(3), 0.0]))
    by_hand = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    assert halves.evenness() == pytest.approx(by_hand)
    alone = PathDistribution(Space({"depth": Choice((1,))}), Learning())
    assert alone.evenness() == 1
