"""A search against simpler ones: what is compared, at what cost, and what may be said of it."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kdsearch.cli import main
from kdsearch.config import read_config
from kdsearch.config.models import Distill
from kdsearch.core.objectives import KNOWN
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.core.space import Choice, Space
from kdsearch.core.volume import volume
from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json, write_json
from kdsearch.pipeline.baseline_results import Searched, content_of, text, volume_of
from kdsearch.pipeline.baselines import baselines
from kdsearch.pipeline.halves import default
from kdsearch.pipeline.report import reported
from kdsearch.pipeline.status import status
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir
from kdsearch.search.pool import Pool
from kdsearch.search.simpler import Arm
from kdsearch.search.trial import Trial

OBJECTIVES = (KNOWN["accuracy"], KNOWN["macs"])
REFERENCE = {"accuracy": 0.1, "macs": 1000.0}
POOL = Pool(Space({"width": Choice((2, 4))}), {"hard": Space({})})


# What the numbers say.


def searched(scores: Sequence[tuple[float, float]], short: str = "") -> Searched:
    """Trials completed at rung 1, and one that is not."""
    candidate = Candidate(Architecture.of({"width": 2}), Recipe("hard"))
    done = [Trial(n, candidate, "complete", {1: score}) for n, score in enumerate(scores)]
    cut = Trial(len(done), candidate, "stopped", {0: (0.99, 1.0)})
    return Searched([*done, cut], 10.0, short, 1)


def compared(own: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Accuracies of searches that found one student each, of 100 MACs."""
    found = [
        (Arm(name, f"about {name}", "tpe", POOL), [searched([(a, 100.0)]) for a in values])
        for name, values in (("search", own), ("random", theirs))
    ]
    content = content_of({"reference_point": REFERENCE}, found, OBJECTIVES)
    return {**content, "skipped": {}, "device_seconds": 10.0}


def test_the_hypervolume_is_that_of_completed_trials_at_the_top_rung() -> None:
    """By hand: 0.5 × one decade, and 0.2 × half a decade on top."""
    one = searched([(0.6, 100.0), (0.8, 1000.0 / 10**0.5), (0.5, 500.0)])
    assert volume_of(one, OBJECTIVES, REFERENCE) == pytest.approx(0.5 + 0.2 * 0.5)
    assert volume_of(searched([]), OBJECTIVES, REFERENCE) == 0


def test_differences_are_taken_seed_by_seed() -> None:
    content = compared([0.6, 0.8, 0.7], [0.5, 0.7, 0.65])
    search, random = content["arms"]
    assert search["volumes"] == pytest.approx([0.5, 0.7, 0.6]) and "difference" not in search
    assert random["difference"]["mean"] == pytest.approx((0.1 + 0.1 + 0.05) / 3)
    half = 4.303 * 0.0288675 / 3**0.5  # Student's t with two degrees of freedom
    low, high = random["difference"]["ci95"]
    assert (high - low) / 2 == pytest.approx(half, rel=1e-3)
    assert random["difference"]["says"] == "the search does better"
    assert (random["trials"], random["complete"]) == ([2, 2, 2], [1, 1, 1])


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        ([0.5, 0.9, 0.6], "says nothing"),
        ([0.75, 0.96, 0.86], "the search does worse"),
        ([0.5, 0.7, 0.6], "says nothing"),  # an interval without width claims nothing either
    ],
)
def test_nothing_is_claimed_where_the_interval_holds_zero(
    theirs: list[float], says: str
) -> None:
    own = [0.6, 0.8, 0.7]
    if says == "says nothing" and theirs == [0.5, 0.7, 0.6]:
        own = theirs
    content = compared(own, theirs)
    assert content["arms"][1]["difference"]["says"] == says
    assert says in text(content)


# The default recipe.


def test_the_default_recipe_leaves_open_what_the_method_has_a_default_for() -> None:
    free = default(Distill(methods=("soften", "hard")))
    assert free == {"soften": Space({})}
    narrowed = Distill(methods=("soften",), knobs={"soften.temperature": (2, 4, 8)})
    assert default(narrowed) == {"soften": Space({"temperature": Choice((4,))})}
    one = Distill(methods=("soften",), knobs={"soften.weight": (0.9,)})
    assert default(one) == {"soften": Space({"weight": Choice((0.9,))})}


# A real run.


@pytest.fixture(scope="module")
def run(finished: RunDir, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    root = tmp_path_factory.mktemp("held") / "run"
    shutil.copytree(finished.root, root, symlinks=True)
    return RunDir(root)


@pytest.fixture(scope="module")
def content(run: RunDir) -> dict[str, Any]:
    return baselines(run, Silent(), seeds=2)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_arm_is_searched_with_every_seed(run: RunDir, content: dict[str, Any]) -> None:
    names = [arm["name"] for arm in content["arms"]]
    assert names == [
        "search", "random", "recipe-default", "recipe-knee", "student-knee", "no-teacher",
    ]  # fmt: skip
    folders = {p.name for p in (run.root / "baselines").iterdir()}
    expected = {f"{name}-{k}" for name in names for k in range(2)} - {"search-0"}
    assert folders == expected, "the run is the search's first"
    assert content == read_json(run.root / "baselines.json")
    assert content["skipped"] == {} and content["seeds"] == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_is_given_the_device_seconds_of_the_search(
    run: RunDir, content: dict[str, Any]
) -> None:
    rows = read_json(run.ledger)["rungs"]
    assert content["device_seconds"] == pytest.approx(rows["1"]["device_seconds"])
    assert content["arms"][0]["device_seconds"][0] == pytest.approx(content["device_seconds"])
    for arm in content["arms"]:
        for spent, short in zip(arm["device_seconds"], arm["short"], strict=True):
            assert short or spent >= content["device_seconds"]
    for folder in (run.root / "baselines").iterdir():
        limits = read_config(folder / "config.yaml").search
        assert limits.device_seconds == pytest.approx(content["device_seconds"])
        assert (limits.seconds, limits.patience) == (None, None)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_each_may_propose(run: RunDir, content: dict[str, Any]) -> None:
    def found(name: str) -> list[Candidate]:
        return [t.candidate for t in trials(RunDir(run.root / "baselines" / name))]

    front = read_json(run.front)["points"]
    knee = next(p for p in front if p["id"] == content["knee"])
    assert {c.recipe for c in found("recipe-knee-0")} == {Recipe.read(knee["recipe"])}
    student = Architecture.of(knee["architecture"])
    assert {c.architecture for c in found("student-knee-1")} == {student}
    assert {c.recipe.method for c in found("no-teacher-0")} == {"hard"}
    assert {c.recipe for c in found("recipe-default-0")} == {Recipe("soften")}
    first = [t.candidate for t in trials(run)]
    assert found("search-1")[: len(first)] != first, "another seed"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_runs_results_are_shared_and_its_own_files_left_alone(
    finished: RunDir, run: RunDir, content: dict[str, Any]
) -> None:
    facts = finished.facts()
    for folder in (run.root / "baselines").iterdir():
        own = RunDir(folder).facts()
        assert (own["teacher"], own["supernet"]) == (facts["teacher"], facts["supernet"])
        assert not (folder / "front.json").exists() and not (folder / "students").exists()
    assert trials(run) == trials(finished)
    assert run.front.read_bytes() == finished.front.read_bytes()
    assert run.test_openings.read_bytes() == finished.test_openings.read_bytes()
    assert status(RunDir(run.root / "baselines" / "random-0"))["trials"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hypervolumes_are_those_of_the_trials(run: RunDir, content: dict[str, Any]) -> None:
    reference = read_json(run.front)["reference_point"]
    by_name = {arm["name"]: arm for arm in content["arms"]}
    for name, folder in (("search", run), ("random", RunDir(run.root / "baselines/random-0"))):
        done = [t for t in trials(folder) if t.state == "complete"]
        points = [{"accuracy": t.scores[1][0], "macs": t.scores[1][1]} for t in done]
        expected = volume(points, OBJECTIVES, reference)
        assert by_name[name]["volumes"][0] == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_again_trains_nothing_and_the_page_shows_it(
    run: RunDir, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from kdsearch.search.rung import Rungs

    monkeypatch.setattr(Rungs, "distilled", None)
    monkeypatch.setattr(Rungs, "inherited", None)
    before = [
        (p, p.stat().st_mtime_ns) for p in sorted(run.root.glob("baselines/*/trials-*/*"))
    ]
    assert main(["search-baselines", str(run.root), "--seeds", "2"]) == 0
    printed = capsys.readouterr().out
    assert read_json(run.root / "baselines.json") == content
    after = [(p, p.stat().st_mtime_ns) for p in sorted(run.root.glob("baselines/*/trials-*/*"))]
    assert after == before
    page = run.report.read_text(encoding="utf-8")
    assert "Is the search better than simpler ones?" in page
    for arm in content["arms"]:
        assert arm["name"] in printed and arm["name"] in page
    assert main(["search-baselines", str(run.root), "--seeds", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == content


def test_baselines_of_another_search_are_not_shown(copied: RunDir) -> None:
    content = {**compared([0.6, 0.8], [0.5, 0.7]), "study": copied.facts()["study"]}
    write_json(copied.root / "baselines.json", content)
    title = "Is the search better than simpler ones?"
    assert title in reported(copied).read_text(encoding="utf-8")
    write_json(copied.root / "baselines.json", {**content, "study": "another"})
    assert title not in reported(copied).read_text(encoding="utf-8")


def test_what_cannot_be_compared(copied: RunDir, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--seeds 1: needs at least 2"):
        baselines(copied, Silent(), seeds=1)
    with pytest.raises(RunError, match="no run here"):
        baselines(RunDir(tmp_path / "none"), Silent(), seeds=3)
    front = read_json(copied.front)
    write_json(copied.front, {**front, "hypervolume": None})
    with pytest.raises(UserError, match="no hypervolume to compare by"):
        baselines(copied, Silent(), seeds=3)
    copied.front.unlink()
    with pytest.raises(RunError, match=r"no front\.json yet"):
        baselines(copied, Silent(), seeds=3)
