"""A whole run: what is done already stays, what changed is made, search and test never meet."""

import ast
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

import kdsearch
from kdsearch.core.progress import Silent
from kdsearch.errors import BudgetError, DataError, RunError, SearchError
from kdsearch.files import read_json
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import STAGES, RunDir

SHARED = ("data", "teacher", "supernet", "inherited", "latency")
ROOT = Path(__file__).parents[2]
SMALL_SPACE = """
family: resnet
min_size: 8
max_size: 32
choices:
  stage1.width: [2, 4]
  stage2.width: [4]
  stage3.width: [8, 16]
  stage1.depth: [1]
  stage2.depth: [1, 2]
  stage3.depth: [1]
"""


def contents(*folders: Path) -> dict[Path, tuple[int, int]]:
    """Every file and link below, with what changes when it is written anew."""
    found = (
        p for folder in folders for p in folder.rglob("*") if not p.is_dir() or p.is_symlink()
    )
    return {p: (p.lstat().st_ino, p.lstat().st_mtime_ns) for p in found}


class Lines(Silent):
    """Progress that keeps what is said and which tasks began."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.tasks: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def start(self, task: str, total: int) -> None:
        self.tasks.append(task)


# What is done already.


def test_a_second_run_does_nothing(copied: RunDir, tiny: Any, go: Any, store: Path) -> None:
    before = contents(copied.root, store)
    lines = Lines()
    go(tiny(), copied.root, lines)
    after = contents(copied.root, store)
    assert {p for p in after if after[p] != before.get(p)} <= {copied.root / ".lock"}
    assert before.keys() <= after.keys()
    assert lines.tasks == []
    assert any("nothing was done again" in line for line in lines.said)


def test_a_run_elsewhere_shares_what_is_in_the_store(
    finished: RunDir, tiny: Any, go: Any, store: Path, tmp_path: Path
) -> None:
    before = contents(
        *(store / stage for stage in ("data", "teacher", "supernet", "inherited"))
    )
    run = go(tiny(), tmp_path / "elsewhere", until="search")
    for name in ("data", "teacher", "supernet", "latency"):
        assert (run.root / name).resolve() == (finished.root / name).resolve()
    assert trials(run) == trials(finished)
    assert set(read_json(run.ledger)["stages"]) == {"search"}
    after = contents(*(store / stage for stage in SHARED))
    assert after.items() >= before.items()


@pytest.mark.slow
def test_another_seed_makes_new_results(
    finished: RunDir, copied: RunDir, tiny: Any, go: Any
) -> None:
    config = tiny(seed=1, data={"augment": "none"}, search={"trials": 4})
    run = go(config, copied.root, until="search")
    for name in ("data", "teacher", "supernet"):
        assert (run.root / name).resolve() != (finished.root / name).resolve()
    assert run.facts()["study"] != finished.facts()["study"]
    assert run.journal(finished.facts()["study"]).exists()
    candidates = [[t.candidate for t in trials(r)] for r in (run, finished)]
    assert candidates[0] != candidates[1][:4]


@pytest.mark.slow
def test_a_run_stops_after_the_stage_it_is_told_to_and_goes_on_from_there(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    config = tiny(search={"trials": 4}, finalists={"count": 2})
    for last, stage in enumerate(STAGES):
        run = go(config, tmp_path / "run", until=stage)
        done = {
            "data": (run.root / "data").exists(),
            "teacher": (run.root / "teacher").exists(),
            "supernet": (run.root / "supernet").exists(),
            "search": any(run.root.glob("study-*.journal")),
            "finalists": run.front.exists(),
            "report": run.report.exists(),
        }
        assert done == {name: STAGES.index(name) <= last for name in STAGES}


# What changed.


def test_more_trials_go_on_with_the_same_search(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    first = go(tiny(search={"trials": 4}), tmp_path / "run", until="search")
    study, before = first.facts()["study"], trials(first)
    kept = contents(first.trials(study))
    run = go(tiny(), tmp_path / "run", until="search")
    assert run.facts()["study"] == study == finished.facts()["study"]
    assert (len(before), len(trials(run))) == (4, 8)
    assert trials(run)[:4] == before
    assert trials(run) == trials(finished)
    assert contents(run.trials(study)).items() >= kept.items()


@pytest.mark.parametrize(
    "changed",
    [
        {"distill": {"methods": ["hard"]}},
        {"distill": {"knobs": {"soften.temperature": [2, 4]}}},
        {"space": "small.yaml"},
        {"budget": {"params": "60%"}},
        {"search": {"sampler": "random"}},
    ],
    ids=lambda c: next(iter(c)) + " " + str(next(iter(c.values())))[:20],
)
def test_another_search_starts_its_own_study_and_keeps_the_old(
    copied: RunDir, tiny: Any, go: Any, changed: dict[str, Any], tmp_path: Path
) -> None:
    if "space" in changed:
        (tmp_path / "small.yaml").write_text(SMALL_SPACE)
        changed = {"space": str(tmp_path / "small.yaml"), "supernet": {"epochs": 1}}
    old = copied.facts()["study"]
    journal, kept = copied.journal(old).read_bytes(), contents(copied.trials(old))
    config = tiny(**changed)
    config["search"]["trials"] = 4
    run = go(config, copied.root, until="search")
    assert run.facts()["study"] != old
    assert run.journal(run.facts()["study"]).exists()
    assert (run.root / "study.journal").resolve() == run.journal(run.facts()["study"]).resolve()
    assert run.journal(old).read_bytes() == journal
    assert contents(run.trials(old)) == kept
    back = go(tiny(), copied.root, until="search")
    assert back.facts()["study"] == old
    assert back.journal(old).read_bytes() == journal


# Search and test.


@pytest.mark.slow
def test_the_search_needs_no_test_split(
    finished: RunDir, tiny: Any, go: Any, store: Path, tmp_path: Path
) -> None:
    own = tmp_path / "store"
    for stage in ("data", "teacher", "supernet"):
        shutil.copytree(store / stage, own / stage)
    for split in own.glob("data/*/test.safetensors"):
        split.unlink()
    config = tiny(store=str(own))
    run = go(config, tmp_path / "run", until="search")
    assert trials(run) == trials(finished)
    assert not run.test_openings.exists()
    with pytest.raises(DataError, match="test"):
        go(config, tmp_path / "run")
    assert not run.front.exists()


def test_a_run_opens_the_test_split_once(finished: RunDir) -> None:
    """Tests that export one of its students open it again, and that is in the log, too."""
    first, *others = map(json.loads, finished.test_openings.read_text().splitlines())
    count = len(read_json(finished.front)["points"])
    assert first["purpose"] == f"score of {count} published students"
    assert all(one["purpose"].startswith("check of exported s") for one in others)


def test_only_who_publishes_opens_the_test_split() -> None:
    """The finalists' stage, `distill` for its one student, and the check of what is exported;
    import-linter keeps it out of everything below, by a contract."""
    importers = {
        path.relative_to(ROOT / "kdsearch").as_posix()
        for path in (ROOT / "kdsearch").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
        if "open_test" in name.name or name.name.endswith("test_split")
    }
    assert importers == {f"pipeline/{name}.py" for name in ("tested", "distill", "students")}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = [
        c for c in contracts if "kdsearch.data.test_split" in c.get("forbidden_modules", [])
    ]
    assert set(contract["source_modules"]) >= {
        f"kdsearch.{name}"
        for name in (
            "search",
            "engines",
            "supernet",
            "teachers",
            "training",
            "distill",
            "measure",
        )
    }


# What a run leaves behind.


def test_the_files_of_a_run(finished: RunDir, store: Path) -> None:
    for name in ("config.yaml", "front.json", "ledger.json", "report.html", "run.json"):
        assert (finished.root / name).stat().st_size > 0
    for stage in ("data", "teacher", "supernet", "latency"):
        kept = (finished.root / stage).resolve()
        assert kept.parent == (store / stage).resolve()
        assert not kept.with_name(f"{kept.name}.partial").exists()
    assert (finished.root / "study.journal").resolve().suffix == ".journal"
    spent = read_json(finished.ledger)["stages"]
    assert set(spent) <= set(STAGES) and all(seconds > 0 for seconds in spent.values())
    assert {"search", "finalists"} <= set(spent)


def test_the_resolved_config_runs_again_as_it_is(finished: RunDir, tiny: Any) -> None:
    from kdsearch.config import parse_config, read_config

    assert read_config(finished.config) == parse_config(tiny())


def test_a_budget_that_nobody_meets_ends_the_run(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    smallest = read_json(finished.front)["space"]["smallest"]["macs"]
    with pytest.raises(BudgetError) as caught:
        go(tiny(budget={"macs": 100}), tmp_path / "run")
    assert caught.value.exit_code == 3
    line = str(caught.value)
    assert f"the smallest student of the space has macs {smallest:.4g}" in line
    assert re.search(r"macs is missed by \d+%", line)
    found = trials(RunDir(tmp_path / "run"))
    assert {t.state for t in found} == {"stopped"}
    assert not RunDir(tmp_path / "run").test_openings.exists()


def test_a_search_in_which_everything_diverges_comes_to_its_end_and_says_so(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    config = tiny(distill={"learning_rate": 1e6}, search={"screen_layers": 9})
    found = trials(go(config, tmp_path / "run", until="search"))
    assert [t.state for t in found] == ["failed"] * 8
    for trial in found:
        assert re.match(
            r"diverged: loss is .* at step \d+; a smaller learning_rate", trial.reason
        )
    with pytest.raises(
        SearchError, match="no trial was completed, 8 failed: trial 0 div"
    ) as caught:
        go(config, tmp_path / "run")
    assert len(str(caught.value)) < 300


@pytest.mark.slow
def test_published_students_keep_the_budget(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    config = tiny(budget={"macs": "50%", "params": 90_000}, finalists={"count": 2})
    run = go(config, tmp_path / "run")
    largest = read_json(run.front)["space"]["largest"]
    for point in read_json(run.front)["points"]:
        assert point["macs"] <= 0.5 * largest["macs"]
        assert point["params"] <= 90_000
    over = [t for t in trials(run) if t.violations]
    assert over and all(t.state == "stopped" and t.rung == 0 for t in over)


@pytest.mark.slow
def test_latency_as_the_objective_is_measured_once_and_looked_up_after(
    finished: RunDir, tiny: Any, go: Any, tmp_path: Path
) -> None:
    config = tiny(search={"objectives": ["accuracy", "latency_ms"], "trials": 4})
    run = go(config, tmp_path / "one")
    book = run.root / "latency"
    for trial in trials(run):
        stored = read_json(book / f"{trial.candidate.architecture.id}.json")
        assert trial.scores[0][1] == stored["p50_ms"] > 0
    again = go(config, tmp_path / "two", until="search")
    assert trials(again) == trials(run)


@pytest.mark.slow
def test_more_seeds_are_more_runs_of_each_finalist(copied: RunDir, tiny: Any, go: Any) -> None:
    study = copied.facts()["study"]
    before = trials(copied)
    run = go(tiny(finalists={"count": 2, "seeds": 2}), copied.root, until="finalists")
    assert trials(run) == before
    for point in read_json(run.front)["points"]:
        folder = run.trials(study) / f"{point['trial']:04d}"
        runs = [read_json(f / "rung2.json")["accuracy"] for f in (folder, folder / "seed1")]
        twin = (folder / "seed1" / "student.safetensors").read_bytes()
        assert twin != (folder / "student.safetensors").read_bytes()
        assert point["seeds"] == 2
        assert point["search_accuracy"] == pytest.approx(sum(runs) / 2)
        weights = (run.root / point["weights"]).read_bytes()
        assert weights == (folder / "student.safetensors").read_bytes()


def test_two_processes_do_not_write_one_run(copied: RunDir, tiny: Any, go: Any) -> None:
    with copied.writing():
        assert copied.busy()
        with pytest.raises(RunError, match="another process is at work here"):
            go(tiny(), copied.root)
    assert not copied.busy()


def test_the_version_is_in_the_front(finished: RunDir) -> None:
    assert read_json(finished.front)["kdsearch_version"] == kdsearch.__version__


def test_another_search_takes_the_old_front_back(copied: RunDir, tiny: Any, go: Any) -> None:
    assert copied.front.exists()
    with pytest.raises(BudgetError, match="params"):
        go(tiny(budget={"params": 1}), copied.root)
    assert not copied.front.exists()
