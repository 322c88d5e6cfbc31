"""Whole JSON that no run writes: every verb that reads it says so in one line."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kdsearch import cli
from kdsearch.files import read_json, write_json, write_text
from kdsearch.pipeline.report_extras import BASELINES
from kdsearch.rundir import RunDir

VERBS = (
    "status RUN",
    "front RUN",
    "trials RUN",
    "query RUN",
    "query RUN --max params=90%",
    "explain RUN",
    "report RUN",
    "clean RUN --dry-run",
    "export RUN --student ID --to TO --format safetensors",
)
FILES = (
    "run.json",
    "ledger.json",
    "front.json",
    "audit.json",
    "progress.json",
    BASELINES,
    "config.yaml",
    "students/ID/card.json",
    "latency/key.json",
    "DATA/info.json",
    "TEACHER/teacher.json",
    "SUPERNET/supernet.json",
)
NAMES: dict[str, Any] = {"data": 5, "study": 5, "study_key": 5, "ends": 5, "teacher": []}
"""Of run.json, with what none of them is."""


class Own:
    """A finished run with stages and latencies of its own, to be damaged and mended."""

    def __init__(self, run: RunDir, to: Path) -> None:
        self.run, facts = run, run.facts()
        self.student = read_json(run.front)["points"][0]["id"]
        self.to, self.places = to, {"ID": self.student}
        for stage in ("data", "teacher", "supernet"):
            shutil.copytree(facts[stage], to / stage)
            run.note(**{stage: str(to / stage)})
            self.places[stage.upper()] = str(to / stage)
        latency = (run.root / "latency").resolve()
        shutil.copytree(latency, to / "latency")
        run.link("latency", to / "latency")
        write_json(run.root / BASELINES, {"study": facts["study"]})
        write_json(run.audit, {"supernet": "supernet"})

    def path(self, name: str) -> Path:
        for short, long in self.places.items():
            name = name.replace(short, long)
        return self.run.root / name

    def words(self, verb: str) -> list[str]:
        short = {"RUN": str(self.run.root), "ID": self.student, "TO": str(self.to / "out")}
        return [short.get(word, word) for word in verb.split()]


@pytest.fixture(scope="module")
def own(finished: RunDir, tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("own")
    shutil.copytree(finished.root, folder / "run", symlinks=True)
    return Own(RunDir(folder / "run"), folder)


@pytest.fixture
def says(own: Own, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Gives a command; what it says on stderr: nothing, or one line and no bug."""

    def run(verb: str) -> str:
        shutil.rmtree(own.to / "out", ignore_errors=True)
        code = cli.main(own.words(verb))
        err = capsys.readouterr().err
        assert code in (0, 2) and "a bug" not in err, f"{verb}: {err}"
        assert len(err.splitlines()) == (code == 2), f"{verb}: {err}"
        return err

    return run


@pytest.mark.parametrize("content", ["{}", "[]", "5"])
@pytest.mark.parametrize("name", FILES)
def test_every_verb_has_its_line(
    name: str, content: str, own: Own, says: Callable[[str], str]
) -> None:
    path = own.path(name)
    before = path.read_bytes() if path.exists() else None
    write_text(path, content)
    try:
        told = [says(verb) for verb in VERBS]
    finally:
        path.unlink() if before is None else path.write_bytes(before)
    if name in ("ledger.json", "front.json", "students/ID/card.json"):
        assert any(str(path) in line and "remove" in line for line in told)


@pytest.mark.parametrize("key", NAMES)
def test_values_of_another_kind_in_run_json(
    key: str, own: Own, says: Callable[[str], str]
) -> None:
    before = own.run.state.read_bytes()
    write_json(own.run.state, {**own.run.facts(), key: NAMES[key]})
    told = [says(verb) for verb in VERBS]
    own.run.state.write_bytes(before)
    assert sum("run.json: not what a run writes" in line for line in told) >= 4


def test_a_front_without_its_search(own: Own, says: Callable[[str], str]) -> None:
    before = own.run.state.read_bytes()
    known = own.run.facts()
    del known["study"]
    write_json(own.run.state, known)
    said = {verb: says(verb) for verb in VERBS}
    own.run.state.write_bytes(before)
    assert said["report RUN"] == "" and "has not begun" in said["trials RUN"]


def test_an_extra_of_the_page_is_left_out_with_a_line(
    own: Own, says: Callable[[str], str]
) -> None:
    assert says("report RUN") == ""
    page = own.run.report.read_text()
    assert "left out of this page" in page
    for name in (BASELINES, "audit.json"):
        assert f"{own.run.root / name}: not what a run writes; remove" in page
        own.path(name).unlink()
    says("report RUN")
    assert "left out of this page" not in own.run.report.read_text()
