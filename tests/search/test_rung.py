"""One rung of one trial on real data: prefixes, checkpoints, and what a failure is called."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kdsearch.core.objectives import KNOWN, Objective
from kdsearch.core.progress import Noting, Silent
from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.errors import RunError
from kdsearch.files import read_json
from kdsearch.measure.accuracy import predict, top1
from kdsearch.measure.macro_f1 import macro_f1
from kdsearch.nets import FAMILIES
from kdsearch.rundir import RunDir
from kdsearch.search.rung import (
    CHECKPOINT,
    REFUSED,
    STUDENT,
    Rungs,
    is_out_of_memory,
    stored_result,
    with_own_training,
)
from kdsearch.search.setting import Setting
from kdsearch.search.source import adopted
from kdsearch.spaces import load_space
from kdsearch.training.plan import Plan

SPACE = load_space("resnet-tiny").space
SMALL = Architecture.of(SPACE.smallest())
SOFTEN = Recipe.of("soften", {"temperature": 4.0, "weight": 0.5})
PLAN = Plan(steps=20, batch_size=64, learning_rate=0.05, weight_decay=1e-4, seed=99)


@pytest.fixture(scope="session")
def setting(finished: RunDir) -> Setting:
    facts = finished.facts()
    return Setting(
        facts["data"], facts["supernet"], facts["teacher"], "resnet", SPACE, PLAN, (0.25, 1.0)
    )


def job(folder: Path, rung: int, recipe: Recipe | None = SOFTEN, seed: int = 1) -> Job:
    return Job(f"trial 0, rung {rung}", rung, SMALL, recipe, seed, str(folder))


def do(setting: Setting, *jobs: Job) -> list[Result]:
    """By one worker, one after the other."""
    work = Rungs(setting, Silent())
    return [work(one) for one in jobs]


def scored(setting: Setting, weights: Path) -> float:
    """Search-validation accuracy of stored weights, by a road of its own."""
    data = load_search(Path(setting.data))
    net = FAMILIES["resnet"].student(SMALL, data.info.channels, len(data.info.classes))
    net.load_state_dict(load_file(weights))
    images = normalise(data.search_val.images, data.info.mean, data.info.std)
    return top1(predict(net.eval(), images, 500), data.search_val.labels)


def test_a_result_is_on_disk_when_it_is_told(setting: Setting, tmp_path: Path) -> None:
    for rung in (0, 1, 2):
        (result,) = do(setting, job(tmp_path, rung, SOFTEN if rung else None))
        assert (result.state, result.rung, result.reason) == ("done", rung, "")
        assert result.accuracy is not None and 0 < result.accuracy < 1
        assert result.seconds > 0
        assert Result.of(read_json(tmp_path / f"rung{rung}.json")).accuracy == result.accuracy


def test_inherited_weights_are_scored_the_same_every_time(
    setting: Setting, tmp_path: Path
) -> None:
    """Whatever the global generator holds, and whatever was done before."""
    first, *_, last = do(
        setting, job(tmp_path, 0, None), job(tmp_path / "x", 1), job(tmp_path / "y", 0, None)
    )
    assert first.accuracy == last.accuracy


def test_a_rung_is_a_prefix_of_the_full_run(setting: Setting, tmp_path: Path) -> None:
    """Rung 1 and on to rung 2 by another worker, or rung 2 at once: the same weights."""
    one, two, whole = tmp_path / "climbed", tmp_path / "climbed", tmp_path / "whole"
    (first,) = do(setting, job(one, 1))
    (climbed,) = do(setting, job(two, 2))
    (at_once,) = do(setting, job(whole, 2))
    assert (first.details["steps"], climbed.details["steps"]) == (5, 20)
    assert climbed.accuracy == at_once.accuracy
    assert climbed.details["curve"][: len(first.details["curve"])] == first.details["curve"]
    weights = [load_file(folder / STUDENT) for folder in (two, whole)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name])


def test_a_job_without_its_result_is_done_again_to_the_same_end(
    setting: Setting, tmp_path: Path
) -> None:
    """Killed after its checkpoint, before its result."""
    (first,) = do(setting, job(tmp_path, 1))
    assert (tmp_path / CHECKPOINT).exists()
    (tmp_path / "rung1.json").unlink()
    (again,) = do(setting, job(tmp_path, 1))
    assert (again.accuracy, again.details) == (first.accuracy, first.details)


def test_the_students_weights_are_kept_at_the_top_alone(
    setting: Setting, tmp_path: Path
) -> None:
    do(setting, job(tmp_path, 1))
    assert not (tmp_path / STUDENT).exists()
    (top,) = do(setting, job(tmp_path, 2))
    assert scored(setting, tmp_path / STUDENT) == top.accuracy


def test_a_student_is_the_running_average_of_its_weights(
    setting: Setting, tmp_path: Path
) -> None:
    """The same training, averaged over half of it or not at all: another student."""
    slow, none = (replace(setting, plan=replace(PLAN, averaging=a)) for a in (0.5, 1e-9))
    (one,), (other,) = do(slow, job(tmp_path / "a", 2)), do(none, job(tmp_path / "b", 2))
    assert one.details["curve"] == other.details["curve"]
    first, second = (load_file(tmp_path / name / STUDENT) for name in "ab")
    assert not any(torch.equal(t, second[name]) for name, t in first.items() if t.ndim > 1)


def test_trials_differ_by_their_seed(setting: Setting, tmp_path: Path) -> None:
    results = do(setting, job(tmp_path / "a", 1, seed=1), job(tmp_path / "b", 1, seed=2))
    assert results[0].details["curve"] != results[1].details["curve"]


def test_a_method_that_needs_no_teacher_is_given_none(setting: Setting, tmp_path: Path) -> None:
    (result,) = do(replace(setting, teacher=None), job(tmp_path, 1, Recipe("hard")))
    assert result.state == "done"


# What a recipe changes of the training.


def curve(setting: Setting, folder: Path, recipe: Recipe) -> object:
    (result,) = do(setting, job(folder, 2, recipe))
    assert result.state == "done", result.reason
    return result.details["curve"]


def with_training(recipe: Recipe, **changed: float | str) -> Recipe:
    return Recipe.of(recipe.method, dict(recipe.knobs), changed)


def test_a_plan_takes_over_what_a_recipe_changes() -> None:
    recipe = with_training(
        SOFTEN, learning_rate=0.1, weight_decay=0, augment_strength=2, teacher="big"
    )
    expected = replace(PLAN, learning_rate=0.1, weight_decay=0.0, augment_strength=2.0)
    assert with_own_training(PLAN, recipe) == expected
    assert with_own_training(PLAN, SOFTEN) == PLAN


@pytest.mark.parametrize(
    ("name", "same", "other"),
    [("learning_rate", 0.05, 0.02), ("weight_decay", 1e-4, 0.1), ("augment_strength", 1, 0)],
)
def test_a_job_trains_as_its_recipe_says(
    setting: Setting, name: str, same: float, other: float, tmp_path: Path
) -> None:
    shown = replace(setting, plan=replace(PLAN, steps=6, augment="shift"))
    usual = curve(shown, tmp_path / "usual", SOFTEN)
    assert curve(shown, tmp_path / "same", with_training(SOFTEN, **{name: same})) == usual
    assert curve(shown, tmp_path / "other", with_training(SOFTEN, **{name: other})) != usual


@pytest.fixture
def two_teachers(setting: Setting, tmp_path: Path) -> Setting:
    """The tiny run's teacher, and one that thinks the opposite."""
    assert setting.teacher is not None
    folder = tmp_path / "contrary"
    shutil.copytree(setting.teacher, folder)
    weights = load_file(folder / "teacher.safetensors")
    last = [name for name in weights if name.endswith("weight")][-1]
    save_file({**weights, last: -weights[last]}, folder / "teacher.safetensors")
    short = replace(PLAN, steps=6)
    return replace(setting, plan=short, teachers={"contrary": str(folder)})


def test_a_recipe_names_who_teaches_and_nobody_else_is_loaded(
    two_teachers: Setting, tmp_path: Path
) -> None:
    contrary = with_training(SOFTEN, teacher="contrary")
    usual = curve(two_teachers, tmp_path / "usual", SOFTEN)
    first = with_training(SOFTEN, teacher="teacher")
    assert curve(two_teachers, tmp_path / "first", first) == usual
    assert curve(two_teachers, tmp_path / "contrary-taught", contrary) != usual
    work = Rungs(two_teachers, Silent())
    work(job(tmp_path / "a", 2, Recipe("hard")))
    assert not work.teachers
    for folder in "bc":
        work(job(tmp_path / folder, 2, contrary))
        assert set(work.teachers) == {"contrary"}
    assert work.teacher("contrary") is work.teachers["contrary"]


def test_a_result_tells_what_the_search_asks_of_the_predictions(
    setting: Setting, tmp_path: Path
) -> None:
    """With inherited weights and trained ones; the accuracy is there in any case."""
    asks = replace(setting, metrics=(KNOWN["macro_f1"], KNOWN["calibration_error"]))
    for rung in (0, 2):
        (result,) = do(asks, job(tmp_path, rung, SOFTEN if rung else None))
        assert set(result.scores) == {"macro_f1", "calibration_error"}
        assert all(0 <= value <= 1 for value in result.scores.values())
        assert Result.of(read_json(tmp_path / f"rung{rung}.json")).scores == result.scores
    data = load_search(Path(setting.data))
    net = FAMILIES["resnet"].student(SMALL, data.info.channels, len(data.info.classes))
    net.load_state_dict(load_file(tmp_path / STUDENT))
    images = normalise(data.search_val.images, data.info.mean, data.info.std)
    logits = predict(net.eval(), images, 500)
    assert result.scores["macro_f1"] == macro_f1(logits, data.search_val.labels)


def test_a_worker_computes_on_the_settings_threads(setting: Setting, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    do(replace(setting, threads=1), job(tmp_path, 0, None))
    assert torch.get_num_threads() == 1


# What goes wrong.


def test_divergence_names_the_step(setting: Setting, tmp_path: Path) -> None:
    wild = replace(setting, plan=replace(PLAN, learning_rate=1e6))
    (result,) = do(wild, job(tmp_path, 2, Recipe("hard")))
    assert result.state == "diverged"
    assert "at step " in result.reason and "smaller learning_rate helps" in result.reason
    assert len(result.reason.splitlines()) == 1


class Broken(nn.Module):
    """A teacher that raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, images: Tensor) -> Tensor:
        raise self.error


NO_MEMORY = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 4 TB")


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (torch.OutOfMemoryError("CUDA"), "out of memory", "try distill.batch_size: 32"),
        (MemoryError(), "out of memory", "at batch_size 64; try distill.batch_size: 32"),
        (NO_MEMORY, "out of memory", "at batch_size 64; try distill.batch_size: 32"),
        (RuntimeError("shapes\nof two lines"), "bug", "RuntimeError: shapes"),
        (KeyError("logits"), "bug", "KeyError: 'logits'"),
        (RunError("x: no whole weights; remove x"), "bug", "x: no whole weights; remove x"),
    ],
)
def test_failures_are_told_apart(
    setting: Setting, error: Exception, state: str, reason: str, tmp_path: Path
) -> None:
    work = Rungs(setting, Silent())
    work.teachers["teacher"] = Broken(error)
    result = work(job(tmp_path, 1))
    assert (result.state, result.accuracy) == (state, None)
    assert result.reason.endswith(reason) and "RunError" not in result.reason
    assert Result.of(read_json(tmp_path / "rung1.json")) == result
    assert ("Traceback" in result.details.get("traceback", "")) == (state == "bug")


OWN = """
def nan(logits, labels):
    return float("nan")

def raises(logits, labels):
    raise ValueError("no such class")
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nan", "module:own_failing:nan: nan, and not a finite number"),
        ("raises", "module:own_failing:raises: ValueError: no such class"),
    ],
)
def test_a_function_of_the_users_own_that_fails_is_named(
    setting: Setting, name: str, reason: str, plugins: Path, tmp_path: Path
) -> None:
    (plugins / "own_failing.py").write_text(OWN)
    own = Objective(name, True, True, function=f"module:own_failing:{name}")
    work = replace(setting, metrics=(own,))
    results = do(work, job(tmp_path, 0, None), job(tmp_path, 1))
    assert [(r.state, r.reason) for r in results] == [("objective", reason)] * 2
    assert all(r.accuracy is None and not r.scores for r in results)


def test_a_failed_job_leaves_the_worker_fit_for_the_next(
    setting: Setting, tmp_path: Path
) -> None:
    bad = replace(job(tmp_path / "bad", 1), recipe=Recipe.of("hard", {"no_knob": 1}))
    results = do(setting, bad, job(tmp_path / "good", 1))
    assert [r.state for r in results] == ["bug", "done"]


def test_a_real_allocation_too_large_is_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("memory format"))


# What an earlier sitting left.


def said(setting: Setting, one: Job) -> tuple[Result, list[str]]:
    """The job done, and the lines that were said; they stand in the result, too."""
    heard = Noting(Silent())
    result = Rungs(setting, heard)(one)
    assert result.details.get("said", []) == heard.lines
    return result, heard.lines


@pytest.mark.parametrize("content", ['{"job": "tri', "", "\0" * 900, "[]", '{"job": "x"}'])
def test_a_damaged_result_is_named_and_done_again(
    setting: Setting, content: str, tmp_path: Path
) -> None:
    """From its beginning: the checkpoint is a later rung's by now."""
    setting = replace(setting, fractions=(0.25, 0.5, 1.0))
    first, _ = do(setting, job(tmp_path, 1), job(tmp_path, 2))
    path = tmp_path / "rung1.json"
    path.write_text(content)
    again, lines = said(setting, job(tmp_path, 1))
    assert lines == [f"{path}: damaged; trial 0, rung 1 is done again"]
    assert again.accuracy == first.accuracy
    assert read_json(path)["accuracy"] == first.accuracy


@pytest.mark.parametrize("content", [b"", b"garbage" * 99, bytes(5000)])
def test_from_a_damaged_checkpoint_a_rung_comes_to_the_same_end(
    setting: Setting, content: bytes, tmp_path: Path
) -> None:
    expected = do(setting, job(tmp_path / "whole", 1), job(tmp_path / "whole", 2))[1]
    folder = tmp_path / "damaged"
    do(setting, job(folder, 1))
    (folder / CHECKPOINT).write_bytes(content)
    found, lines = said(setting, job(folder, 2))
    assert lines == [f"{folder / CHECKPOINT}: damaged; trial 0, rung 2 begins anew"]
    assert (found.accuracy, found.details["curve"]) == (
        expected.accuracy,
        expected.details["curve"],
    )


def test_a_rung_whose_result_is_gone_is_not_scored_by_a_later_ones_weights(
    setting: Setting, tmp_path: Path
) -> None:
    setting = replace(setting, fractions=(0.25, 0.5, 1.0))
    first, _ = do(setting, job(tmp_path, 1), job(tmp_path, 2))
    (tmp_path / "rung1.json").unlink()
    again, lines = said(setting, job(tmp_path, 1))
    assert lines == ["trial 0, rung 1: its checkpoint is of a later rung; it begins anew"]
    assert again.accuracy == first.accuracy and again.details["steps"] == first.details["steps"]


def test_what_another_candidate_left_is_not_taken_up(setting: Setting, tmp_path: Path) -> None:
    """Its number was given anew, after its journal was removed."""
    own, other = tmp_path / "own", tmp_path / "other"
    (expected,) = do(setting, job(own, 2, Recipe("hard")))
    do(setting, job(other, 1))
    assert stored_result(job(other, 1)) is not None
    assert stored_result(job(other, 1, Recipe("hard"))) is None
    found, lines = said(setting, job(other, 2, Recipe("hard")))
    line = f"{other}: held another candidate's files; trial 0, rung 2 begins anew"
    assert lines == [line]
    assert found.details["curve"] == expected.details["curve"]
    assert sorted(p.name for p in other.iterdir()) == sorted(p.name for p in own.iterdir())


def test_a_disk_that_is_full_is_no_fault_of_the_trial(
    setting: Setting, no_room: Any, tmp_path: Path
) -> None:
    with no_room(4000):
        (result,) = do(setting, job(tmp_path, 1))
    assert (result.state, result.details) == ("bug", {REFUSED: True})
    assert result.reason.startswith(f"{tmp_path / CHECKPOINT}: file too large; ")
    assert adopted(job(tmp_path, 1)) is None
