"""Weights and checkpoints of trials at an fsspec URL; journal and results in the run."""

from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.errors import ConfigError
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
    assert files(bucket / "runs" / "far" / study) == files(finished.trials(study))
    for student in (point["id"] for point in far):
        kept = [run.student(student) / "student.safetensors" for run in (done, finished)]
        assert kept[0].read_bytes() == kept[1].read_bytes()


@pytest.mark.parametrize(
    ("url", "says"),
    [("bucket/runs", "needs a URL"), ("nowhere://bucket", "Protocol not known: nowhere")],
)
def test_what_is_no_url_is_refused_before_anything_runs(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"search.weights.*{says}"):
        parse_config({"search": {"weights": url}})
