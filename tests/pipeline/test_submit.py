"""What travels to a cluster, and what is shown of a job."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from kdsearch import cli
from kdsearch.arguments import parser
from kdsearch.config import read_config
from kdsearch.config.manifest import read_manifest
from kdsearch.engines.ray_jobs import Ended, Job, Jobs
from kdsearch.pipeline.submit import Order, packed, submit, with_spaces

SPACE = "family: resnet\nmin_size: 8\nmax_size: 64\nchoices:\n"
SPACE += "".join(f"  stage{n}.{what}: [2]\n" for n in (1, 2, 3) for what in ("width", "depth"))


class Taken:
    """Jobs of a cluster that keeps what it was handed."""

    def __init__(self, busy: str | None = None, code: int = 0) -> None:
        self.busy, self.code = busy, code
        self.jobs: list[Job] = []
        self.files: dict[str, str] = {}

    def running(self, name: str) -> str | None:
        return self.busy

    def hand_over(self, job: Job) -> str:
        self.jobs.append(job)
        for path in job.files.rglob("*.yaml"):
            self.files[str(path.relative_to(job.files))] = path.read_text()
        return job.name

    def follow(self, job: str, write: Any) -> Ended:
        write("epoch 1\n")
        return Ended("FAILED" if self.code else "SUCCEEDED", self.code, "the budget\nmore")


def handed(
    taken: Taken, order: Order, *overrides: str, follows: bool = False
) -> tuple[int, str]:
    shown: list[str] = []
    jobs = cast(Jobs, taken)
    code = submit(order, "", shown.append, overrides=overrides, follows=follows, jobs=jobs)
    return code, "".join(shown)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(SPACE)
    (tmp_path / "run.yaml").write_text("space: mine.yaml\nsearch: {trials: 7}\n")
    return tmp_path / "run.yaml"


def unpacked(files: Mapping[str, str], folder: Path) -> Path:
    """The files as the job finds them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_config_travels_with_its_values_and_its_space(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Taken()
    out = Path("/shared/my birds")
    code, shown = handed(taken, Order(str(config), out, "birds"), "seed=4")
    (job,) = taken.jobs
    assert (code, job.name) == (0, "birds")
    assert job.entrypoint == "kdsearch run config.yaml --out '/shared/my birds'"
    assert job.entrypoint in shown and "--set search.engine=ray-tune" in shown
    assert set(taken.files) == {"config.yaml", "spaces/1/mine.yaml"}
    assert not job.files.exists()
    there = unpacked(taken.files, tmp_path / "there")
    monkeypatch.chdir(there)
    found, mine = read_config("config.yaml"), read_config(config, ["seed=4"])
    assert found.space == str(there / "spaces/1/mine.yaml")
    assert found.model_copy(update={"space": mine.space}) == mine


def test_a_batch_travels_as_cells_with_all_their_values(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "many.yaml"
    manifest.write_text(
        "base: run.yaml\nparallel: 3\n"
        "cross: {budgets: [{}, {params: 20%}], spaces: [resnet-tiny, mine.yaml]}\n"
        "cells: [{name: last, set: {distill.knobs: {soften.temperature: [2, 4]}}}]"
    )
    taken = Taken()
    handed(taken, Order(str(manifest), Path("/shared/many"), None), "search.engine=ray-tune")
    (job,) = taken.jobs
    assert (job.name, job.entrypoint) == (
        "many",
        "kdsearch batch manifest.yaml --out /shared/many",
    )
    monkeypatch.chdir(unpacked(taken.files, tmp_path / "there"))
    there, here = (
        read_manifest("manifest.yaml"),
        read_manifest(manifest, ["search.engine=ray-tune"]),
    )
    assert there.parallel == here.parallel == 3
    assert [c.name for c in there.cells] == [c.name for c in here.cells]
    for one, other in zip(there.cells, here.cells, strict=True):
        assert Path(one.config.space).name == Path(other.config.space).name
        assert one.config.model_copy(update={"space": other.config.space}) == other.config


def test_spaces_of_one_name_do_not_meet(tmp_path: Path, config: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.yaml").write_text(SPACE + "# another\n")
    configs = {
        name: read_config(config, [f"space={path}"])
        for name, path in {
            "a": tmp_path / "mine.yaml",
            "b": tmp_path / "other/mine.yaml",
        }.items()
    }
    changed = with_spaces(configs, tmp_path / "packed")
    texts = {(tmp_path / "packed" / c.space).read_text() for c in changed.values()}
    assert len(texts) == 2


def test_the_command_that_travels_is_one_of_ours(config: Path, tmp_path: Path) -> None:
    entrypoint, engines = packed(Order(str(config), Path("/o"), None), tmp_path / "files", ())
    words = parser().parse_args(shlex.split(entrypoint)[1:])
    assert (words.verb, words.config, words.out) == ("run", "config.yaml", "/o")
    assert engines == {"in-process"}


def test_following_shows_what_it_says_and_ends_as_it_did(config: Path) -> None:
    taken = Taken(code=3)
    code, shown = handed(taken, Order(str(config), Path("/o/birds"), None), follows=True)
    assert code == 3
    assert shown.splitlines()[-2:] == ["epoch 1", "job 'birds' failed: the budget"]


def test_a_job_at_work_is_followed_instead_of_begun(config: Path) -> None:
    taken = Taken(busy="birds-2")
    code, shown = handed(taken, Order(str(config), Path("/o/birds"), None), follows=True)
    assert (code, taken.jobs) == (0, [])
    assert shown.startswith("job 'birds-2' is at work already\n")
    assert shown.endswith("epoch 1\njob 'birds-2' succeeded\n")


def test_ctrl_c_leaves_the_job_alone(config: Path) -> None:
    class Endless(Taken):
        def follow(self, job: str, write: Any) -> Ended:
            raise KeyboardInterrupt

    shown: list[str] = []
    order = Order(str(config), Path("/o/birds"), None)
    with pytest.raises(KeyboardInterrupt):
        submit(order, "", shown.append, follows=True, jobs=cast(Jobs, Endless()))
    assert "goes on without us; `ray job stop birds` ends it" in shown[-1]


def test_the_config_is_checked_before_anybody_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.yaml").write_text("seed: -1")
    words = ["submit", str(tmp_path / "run.yaml"), "--address", "http://127.0.0.1:1"]
    assert cli.main(words) == 2
    assert "run.yaml:1:7: seed = -1" in capsys.readouterr().err
