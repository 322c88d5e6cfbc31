"""Weights and checkpoints of trials at an fsspec URL; journal and results in the run."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.errors import ConfigError
from kdsearch.pipeline.clean import MAY_GO_ON, clean
from kdsearch.pipeline.trials import trials
from kdsearch.rundir import RunDir


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.glob("**/*.safetensors")}


def test_a_run_is_the_same_wherever_its_weights_lie(
    tiny: Any, go: Any, finished: RunDir, tmp_path: Path
) -> None:
    bucket = tmp_path / "bucket"
    done = go(tiny(search={"weights": f"{bucket.as_uri()}/runs/"}), tmp_path / "far")
    assert trials(done) == trials(finished)
    near, far = (run.read(run.front)["points"] for run in (finished, done))
    assert [p["id"] for p in far] == [p["id"] for p in near]
    study = done.facts()["study"]
    assert files(done.trials(study)) == set()
    (place,) = (bucket / "runs").iterdir()
    assert place.name.startswith("far-") and done.facts()["weights"].endswith(place.name)
    assert files(place / study) == files(finished.trials(study))
    for student in (point["id"] for point in far):
        kept = [run.student(student) / "student.safetensors" for run in (done, finished)]
        assert kept[0].read_bytes() == kept[1].read_bytes()


def test_a_run_that_takes_a_removed_ones_place_does_not_go_on_from_its_checkpoints(
    tiny: Any, go: Any, tmp_path: Path
) -> None:
    config = tiny(search={"weights": (tmp_path / "bucket").as_uri()})
    first = trials(go(config, tmp_path / "run", until="search"))
    shutil.rmtree(tmp_path / "run")
    assert trials(go(config, tmp_path / "run", until="search")) == first
    assert len(list((tmp_path / "bucket").iterdir())) == 2


def test_clean_finds_checkpoints_where_they_are(tiny: Any, go: Any, tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    config = tiny(search={"weights": bucket.as_uri()})
    run = go(config, tmp_path / "run", until="search")
    left = [p for p in bucket.glob("**/checkpoint.safetensors")]
    assert left, "complete trials may become finalists"
    size = sum(p.stat().st_size for p in left)
    kept = clean(run, dry=False)["kept"]
    assert kept == {MAY_GO_ON: {"files": len(left), "bytes": size}}
    gone = clean(run, every=True, dry=False)["removed"]
    assert gone == {MAY_GO_ON: {"files": len(left), "bytes": size}}
    assert not list(bucket.glob("**/checkpoint.safetensors"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("bucket/runs", "needs a URL"),
        ("nowhere://bucket", "Protocol not known: nowhere"),
        ("://", "is no whole URL"),
        ("file://", "is no whole URL"),
        ("memory://here", "ends with the process; name a place that stays"),
    ],
)
def test_what_is_no_url_is_refused_before_anything_runs(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"search.weights.*{says}"):
        parse_config({"search": {"weights": url}})
