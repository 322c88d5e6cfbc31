"""The auxiliary teacher: made once for all jobs, from the supernet where there is one."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Job, Recipe
from kdsearch.distill.kinds import method_of
from kdsearch.distill.method import Auxiliary
from kdsearch.errors import UserError
from kdsearch.files import read_json
from kdsearch.search import auxiliary
from kdsearch.search.rung import Rungs
from kdsearch.search.setting import Setting
from kdsearch.teachers.make import Origin
from kdsearch.training import fit as fit_module

FLOW = Recipe.of("information_flow", {"aux": "max_subnet"})
BY_HAND = Recipe("soften")


def wanted(size: Any = "max_subnet", recipe: Recipe = BY_HAND) -> Auxiliary:
    return Auxiliary(size, recipe)


def made(setting: Setting, of: Auxiliary | None = None) -> nn.Module:
    """By a worker of its own, for the smallest student."""
    smallest = Architecture.of(setting.space.smallest())
    return Rungs(setting, Silent()).auxiliary(of or wanted(), smallest)


def entries(setting: Setting) -> list[Path]:
    return sorted(Path(setting.store).glob("auxiliary/*/key.json"))


def equal(one: nn.Module, other: nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(
        torch.equal(t, theirs[n]) for n, t in ours.items()
    )


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that an auxiliary network was trained."""
    done: list[str] = []
    real: Callable[..., Any] = auxiliary.fit

    def counted(*arguments: Any, **more: Any) -> Any:
        done.append("trained")
        return real(*arguments, **more)

    monkeypatch.setattr(auxiliary, "fit", counted)
    return done


def test_it_is_made_once_and_shared_through_the_store(
    ground: Setting, trainings: list[str]
) -> None:
    first, second = made(ground), made(ground)
    assert trainings == ["trained"]
    assert equal(first, second)
    assert len(entries(ground)) == 1
    assert {p.name for p in entries(ground)[0].parent.iterdir()} == {
        "key.json", "auxiliary.safetensors",
    }  # fmt: skip


def test_it_is_frozen_and_in_eval_mode(ground: Setting) -> None:
    network = made(ground)
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_jobs_of_other_seeds_share_it(ground: Setting, trainings: list[str]) -> None:
    """By whole jobs: the student is taught by it instead of the teacher."""
    setting = replace(ground, plan=replace(ground.plan, steps=3))
    work = Rungs(setting, Silent())
    smallest = Architecture.of(setting.space.smallest())
    folder = Path(setting.store).parent
    jobs = [Job(f"{k}", 1, smallest, FLOW, k, str(folder / str(k))) for k in range(2)]
    results = [work(job) for job in jobs]
    assert [result.state for result in results] == ["done", "done"]
    assert trainings == ["trained"]
    task = work.task(jobs[0], method_of(FLOW))
    assert task.teacher is not None and equal(task.teacher, made(setting, auxiliary_of(FLOW)))


def test_each_teacher_brings_up_its_own(ground: Setting, trainings: list[str]) -> None:
    assert ground.teacher is not None
    folder = Path(ground.store).parent / "other"
    shutil.copytree(ground.teacher, folder)
    setting = replace(
        ground, plan=replace(ground.plan, steps=2), teachers={"other": str(folder)}
    )
    work, smallest = Rungs(setting, Silent()), Architecture.of(setting.space.smallest())
    for teacher in ("teacher", "other", "teacher"):
        work.auxiliary(wanted(), smallest, teacher)
    assert len(trainings) == len(entries(setting)) == 2
    names = {read_json(entry)["teacher"] for entry in entries(setting)}
    assert names == {Path(ground.teacher).name, "other"}


def auxiliary_of(recipe: Recipe) -> Auxiliary:
    found = method_of(recipe).needs.auxiliary
    assert found is not None
    return found


def still(setting: Setting) -> Setting:
    """A training that moves nothing."""
    return replace(setting, plan=replace(setting.plan, steps=1, learning_rate=1e-30))


def convolutions(network: nn.Module) -> dict[str, torch.Tensor]:
    return {n: p.detach() for n, p in network.named_parameters() if p.ndim == 4}


def test_max_subnet_inherits_from_the_supernet(ground: Setting) -> None:
    largest = Architecture.of(ground.space.largest())
    inherited = Rungs(ground, Silent()).supernet.carve(largest)
    own = convolutions(made(still(ground)))
    assert own.keys() == convolutions(inherited).keys()
    for name, weight in convolutions(inherited).items():
        torch.testing.assert_close(own[name], weight)


def test_without_a_supernet_max_subnet_starts_afresh(ground: Setting) -> None:
    inherited = convolutions(made(still(ground)))
    bare = still(replace(ground, supernet=None))
    fresh = convolutions(made(bare))
    assert inherited.keys() == fresh.keys()
    assert not any(torch.allclose(w, inherited[name]) for name, w in fresh.items())
    assert len(entries(ground)) == 2, "another start is another network"
    elsewhere = replace(bare, store=f"{bare.store}-2")
    assert equal(made(bare), made(elsewhere)), "the plan's seed draws it"


def test_double_width_has_twice_the_widths(ground: Setting) -> None:
    made(still(ground), wanted("double_width"))
    (entry,) = entries(ground)
    small = ground.space.smallest()
    known = read_json(entry)
    assert known["architecture"] == {
        name: 2 * int(value) if name.endswith("width") else value
        for name, value in small.items()
    }
    assert known["supernet"] is None, "no subnet of a supernet is that wide for sure"


def test_what_it_depends_on_makes_another(ground: Setting, trainings: list[str]) -> None:
    quick = still(ground)
    longer = replace(quick, plan=replace(quick.plan, steps=2))
    for setting, of in (
        (quick, wanted()),
        (quick, wanted("double_width")),
        (quick, wanted(recipe=Recipe.of("soften", {"temperature": 2.0}))),
        (longer, wanted()),
    ):
        made(setting, of)
    assert len(trainings) == len(entries(ground)) == 4


def test_a_student_brought_along_has_no_larger_one(ground: Setting) -> None:
    setting = replace(ground, student=Origin("torchvision:resnet18", "resnet", {}))
    with pytest.raises(
        UserError, match="aux: double_width is for students of a space; .* none"
    ):
        made(setting, wanted("double_width"))


class Killed(BaseException):
    """The process ends here."""


def test_a_killed_one_goes_on_from_its_checkpoint(
    ground: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = made(replace(ground, store=f"{ground.store}-straight"))
    monkeypatch.setattr(fit_module, "CHECKPOINT_SECONDS", -1.0)
    real = fit_module.train_step
    steps: list[int] = []

    def dying(task: Any, batch: Any, optimiser: Any, plan: Any) -> Any:
        if batch.step == 7 and 7 not in steps:
            steps.append(7)
            raise Killed
        steps.append(batch.step)
        return real(task, batch, optimiser, plan)

    monkeypatch.setattr(fit_module, "train_step", dying)
    with pytest.raises(Killed):
        made(ground)
    assert entries(ground) == []
    again = made(ground)
    assert steps == [*range(8), *range(7, 12)]
    assert equal(again, straight)
