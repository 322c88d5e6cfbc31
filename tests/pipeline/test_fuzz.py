"""Damaged or forged cards, artefacts and run folders: each verb ends, or says one line."""

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdsearch import cli
from kdsearch.export.card import listed
from kdsearch.export.sealed import CARD, seal
from kdsearch.files import read_json
from kdsearch.pipeline.students import export
from kdsearch.rundir import RunDir

VERBS = (
    "status RUN",
    "front RUN",
    "trials RUN",
    "query RUN --max params=90%",
    "explain RUN",
    "report RUN",
    "export RUN --student ID --to TO --format safetensors",
)
FILES = ("front.json", "run.json", "ledger.json", "progress.json", "students/ID/card.json")
LITTLE = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.sampled_from([float("nan"), float("inf"), 1e308, -0.5, 0.5]),
    st.sampled_from(["", "../../x", "/etc/passwd", "module:os:system", "\ud800", "x" * 5000]),
    st.just([]),
    st.just({}),
    st.just([[]]),
)


class Damage:
    """One place in a JSON document, picked by numbers, that gets another value or goes."""

    def __init__(self, steps: list[int], value: Any, *, goes: bool) -> None:
        self.steps, self.value, self.goes = steps, value, goes

    def __repr__(self) -> str:
        return f"Damage({self.steps}, {self.value!r:.40}, goes={self.goes})"

    def __call__(self, content: Any) -> Any:
        if not isinstance(content, dict | list) or not content:
            return self.value
        node = content
        for step in self.steps:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = keys[step % len(keys)]
            below = node[key]
            if step == self.steps[-1] or not isinstance(below, dict | list) or not below:
                break
            node = below
        if self.goes:
            del node[key]
        else:
            node[key] = self.value
        return content


damages = st.builds(
    lambda steps, value, goes: Damage(steps, value, goes=goes),
    st.lists(st.integers(0, 50), min_size=1, max_size=6),
    VALUES,
    st.booleans(),
)


def says(*words: str) -> None:
    """The command ends well, or with one line and the code of a mistake."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(list(words))
    said = err.getvalue()
    assert code in (0, 2, 3) and "a bug of kdsearch" not in said, f"{words}: {said}"
    if code:
        assert len(said.splitlines()) == 1, f"{words}: {said}"


class Own:
    """A run and an exported folder of the test's own, mended after each damage."""

    def __init__(self, run: RunDir, folder: Path) -> None:
        self.root = folder / "run"
        shutil.copytree(run.root, self.root, symlinks=True)
        self.student = read_json(run.front)["points"][0]["id"]
        self.to = folder / "student"
        export(RunDir(self.root), self.student, self.to, ["safetensors", "python"])
        self.whole = {path: path.read_bytes() for path in self.to.iterdir()}

    def path(self, name: str) -> Path:
        return self.root / name.replace("ID", self.student)

    def words(self, verb: str) -> list[str]:
        short = {"RUN": str(self.root), "ID": self.student, "TO": str(self.to)}
        return [short.get(word, word) for word in verb.split()]

    def mend(self) -> None:
        for path, content in self.whole.items():
            path.write_bytes(content)


@pytest.fixture(scope="module")
def own(finished: RunDir, tmp_path_factory: pytest.TempPathFactory) -> Own:
    return Own(finished, tmp_path_factory.mktemp("fuzz"))


def asked_while(own: Own, path: Path, content: bytes, verb: str) -> None:
    """Asks while a file of the run has another content."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        says(*own.words(verb))
    finally:
        path.write_bytes(before)
        own.mend()


@pytest.mark.parametrize("name", FILES)
@LITTLE
@given(damage=damages, verb=st.sampled_from(VERBS))
def test_a_run_of_damaged_json(own: Own, name: str, damage: Damage, verb: str) -> None:
    path = own.path(name)
    asked_while(own, path, json.dumps(damage(read_json(path))).encode(), verb)


@pytest.mark.long
@settings(LITTLE, max_examples=300)
@given(name=st.sampled_from(FILES), damage=damages, verb=st.sampled_from(VERBS))
def test_many_runs_of_damaged_json(own: Own, name: str, damage: Damage, verb: str) -> None:
    path = own.path(name)
    asked_while(own, path, json.dumps(damage(read_json(path))).encode(), verb)


@pytest.mark.parametrize("name", FILES)
@LITTLE
@given(place=st.floats(0, 1), content=st.binary(max_size=20), verb=st.sampled_from(VERBS))
def test_a_run_of_damaged_bytes(
    own: Own, name: str, place: float, content: bytes, verb: str
) -> None:
    path = own.path(name)
    before = path.read_bytes()
    asked_while(own, path, before[: int(place * len(before))] + content, verb)


@settings(LITTLE, max_examples=25)
@given(damage=damages, is_sealed=st.booleans())
def test_a_damaged_or_forged_card(own: Own, damage: Damage, is_sealed: bool) -> None:
    content = damage(json.loads(own.whole[own.to / CARD]))
    if is_sealed and isinstance(content, dict):
        with contextlib.suppress(ValueError):  # NaN has no seal
            content = seal(content)
    (own.to / CARD).write_text(json.dumps(content))
    try:
        says("verify", str(own.to))
        says(*own.words("export RUN --student ID --to TO --format safetensors,python"))
    finally:
        own.mend()


@settings(LITTLE, max_examples=25)
@given(damage=damages)
def test_a_forged_config_with_everything_sealed(own: Own, damage: Damage) -> None:
    """Whatever it asks to be built, nothing of the network's author is run."""
    config = own.to / "config.json"
    config.write_text(json.dumps(damage(json.loads(config.read_text()))))
    content = json.loads(own.whole[own.to / CARD])
    content["files"] |= listed([config])
    (own.to / CARD).write_text(json.dumps(seal(content)))
    try:
        says("verify", str(own.to))
    finally:
        own.mend()


@settings(LITTLE, max_examples=25)
@given(which=st.integers(0, 50), place=st.floats(0, 1), content=st.binary(max_size=60))
def test_damaged_files_of_an_exported_folder(
    own: Own, which: int, place: float, content: bytes
) -> None:
    path = sorted(own.whole)[which % len(own.whole)]
    whole = own.whole[path]
    cut = int(place * len(whole))
    damaged = whole[:cut] + content + whole[cut + len(content) :]
    path.write_bytes(damaged)
    try:
        if damaged != whole:
            assert cli.main(["verify", str(own.to)]) == 2
    finally:
        own.mend()
