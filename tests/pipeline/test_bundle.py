"""A bundle for another device: the same bytes each time, run with onnxruntime and numpy alone,
its result taken back, and a target made of it."""

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.data.stored import read_info
from kdsearch.errors import PredictorError, UserError
from kdsearch.measure import on_device
from kdsearch.measure.profile import read_profile
from kdsearch.pipeline import imported as importing
from kdsearch.pipeline.bundle import bundle, words
from kdsearch.pipeline.context import open_context
from kdsearch.pipeline.costs import open_books
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.imported import imported

pytestmark = pytest.mark.slow
NEEDED = ("numpy", "onnxruntime")
ALONE = """
import sys
sys.path[:0] = [{packages!r}]
for name in ("torch", "kdsearch", "sklearn", "onnx"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(name + " can be imported")
sys.argv = ["measure.py", *{arguments!r}]
import runpy
runpy.run_path({script!r}, run_name="__main__")
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with onnxruntime, numpy and what those two ask for, and nothing else."""
    folder = tmp_path_factory.mktemp("packages")
    for name in NEEDED:
        for file in importlib.metadata.files(name) or ():
            top = file.parts[0]
            if ".." not in top and not top.endswith(".dist-info") and top != "__pycache__":
                place = Path(str(file.locate())).parents[len(file.parts) - 2]
                link = folder / top
                if len(file.parts) > 1 and not link.exists():
                    link.symlink_to(place.resolve())
    return folder


@pytest.fixture(scope="module")
def content(tiny: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return tiny(latency={"rounds": 3, "runtime": "onnxruntime"})


@pytest.fixture(scope="module")
def made(
    content: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("bundle") / "board"
    return folder, bundle(parse_config(content), folder / "out", folder, Silent(), 24)


@pytest.fixture(scope="module")
def result(made: tuple[Path, dict[str, Any]], packages: Path) -> Path:
    """What the bundle's script writes, run by a Python that has nothing else."""
    folder, _ = made
    script = ALONE.format(
        packages=str(packages),
        script=str(folder / "measure.py"),
        arguments=["--rounds", "5", "--out", str(folder / "result.json")],
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "group 1 of" in done.stderr
    assert done.stdout == ""
    return folder / "result.json"


def test_the_same_config_gives_the_same_bytes(
    content: Mapping[str, Any], made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """In a folder or in a ZIP."""
    folder, manifest = made
    path = tmp_path / "board.zip"
    again = bundle(parse_config(content), tmp_path / "out", path, Silent(), 24)
    assert again == manifest
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        assert {"measure.py", "manifest.json", "README.txt"} < {*names}
        for name, inside in names.items():
            assert archive.read(inside) == (folder / name).read_bytes()
        sizes = [(i.file_size, i.compress_size) for i in archive.infolist()]
    assert sum(small for _, small in sizes) < sum(large for large, _ in sizes) / 3


def test_a_bundle_holds_both_ends_and_every_network_once(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder, manifest = made
    assert {p.stem for p in (folder / "networks").iterdir()} == {*manifest["files"]}
    assert {*manifest["anchors"].values()} <= {*manifest["files"]}
    names = [name for group in manifest["groups"] for name in group]
    assert len(set(names)) == 24
    assert len(names) == 24 + 8


def test_what_comes_back_becomes_a_target(
    content: Mapping[str, Any], result: Path, tmp_path: Path
) -> None:
    """Measured where it was measured, else predicted and marked so."""
    found = imported(parse_config(content), tmp_path / "out", result, Silent(), "board")
    assert len(found.rows) == 24
    assert sum(row.again is not None for row in found.rows) == 8
    found.write(tmp_path / "board.json")
    assert read_profile(tmp_path / "board.json").as_dict() == found.as_dict()
    target = {"name": "board", "profile": str(tmp_path / "board.json")}
    config = parse_config({**content, "latency": [{"name": "here"}, target]})
    context = open_context(config, tmp_path / "out", Silent())
    data, _ = prepared(context)
    books = open_books(context, read_info(data))
    known = {row.architecture.id for row in found.rows}
    others = (Architecture.of(p) for p in context.space.space.points())
    student = next(a for a in others if a.id not in known)
    measured = found.rows[0].architecture
    costs = books.costs([student, measured], {"latency_ms@board"})
    assert costs[measured.id]["latency_ms@board"] == found.measured[measured.id].p50_ms
    timed = books.by_target["board"].latencies([student, measured])
    assert (timed[student.id].predicted, timed[measured.id].predicted) == (True, False)
    low, high = timed[student.id].ci95
    assert low < costs[student.id]["latency_ms@board"] < high
    assert books.are_known([student], {"latency_ms@board"})


def test_a_result_that_is_not_as_it_was_written_is_refused(
    content: Mapping[str, Any], result: Path, tmp_path: Path
) -> None:
    config, out = parse_config(content), tmp_path / "out"
    whole = json.loads(result.read_text())
    bad = tmp_path / "bad.json"
    for text, reason in (
        ("{", "not whole JSON"),
        ('{"bundle": NaN}', "not whole JSON"),
        ("[]", "bundle: None is none that was made here"),
        (json.dumps({**whole, "bundle": "../../etc"}), "bundle: '../../etc' is none"),
        (json.dumps({**whole, "threads": 0}), "threads: 0"),
    ):
        bad.write_text(text)
        with pytest.raises(PredictorError, match=reason) as caught:
            imported(config, out, bad, Silent(), "board")
        assert str(bad) in str(caught.value)
    with pytest.raises(PredictorError, match="No such file"):
        imported(config, out, tmp_path / "none.json", Silent(), "board")
    with pytest.raises(PredictorError, match="--name '1/2'"):
        imported(config, out, result, Silent(), "1/2")


def test_a_result_for_other_data_is_refused(
    content: Mapping[str, Any], result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = parse_config(content), tmp_path / "out"
    prepare = importing.prepared

    def fewer_classes(context: Any) -> Any:
        data, info = prepare(context)
        return data, replace(info, classes=info.classes[:5])

    monkeypatch.setattr(importing, "prepared", fewer_classes)
    with pytest.raises(PredictorError, match="made for other networks"):
        imported(config, out, result, Silent(), "board")


def test_rounds_and_the_way_back_are_those_of_what_was_asked(
    made: tuple[Path, dict[str, Any]], content: Mapping[str, Any], tmp_path: Path
) -> None:
    folder, manifest = made
    assert manifest["rounds"] == 3
    assert "--students RUN" not in words(manifest, folder) + (folder / "README.txt").read_text()
    latency = [{"name": "here"}, {"name": "board", "rounds": 2}]
    config = parse_config({**content, "latency": latency})
    some = [Architecture.of(c) for c in list(manifest["architectures"].values())[:2]]
    to = tmp_path / "again"
    again = bundle(config, tmp_path / "out", to, Silent(), students=some, name="board")
    assert again["rounds"] == on_device.ROUNDS[0]
    assert "--students RUN" in words(again, to, students=True)
    assert "--students RUN" in (to / "README.txt").read_text()


def test_an_altered_network_is_not_timed(
    made: tuple[Path, dict[str, Any]], packages: Path, tmp_path: Path
) -> None:
    folder, manifest = made
    for name in ("manifest.json", "measure.py"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "networks").mkdir()
    for path in manifest["files"].values():
        (tmp_path / path).write_bytes((folder / path).read_bytes())
    first = next(iter(manifest["files"]))
    (tmp_path / manifest["files"][first]).write_bytes(b"other")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "measure.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"not as they were bundled: {first}" in done.stderr


def test_too_few_networks_and_other_precisions_are_refused(
    content: dict[str, Any], tmp_path: Path
) -> None:
    config = parse_config(content)
    with pytest.raises(UserError, match="a profile of 5 networks .* needs 20 at least"):
        bundle(config, tmp_path / "out", tmp_path / "b", Silent(), 5)
    eager = parse_config({**content, "latency": {"runtime": "eager", "precision": "bf16"}})
    with pytest.raises(UserError, match="precision: bf16; a bundle times float32"):
        bundle(eager, tmp_path / "out", tmp_path / "b", Silent(), 24)
