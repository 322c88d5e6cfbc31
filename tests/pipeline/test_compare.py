"""One student, several methods and seeds: pairs, equal seconds, and nothing done twice."""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from kdsearch.config import parse_config
from kdsearch.config.recipes import recipe_of
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Recipe
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json
from kdsearch.measure.accuracy import predict, top1
from kdsearch.measure.paired import difference, interval
from kdsearch.nets import FAMILIES
from kdsearch.pipeline import compare as compare_module
from kdsearch.pipeline.compare import compare, names_of
from kdsearch.pipeline.comparison import comparison_text
from kdsearch.rundir import RunDir
from kdsearch.search import rung
from kdsearch.search.pace import Pace
from kdsearch.spaces import load_space

Content = dict[str, Any]
Compared = Callable[..., Content]
METHODS = "dist,multi_level@views=1"
NAMES = ["hard", "soften", "dist", "multi_level@views=1"]
PACES = {"hard": 1.0, "soften": 1.6}
"""Step times in place of measured ones; those of all others are 2.0."""


@pytest.fixture(scope="session")
def compared(tiny: Any) -> Compared:
    """`compared(folder, "dist", seeds=2, distill={"epochs": 2})`."""

    def run(
        out: Path, methods: str | None = METHODS, seeds: int = 2, **changed: Any
    ) -> Content:
        changed.setdefault("distill", {"epochs": 1})
        config = parse_config(tiny(**changed))
        names = names_of(config, methods)
        return compare(config, out, Silent(), methods=names, seeds=seeds)

    return run


@pytest.fixture(scope="module")
def whole(compared: Compared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Content]:
    """A comparison with measured step times; tests read it."""
    out = tmp_path_factory.mktemp("compared") / "whole"
    return out, compared(out)


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Step times of `PACES`; one entry, the names, for each time they are asked for."""
    asked: list[list[str]] = []

    def paces(
        rungs: Any, jobs: Mapping[str, Any], baselines: Sequence[str], progress: Any
    ) -> Any:
        asked.append(list(jobs))
        seconds = {name: PACES.get(name, 2.0) for name in jobs}
        return {
            name: Pace(own, {b: (own / seconds[b],) * 3 for b in baselines}, 0)
            for name, own in seconds.items()
        }

    monkeypatch.setattr(compare_module, "paces", paces)
    return asked


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the runs trained; one that is in here already is killed in its place."""
    done: list[str] = []
    real = rung.fit

    def counted(*arguments: Any, **more: Any) -> Any:
        if more["tell"].title in done[:1]:
            done.clear()
            raise Killed
        done.append(more["tell"].title)
        return real(*arguments, **more)

    monkeypatch.setattr(rung, "fit", counted)
    return done


def row(content: Content, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in content["methods"] if r["name"] == name)
    return found


def accuracies(content: Content) -> dict[str, Any]:
    return {
        r["name"]: [r["epochs"]["accuracies"], r["seconds"]["accuracies"]]
        for r in content["methods"]
    }


# A whole comparison.


def test_methods_stand_beside_the_baselines(whole: tuple[Path, Content]) -> None:
    out, content = whole
    assert read_json(out / "comparison.json") == content
    assert [r["name"] for r in content["methods"]] == NAMES
    assert content["data"]["name"] == "digits"
    assert content["space"] == "resnet-tiny" and content["student"]["stage1.width"] == 2
    assert content["teacher"]["search_accuracy"] > 0.5
    train = content["data"]["counts"]["train"]
    assert content["plan"] == {"epochs": 1, "steps": train // 128, "batch_size": 128}
    assert content["seeds"] == 2
    assert row(content, "multi_level@views=1")["recipe"] == {
        "method": "multi_level", "knobs": {"views": 1},
    }  # fmt: skip


def test_means_and_paired_differences(whole: tuple[Path, Content]) -> None:
    _, content = whole
    for r in content["methods"]:
        for equal in ("epochs", "seconds"):
            own = r[equal]["accuracies"]
            assert len(own) == 2 and all(0 <= a <= 1 for a in own)
            assert r[equal]["mean"] == interval(own).mean
            assert r[equal]["ci95"] == list(interval(own).ci95 or ())
            assert r[equal]["failed"] == []
            others = {"hard", "soften"} - {r["name"]}
            assert r[equal]["versus"].keys() == others
            for other in others:
                paired = difference(own, row(content, other)[equal]["accuracies"])
                said = r[equal]["versus"][other]
                assert said == {
                    "mean": paired.mean, "ci95": list(paired.ci95 or ()), "says": paired.says,
                }  # fmt: skip


def test_an_accuracy_is_the_stored_students(whole: tuple[Path, Content]) -> None:
    """On search-validation, by a road of its own."""
    out, content = whole
    data = load_search(out / "data")
    images = normalise(data.search_val.images, data.info.mean, data.info.std)
    architecture = Architecture.of(content["student"])
    for seed in range(2):
        (path,) = out.glob(f"lessons/*/dist/epochs-all/seed{seed}/student.safetensors")
        net = FAMILIES["resnet"].student(architecture, 1, 10)
        net.load_state_dict(load_file(path))
        scored = top1(predict(net.eval(), images, 500), data.search_val.labels)
        assert row(content, "dist")["epochs"]["accuracies"][seed] == scored


def test_the_test_split_stays_closed(whole: tuple[Path, Content]) -> None:
    assert not RunDir(whole[0]).test_openings.exists()


def test_equal_seconds_are_as_many_steps_as_fit(whole: tuple[Path, Content]) -> None:
    _, content = whole
    steps = content["plan"]["steps"]
    for r in content["methods"]:
        ratio, low, high = r["pace"]["ratios"]["hard"]
        assert low <= ratio <= high
        assert r["epochs"]["steps"] == steps
        assert r["seconds"]["steps"] == max(1, round(steps / ratio))
    assert row(content, "hard")["pace"]["ratios"]["hard"] == [1, 1, 1]
    assert row(content, "soften")["pace"]["ratios"]["hard"][0] > 1, "a teacher takes time"
    hard = row(content, "hard")
    assert hard["seconds"]["accuracies"] == hard["epochs"]["accuracies"], "it sets the seconds"
    assert row(content, "multi_level@views=1")["pace"]["extra_params"] > 0


def test_the_table(whole: tuple[Path, Content]) -> None:
    _, content = whole
    text = comparison_text(content)
    steps = content["plan"]["steps"]
    assert text.startswith(
        f"At equal epochs: {steps} steps each, 2 seeds; accuracy on search-val"
    )
    for heading in ("At equal seconds: as long as hard takes", "A training step"):
        assert heading in text
    for name in NAMES:
        assert sum(line.startswith(name + " ") for line in text.splitlines()) == 3
    mean = row(content, "dist")["epochs"]["mean"]
    (line,) = [one for one in text.splitlines() if one.startswith("dist ")][:1]
    assert f"{100 * mean:.1f} ±" in line and line.endswith(f" {steps}")
    assert "failed" not in text


def test_the_page(whole: tuple[Path, Content]) -> None:
    out, content = whole
    html = (out / "comparison.html").read_text()
    assert html.startswith("<!doctype html>")
    train = content["data"]["counts"]["train"]
    assert f"4 methods taught the same student of digits ({train:,} training images)" in html
    assert "The student: resnet-tiny, depth 1, 1, 1, width 2, 4, 8." in html
    for name in NAMES:
        assert name in html
    mean = row(content, "dist")["epochs"]["mean"]
    assert f"{100 * mean:.1f} %" in html


# Nothing is done twice.


def test_a_second_call_trains_nothing(
    whole: tuple[Path, Content], compared: Compared, trained: list[str]
) -> None:
    out, content = whole
    (out / "comparison.html").unlink()
    assert compared(out) == content
    assert trained == []
    assert (out / "comparison.html").exists()


@pytest.mark.slow
def test_a_killed_comparison_goes_on(
    compared: Compared, fixed: list[list[str]], trained: list[str], tmp_path: Path
) -> None:
    straight = compared(tmp_path / "straight", "dist", seeds=1)
    assert len(trained) == 3 + 2
    for last in ("soften, seed 0, equal epochs", "dist, seed 0, equal seconds"):
        trained[:] = [last]
        with pytest.raises(Killed):
            compared(tmp_path / "cut", "dist", seeds=1)
    again = compared(tmp_path / "cut", "dist", seeds=1)
    assert trained == ["dist, seed 0, equal seconds"]
    assert accuracies(again) == accuracies(straight)
    assert fixed == [["hard", "soften", "dist"]] * 2, "step times are kept, too"


@pytest.mark.slow
def test_more_methods_and_seeds_join_later(
    compared: Compared, fixed: list[list[str]], trained: list[str], tmp_path: Path
) -> None:
    first = compared(tmp_path / "run", "soften", seeds=1)
    trained.clear()
    more = compared(tmp_path / "run", "dist", seeds=1)
    assert trained == ["dist, seed 0, equal epochs", "dist, seed 0, equal seconds"]
    assert fixed == [["hard", "soften"], ["hard", "soften", "dist"]], "beside the baselines"
    trained.clear()
    longer = compared(tmp_path / "run", "dist", seeds=2)
    assert trained and all("seed 1" in name for name in trained)
    assert len(fixed) == 2
    for name in ("hard", "soften"):
        assert accuracies(first)[name] == accuracies(more)[name]
        assert accuracies(longer)[name][0][:1] == accuracies(more)[name][0]


def test_other_values_of_a_knob_are_another_run(
    compared: Compared, fixed: list[list[str]], trained: list[str], tmp_path: Path
) -> None:
    """By the command line or by the config, whose single values hold."""
    plain = compared(tmp_path / "run", "soften@temperature=2", seeds=1)
    trained.clear()
    knobs = {"epochs": 1, "knobs": {"soften.temperature": [2.0], "soften.weight": [0.1]}}
    fixed_here = compared(tmp_path / "run", "soften", seeds=1, distill=knobs)
    assert {name.partition(",")[0] for name in trained} == {"soften"}
    assert row(fixed_here, "soften")["recipe"]["knobs"] == {"temperature": 2.0, "weight": 0.1}
    trained.clear()
    assert (
        accuracies(compared(tmp_path / "run", "soften", seeds=1))["soften"]
        == (accuracies(plain)["soften"])
    )
    assert trained == []


def test_another_student_is_another_lesson(
    compared: Compared, fixed: list[list[str]], tmp_path: Path
) -> None:
    small = compared(tmp_path / "run", "soften", seeds=1)
    large = compared(tmp_path / "run", "soften", seeds=1, student={"architecture": "largest"})
    assert len(list((tmp_path / "run").glob("lessons/*"))) == 2
    assert accuracies(small) != accuracies(large)
    assert (
        large["student"]["stage3.depth"]
        == load_space("resnet-tiny").space.largest()["stage3.depth"]
    )


# Other students and teachers.

STUDENT = """
from torch import nn


def student():
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10),
    )


def headless():
    return nn.Sequential(
        nn.Conv2d(1, 10, 3, 2, 1), nn.BatchNorm2d(10), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )
"""
HUNGRY = '''
from kdsearch.distill.hard import Hard


class Hungry(Hard):
    """Wants more memory than there is."""

    name = "hungry"

    def __call__(self, seen):
        raise MemoryError
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's."""
    (tmp_path / "own_student.py").write_text(STUDENT)
    (tmp_path / "own_method.py").write_text(HUNGRY)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("own_student", "own_method"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "module:own_student:student"


def test_a_student_brought_along(
    compared: Compared, fixed: list[list[str]], own: str, tmp_path: Path
) -> None:
    content = compared(tmp_path / "run", "similarity", seeds=1, student={"network": own})
    assert (content["space"], content["student"]) == (None, {"network": own})
    assert row(content, "similarity")["epochs"]["mean"] is not None
    assert own in (tmp_path / "run" / "comparison.html").read_text()


def test_one_seed_has_no_interval_and_no_verdict(
    compared: Compared, fixed: list[list[str]], tmp_path: Path
) -> None:
    content = compared(tmp_path / "run", "soften", seeds=1)
    for r in content["methods"]:
        assert r["epochs"]["ci95"] is None
        assert all(
            v["ci95"] is None and v["says"] == "" for v in r["epochs"]["versus"].values()
        )
    text = comparison_text(content)
    assert "1 seed, so no intervals" in text and "±" not in text
    assert "better" not in text and "worse" not in text


def test_without_a_teacher_hard_alone_is_the_baseline(
    compared: Compared, fixed: list[list[str]], tmp_path: Path
) -> None:
    none = {"teacher": {"training": "none"}, "distill": {"epochs": 1, "methods": ["hard"]}}
    content = compared(tmp_path / "run", "lightskd", seeds=1, **none)
    assert [r["name"] for r in content["methods"]] == ["hard", "lightskd"]
    assert content["teacher"] is None
    with pytest.raises(
        UserError, match="method 'soften' needs a teacher; set teacher.training"
    ):
        compared(tmp_path / "run", "soften", seeds=1, **none)


# Runs that fail are told with their reason; the others go on.


def test_runs_that_diverge(compared: Compared, fixed: list[list[str]], tmp_path: Path) -> None:
    wild = {"epochs": 2, "learning_rate": 1e6}
    content = compared(tmp_path / "run", "soften", seeds=2, distill=wild)
    for r in content["methods"]:
        assert r["epochs"]["mean"] is None and len(r["epochs"]["failed"]) == 2
        assert "a smaller learning_rate helps" in r["epochs"]["failed"][0]
        assert r["epochs"]["versus"] == {
            other: {"mean": None, "ci95": None, "says": ""} for other in r["epochs"]["versus"]
        }
    text = comparison_text(content)
    assert "failed: hard, " in text and "failed: soften, " in text
    assert "no run has come to its end" in (tmp_path / "run" / "comparison.html").read_text()


def test_a_method_without_enough_memory_leaves_the_others_alone(
    compared: Compared, fixed: list[list[str]], own: str, tmp_path: Path
) -> None:
    hungry = "module:own_method:Hungry"
    content = compared(tmp_path / "run", hungry, seeds=2)
    assert fixed == [["hard", "soften"]], "no step could be taken, so none was timed"
    lost = row(content, hungry)
    assert lost["pace"] is None and lost["epochs"]["mean"] is lost["seconds"]["mean"] is None
    assert lost["epochs"]["failed"] == ["at batch_size 128; try distill.batch_size: 64"] * 2
    assert lost["seconds"]["failed"] == []
    assert all(len(row(content, n)["seconds"]["accuracies"]) == 2 for n in ("hard", "soften"))
    text = comparison_text(content)
    assert f"failed: {hungry}, 2 of its runs: at batch_size 128" in text
    assert "Every run came to its end" not in (tmp_path / "run" / "comparison.html").read_text()


# Recipes.


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("soften", Recipe("soften")),
        ("soften@temperature=2", Recipe.of("soften", {"temperature": 2})),
        ("soften @ temperature = 2", Recipe.of("soften", {"temperature": 2})),
        (
            "multi_level@views=1@labels=0.5",
            Recipe.of("multi_level", {"views": 1, "labels": 0.5}),
        ),
        (
            "information_flow@kernels=cosine@include_diagonal=true",
            Recipe.of("information_flow", {"kernels": "cosine", "include_diagonal": True}),
        ),
    ],
)
def test_a_recipe_is_a_method_with_values(text: str, recipe: Recipe) -> None:
    assert recipe_of(parse_config({}).distill, text) == recipe


def test_single_values_of_the_config_hold_unless_the_name_says_otherwise() -> None:
    knobs = {"soften.temperature": [2.0], "soften.weight": [0.5, 0.9]}
    distill = parse_config({"distill": {"methods": ["soften"], "knobs": knobs}}).distill
    with pytest.raises(UserError, match=r"distill\.knobs\.soften\.weight leaves a choice"):
        recipe_of(distill, "soften")
    alone = parse_config({"distill": {"knobs": {"soften.temperature": [2.0]}}}).distill
    assert recipe_of(alone, "soften") == Recipe.of("soften", {"temperature": 2.0})
    assert recipe_of(alone, "soften@temperature=3") == Recipe.of("soften", {"temperature": 3})
    assert recipe_of(alone, "hard") == Recipe("hard")


def test_baselines_come_first_and_once() -> None:
    config = parse_config({"distill": {"methods": ["dist", "hard"]}})
    assert names_of(config, None) == ["hard", "soften", "dist"]
    assert names_of(config, "nkd, soften,nkd") == ["hard", "soften", "nkd"]
    bare = {"teacher": {"training": "none"}, "distill": {"methods": ["hard"]}}
    assert names_of(parse_config(bare), "lightskd") == ["hard", "lightskd"]


# Mistakes: one line, before anything is trained.


@pytest.mark.parametrize(
    ("methods", "line"),
    [
        ("sofen", "unknown method 'sofen'; did you mean 'soften'?"),
        ("", "unknown method ''; allowed: "),
        ("soften@temperatures=2", "method 'soften': unknown knob 'temperatures'; did you mean"),
        ("soften@temperature=-9", "method 'soften': temperature = -9; allowed: 1.0 to 10.0"),
        ("soften@weight=1.5", "weight = 1.5; allowed: 0.1 to 0.95, or any number above 0 and"),
        ("soften@temperature", "'soften@temperature': after @ comes knob=value"),
        ("soften@temperature=[1, 2]", "needs one value"),
        ("dist+dist", "dist+dist: a method is added to itself"),
        ("module:not_here:Method", "cannot import 'not_here'"),
    ],
)
def test_a_mistake_in_a_recipe_is_one_line(
    methods: str, line: str, compared: Compared, trained: list[str], tmp_path: Path
) -> None:
    methods = methods.replace("[1, 2]", "[1 2]")
    with pytest.raises(UserError) as caught:
        compared(tmp_path / "run", methods)
    assert line in str(caught.value) and "\n" not in str(caught.value)
    assert trained == []


@pytest.mark.parametrize("seeds", [0, -1])
def test_seeds_are_at_least_one(seeds: int, compared: Compared, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"--seeds {seeds}: needs at least 1"):
        compared(tmp_path / "run", "soften", seeds=seeds)


def test_a_method_that_cannot_teach_this_student_is_told_at_once(
    compared: Compared, trained: list[str], own: str, tmp_path: Path
) -> None:
    """Not after the hours of the methods before it."""
    headless = {"network": own.replace(":student", ":headless")}
    for method, line in (
        ("relational", "method 'relational': the method needs pooled of the student"),
        ("information_flow@aux=double_width", "aux: double_width is for students of a space"),
    ):
        with pytest.raises(UserError, match=line):
            compared(tmp_path / "run", f"similarity,{method}", student=headless)
    assert trained == []


def test_a_folder_that_is_busy_is_left_alone(compared: Compared, tmp_path: Path) -> None:
    with RunDir(tmp_path / "run").writing(), pytest.raises(RunError, match="at work here"):
        compared(tmp_path / "run", "soften")


# Several workers.


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.long
def test_two_workers_come_to_the_same_accuracies(
    ray_up: Any,
    whole: tuple[Path, Content],
    compared: Compared,
    fixed: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a folder that is named relative to where the command is given."""
    monkeypatch.chdir(tmp_path)
    _, content = whole
    found = compared(Path("run"), "dist", seeds=1, search={"engine": "ray-tune", "workers": 2})
    for name, (epochs, _) in accuracies(found).items():
        assert accuracies(content)[name][0][:1] == epochs
    assert all(
        not math.isnan(a) for _, (_, seconds) in accuracies(found).items() for a in seconds
    )
    assert json.loads((tmp_path / "run" / "comparison.json").read_text()) == found
