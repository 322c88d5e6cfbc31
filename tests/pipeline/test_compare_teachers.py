"""Kinds of teachers and the students they taught: a small real comparison, and made-up ones."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch.cli import main
from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.errors import TrainingError
from kdsearch.files import read_json
from kdsearch.losses.softened import softened_kl
from kdsearch.measure.accuracy import predict, top1
from kdsearch.measure.gains import gains
from kdsearch.nets import FAMILIES
from kdsearch.nets.stored import stored_weights
from kdsearch.pipeline import compare_teachers as module
from kdsearch.pipeline.arms import SPECIALISED, Arm, names_of
from kdsearch.pipeline.compare_teachers import Asked, compare_teachers, text
from kdsearch.pipeline.teachers_compared import Lesson, Term, rows
from kdsearch.rundir import RunDir
from kdsearch.search import rung
from kdsearch.teachers import plain, terms
from kdsearch.training import fit as fit_module

Content = dict[str, Any]
Compared = Callable[..., Content]
KINDS = "plain,generic@conditioning.warmup=0"


@pytest.fixture(scope="module")
def compared(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """`compared(folder, students="3", specialised=True)`."""
    store = tmp_path_factory.mktemp("taught")

    def run(
        out: Path, kinds: str = KINDS, students: str = "2", seeds: int = 2, **more: Any
    ) -> Content:
        config = parse_config(content(tiny, more.pop("store", store)))
        asked = Asked(names_of(config, kinds), students, seeds, **more)
        return compare_teachers(config, out, Silent(), asked)

    return run


def content(tiny: Any, store: Path) -> dict[str, Any]:
    return tiny(
        data={"limit": 300},
        teacher={"epochs": 2},
        distill={"epochs": 2, "methods": ["soften"]},
        store=str(store),
    )


@pytest.fixture(scope="module")
def whole(compared: Compared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Content]:
    """Two kinds, two students, two seeds; tests read it."""
    out = tmp_path_factory.mktemp("compared") / "whole"
    return out, compared(out)


class Trainings(list[str]):
    """Titles of those done; the process ends in place of the one of this number."""

    fatal: int | None = None


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    done = Trainings()
    real = fit_module.fit

    def counted(*arguments: Any, **more: Any) -> Any:
        if len(done) == done.fatal:
            raise KeyboardInterrupt
        done.append(more["tell"].title)
        return real(*arguments, **more)

    for user in (rung, plain, terms):
        monkeypatch.setattr(user, "fit", counted)
    return done


def kind(content: Content, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(k for k in content["kinds"] if k["name"] == name)
    return found


# A whole comparison.


def test_kinds_stand_beside_plain(whole: tuple[Path, Content]) -> None:
    out, content = whole
    assert read_json(out / "teachers.json") == content
    assert [k["name"] for k in content["kinds"]] == KINDS.split(",")
    assert (content["seeds"], content["recipe"]["method"]) == (2, "soften")
    generic = kind(content, KINDS.split(",")[1])
    assert generic["training"] == "generic" and generic["failed"] == []
    for facts in (k["teacher"] for k in content["kinds"]):
        assert facts["of_each_seed"] == 1
        assert all(0 < run < 60 for run in facts["seconds"]["runs"])
        assert 0.1 < facts["train_accuracy"]["mean"] <= 1
        assert facts["calibration_error"]["mean"] > 0 and facts["entropy"]["mean"] > 0
    seconds = [k["teacher"]["seconds"]["runs"] for k in content["kinds"]]
    assert generic["overhead"]["runs"] == [
        pytest.approx(b / a - 1) for a, b in zip(*seconds, strict=True)
    ]
    assert generic["gap"] is None and generic["break_even"] is None


def test_gains_are_those_of_the_accuracies(whole: tuple[Path, Content]) -> None:
    _, content = whole
    plain, generic = content["kinds"]
    ids = [s["id"] for s in content["students"]]
    found = gains(*([k["accuracies"][s] for s in ids] for k in (generic, plain)))
    told = generic["gains"]["all"]
    assert told["runs"] == list(found.runs) and told["detectable"] == found.detectable
    assert told["worst"] == ids[found.worst] and plain["gains"]["all"] is None
    assert told["students"][ids[1]]["mean"] == found.students[1].mean


def test_an_accuracy_and_a_divergence_are_the_stored_networks(
    whole: tuple[Path, Content], tiny: Any
) -> None:
    """By a road of their own."""
    out, content = whole
    student, seed = content["students"][0], 1
    store = next(p for p in out.parent.parent.glob("taught*") if (p / "lessons").exists())
    data = load_search(next((store / "data").glob("*/info.json")).parent)
    images = normalise(data.search_val.images, data.info.mean, data.info.std)
    plain = kind(content, "plain")
    runs = {}
    for file in store.glob(f"lessons/*/{student['id']}/seed{seed}/student.safetensors"):
        net = FAMILIES["resnet"].student(Architecture.of(student["architecture"]), 1, 10)
        net.load_state_dict(stored_weights(file))
        runs[file.parents[2].name] = predict(net, images, 100)
    scores = {top1(logits, data.search_val.labels) for logits in runs.values()}
    assert plain["accuracies"][student["id"]][seed] in scores
    teachers = []
    for file in store.glob("teacher/*/teacher.json"):
        origin = read_json(file)["origin"]
        net = FAMILIES["resnet"].student(Architecture.of(origin["architecture"]), 1, 10)
        net.load_state_dict(stored_weights(file.parent / "teacher.safetensors"))
        teachers.append(predict(net, images, 100))
    known = [
        value
        for file in store.glob("lessons/*/agreement.json")
        for name, value in read_json(file).items()
        if name == f"{student['id']}/seed{seed}"
    ]
    own = [float(softened_kl(s, t, 1.0)) for s in runs.values() for t in teachers]
    assert len(known) == 2
    assert all(any(k == pytest.approx(one, rel=1e-4) for one in own) for k in known)


def test_generic_teachers_were_trained_without_the_held_out(
    whole: tuple[Path, Content],
) -> None:
    out, content = whole
    store = next(p for p in out.parent.parent.glob("taught*") if (p / "lessons").exists())
    keys = [read_json(f) for f in store.glob("teacher/*/key.json")]
    assert {len(k["shaping"]["held_out"]) for k in keys if k["training"] == "generic"} == {32}
    assert not any(student["held_out"] for student in content["students"])


def test_the_test_split_stays_closed(whole: tuple[Path, Content]) -> None:
    assert not RunDir(whole[0]).test_openings.exists()


def test_the_table_and_the_page(whole: tuple[Path, Content]) -> None:
    out, content = whole
    said = text(content)
    assert said.startswith("2 kinds of teachers, 2 seeds, each taught the same 2 students of ")
    for name in KINDS.split(","):
        assert len(re.findall(rf"^{re.escape(name)} ", said, re.M)) >= 2
    assert "not run" in said and "smallest detectable" in said and "failed" not in said
    page = (out / "teachers.html").read_text()
    assert page.startswith("<!doctype html>") and page.count("<svg") >= 4
    assert "Gain over plain teachers, by student" in page
    assert "Every run came to its end." in page


# Nothing is done twice.


def test_a_second_call_trains_nothing_and_more_seeds_only_the_new(
    whole: tuple[Path, Content], compared: Compared, trained: Trainings
) -> None:
    out, content = whole
    assert compared(out) == content
    assert trained == []
    more = compared(out, seeds=3)
    titles = [title for title in trained if title != "teacher"]
    assert len(trained) == 2 * (1 + 2) and all("seed 2" in title for title in titles)
    for old, new in zip(content["kinds"], more["kinds"], strict=True):
        assert {s: runs[:2] for s, runs in new["accuracies"].items()} == old["accuracies"]


def test_another_student_trains_no_teacher(
    compared: Compared, whole: tuple[Path, Content], trained: Trainings, tmp_path: Path
) -> None:
    """In another run, as results are shared; the third of three is held out."""
    more = compared(tmp_path / "other", students="3", seeds=1)
    assert len(trained) == 2 and "teacher" not in trained
    assert [s["held_out"] for s in more["students"]] == [False, False, True]
    found = more["kinds"][1]["gains"]
    assert list(found["held_out"]["students"]) == [more["students"][2]["id"]]
    assert len(found["drawable"]["students"]) == 2 and found["all"]["ci95"] is None
    assert "1 of them never drawn in training" in text(more)


def test_a_killed_comparison_goes_on(
    compared: Compared, trained: Trainings, tmp_path: Path
) -> None:
    def run(name: str) -> Content:
        return compared(tmp_path / name, students="1", seeds=1, store=tmp_path / "store" / name)

    straight = run("straight")
    assert len(trained) == 4
    for fatal in (1, 1):
        trained.clear()
        trained.fatal = fatal
        with pytest.raises(KeyboardInterrupt):
            run("cut")
    trained.clear()
    trained.fatal = None
    again = run("cut")
    assert len(trained) == 2
    for old, new in zip(straight["kinds"], again["kinds"], strict=True):
        assert new["accuracies"] == old["accuracies"]


# What is asked for.


def test_specialised_and_labels_alone(compared: Compared, tmp_path: Path) -> None:
    found = compared(tmp_path, "none,plain", "2", 1, specialised=True)
    none, each = kind(found, "none"), kind(found, SPECIALISED)
    assert none["teacher"] is None and none["divergence"]["mean"] is None
    assert none["gains"]["all"]["mean"] is not None and none["overhead"] is None
    assert each["teacher"]["of_each_seed"] == 2 and each["gap"] is None
    gap = kind(found, "plain")["gap"]["mean"]
    assert gap == pytest.approx(each["gains"]["all"]["mean"])
    assert none["gap"]["mean"] == pytest.approx(gap - none["gains"]["all"]["mean"])
    assert "not run" not in text(found)


def test_the_command(tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps(content(tiny, tmp_path / "store")))
    command = ["compare-teachers", str(config), "--out", str(tmp_path / "run"), "--seeds", "1"]
    assert main([*command, "--kinds", "plain", "--students", "1", "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)["kinds"]
    assert only["name"] == "plain"
    for wrong, said in (
        (["--kinds", "genric"], "no kind 'genric'; did you mean 'generic'?"),
        (["--kinds", "generic@conditioning.klx=3"], "unknown key; did you mean 'kl'?"),
        (["--students", "none.yaml"], "neither a number nor a YAML file"),
        (["--seeds", "0"], "--seeds 0: needs at least 1"),
        (["--set", "distill.methods=[hard]"], "'hard' learns nothing from a trained teacher"),
    ):
        assert main([*command, *wrong]) == 2
        error = capsys.readouterr().err.strip()
        assert said in error and "\n" not in error


def test_a_teacher_that_diverges_is_told_and_the_others_go_on(
    compared: Compared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = module.taught

    def taught(context: Any, *rest: Any) -> Any:
        if context.config.teacher.training == "generic":
            raise TrainingError("the loss is not a number", step=3)
        return real(context, *rest)

    monkeypatch.setattr(module, "taught", taught)
    found = compared(tmp_path, students="1", seeds=1)
    generic = found["kinds"][1]
    (reason,) = generic["failed"]
    assert reason.startswith("teacher, seed 0: the loss is not a number")
    assert generic["gains"]["all"] is None and generic["teacher"] is None
    assert "failed: generic" in text(found)
    assert reason in (tmp_path / "teachers.html").read_text()


# Made-up scores.

STUDENTS = [{"id": "a", "held_out": False}, {"id": "b", "held_out": True}]


def term(a: float | None, b: float | None, seconds: float | None = None) -> Term:
    lessons = {"a": Lesson(a, 0.1, 1.0), "b": Lesson(b, 0.3, 3.0)}
    return Term(lessons, [] if seconds is None else [{"seconds": seconds}])


def made_up(**terms: list[Term]) -> dict[str, dict[str, Any]]:
    arms = [Arm(name, name.partition("@")[0], None) for name in terms]
    return {row["name"]: row for row in rows(arms, terms, STUDENTS)}


def test_gains_and_costs_by_hand() -> None:
    found = made_up(
        plain=[term(0.50, 0.60, 10.0), term(0.52, 0.60, 10.0)],
        student_friendly=[term(0.50, 0.60, 15.0), term(0.50, 0.60, 15.0)],
        generic=[term(0.52, 0.60, 20.0), term(0.56, 0.62, 30.0)],
    )
    generic = found["generic"]
    assert generic["gains"]["all"]["runs"] == pytest.approx([0.01, 0.03])
    assert generic["gains"]["all"]["mean"] == pytest.approx(0.02)
    assert generic["gains"]["drawable"]["mean"] == pytest.approx(0.03)
    assert generic["gains"]["held_out"]["mean"] == pytest.approx(0.01)
    assert generic["gains"]["all"]["worst"] == "b" and generic["gains"]["all"]["improved"] == 1
    assert generic["overhead"]["runs"] == [1.0, 2.0]
    assert generic["break_even"]["mean"] == pytest.approx((20 / 15 + 30 / 15) / 2)
    assert generic["divergence"]["mean"] == pytest.approx(0.2)
    assert generic["student_seconds"]["mean"] == 2
    assert found["student_friendly"]["break_even"] is found["plain"]["break_even"] is None


def test_a_student_that_failed_once_is_left_out_of_pairs() -> None:
    found = made_up(
        plain=[term(0.5, 0.6), term(0.5, 0.6)], generic=[term(0.6, 0.6), term(0.7, None)]
    )
    told = found["generic"]["gains"]
    assert list(told["all"]["students"]) == ["a"]
    assert told["all"]["runs"] == pytest.approx([0.1, 0.2]) and told["held_out"] is None
    assert found["generic"]["mean"]["runs"] == [0.6, None]


def test_seconds_that_are_not_known_have_no_ratio() -> None:
    found = made_up(plain=[term(0.5, 0.5, 10.0)], generic=[term(0.5, 0.5)])
    assert found["generic"]["overhead"] is None
