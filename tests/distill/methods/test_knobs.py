"""Every method of the table, also of other packages: its name, knobs, options and memory."""

import copy
import inspect
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kdsearch.core.space import Choice, Point, Range, Space
from kdsearch.core.widening import widens
from kdsearch.distill import BROKEN, METHODS
from kdsearch.distill.kinds import kind, refused_value
from kdsearch.distill.method import Needs
from kdsearch.errors import UserError
from kdsearch.output import detached

Scenes = Callable[..., Any]

every_method = pytest.mark.parametrize("name", METHODS)


def values(axis: Choice | Range) -> Iterator[Any]:
    """All of a choice; both ends of a range and one between."""
    if isinstance(axis, Choice):
        yield from axis.values
    else:
        yield from (axis.low, axis.high, axis.draw(random.Random(0)))


def points(name: str) -> Iterator[Point]:
    """The defaults, every knob and option by itself, and a few points of everything."""
    yield {}
    for axis_name, axis in kind(name).allowed.axes.items():
        for value in values(axis):
            yield {axis_name: value}
    rng = random.Random(0)
    for _ in range(5):
        yield kind(name).allowed.draw(rng)


def wider_points(name: str) -> Iterator[Point]:
    """Half and twice of what each axis has, and 1, where a config may ask for that."""
    for axis_name, axis in kind(name).allowed.axes.items():
        ends = [axis.values[0], axis.values[-1]] if isinstance(axis, Choice) else None
        low, high = ends or [axis.low, axis.high]  # type: ignore[union-attr]  # no choice
        if isinstance(low, str | bool) or isinstance(high, str | bool):
            continue
        beyond = [type(low)(low / 2), type(high)(high * 2), type(high)(1)]
        found = [v for v in beyond if widens(axis, v) and not axis.holds(v)]
        yield from (
            {axis_name: v} for v in found if not refused_value(kind(name), axis_name, v)
        )


def scenes(
    scene: Scenes, name: str, drawn: Callable[[str], Iterator[Point]] = points
) -> Iterator[Any]:
    """Of the points that suit three stages of tiny networks; of others the method says no."""
    made = 0
    for point in drawn(name):
        try:
            built = scene(METHODS[name](**point))
        except UserError:
            continue
        made += 1
        yield built
    assert made > 0 or not kind(name).allowed.axes


def asked(needs: Needs) -> tuple[Any, ...]:
    """What the trainer is asked for, apart from functions."""
    online = needs.online
    rule = online and (online.scratch, online.lead, online.freeze_after, online.average)
    return needs.teacher, needs.student, needs.views, rule, needs.auxiliary


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_the_table_names_each_method_by_its_name() -> None:
    assert set(METHODS) >= {"hard", "soften"}
    assert all(method.name == name for name, method in METHODS.items())


def test_no_method_is_broken() -> None:
    assert not BROKEN


@every_method
def test_its_first_line_says_what_it_is(name: str) -> None:
    assert len(kind(name).about) > 10


@every_method
def test_parameters_are_knobs_and_options_with_defaults_among_them(name: str) -> None:
    method = METHODS[name]
    defaults = {n: p.default for n, p in inspect.signature(method).parameters.items()}
    assert not set(method.knobs.axes) & set(method.options.axes)
    Space({**method.knobs.axes, **method.options.axes}).check(defaults)
    assert not any("." in axis for axis in defaults)


@every_method
def test_all_values_give_finite_losses_and_gradients(name: str, scene: Scenes) -> None:
    for built in (*scenes(scene, name), *scenes(scene, name, wider_points)):
        for progress, opens in ((0.0, True), (0.7, False)):
            student = built.student()
            seen = built.seen(student)._replace(progress=progress, opens_epoch=opens)
            loss, gradients = built.told(seen, student)
            assert loss.shape == () and loss.dtype == torch.float32
            assert bool(torch.isfinite(loss)) and any(bool(g.any()) for g in gradients)
            assert all(bool(torch.isfinite(g).all()) for g in gradients)


@every_method
def test_every_knob_matters(name: str, scene: Scenes) -> None:
    """Some value of each changes the loss of some step, or what the trainer is asked for."""
    method = METHODS[name]
    usual = scene(method())
    expected = usual.steps()
    for knob, axis in method.knobs.axes.items():
        others = [scene(method(**{knob: value})) for value in values(axis)]
        assert any(
            asked(other.needs) != asked(usual.needs)
            or any(not torch.equal(a, b) for a, b in zip(other.steps(), expected, strict=True))
            for other in others
        ), knob


@every_method
def test_nothing_is_remembered_outside_its_modules(name: str, scene: Scenes) -> None:
    """The same object with modules as new says the same again, whatever it saw before."""
    built = scene(METHODS[name]())
    as_new, before = copy.deepcopy(built.parts), dict(vars(built.method))
    first = built.steps()
    assert vars(built.method) == before
    built.parts = as_new
    assert all(torch.equal(a, b) for a, b in zip(built.steps(), first, strict=True))


@every_method
def test_a_narrower_path_neither_uses_nor_changes_what_is_remembered(
    name: str, scene: Scenes
) -> None:
    """It says the same whatever was the largest student's step before."""
    found: list[Tensor] = []
    for seed in (30, 40):
        built = scene(METHODS[name]())
        built.method(built.seen(built.student(seed), built.teacher(seed)))
        remembered = state(built.parts)
        largest = detached(built.seen(built.student(50)).student)
        path = built.seen(built.student(2, width=3))
        found.append(built.method(path._replace(largest=largest, opens_epoch=False)))
        assert all(torch.equal(v, remembered[k]) for k, v in state(built.parts).items())
    assert torch.equal(*found)
