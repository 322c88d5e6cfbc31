"""The package of docs/example-method/, installed: a method without a change in kdsearch."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NAME = "class_wise"


def python(*words: str, folder: Path, path: Path | None = None) -> str:
    """What a Python of its own says, run in `folder`, with `path` first on its path."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=inherited | {"OMP_NUM_THREADS": "1"} | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package as pip installs it."""
    folder = tmp_path_factory.mktemp("site")
    python(
        *("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"),
        *("--no-build-isolation", "--no-index", "--target", str(folder)),
        str(DOCS / "example-method"),
        folder=folder,
    )
    return folder


def test_the_page_shows_the_package_as_it_is() -> None:
    page = (DOCS / "methods-of-your-own.md").read_text()
    code = (DOCS / "example-method" / f"{NAME}.py").read_text()
    assert f"```python\n{code}```\n" in page
    project = (DOCS / "example-method" / "pyproject.toml").read_text()
    shown = page.partition("```toml\n")[2].partition("```")[0]
    assert shown and shown in project
    assert len(page.splitlines()) <= 60 and len(code.splitlines()) <= 40


@pytest.mark.slow
def test_it_is_listed(installed: Path, tmp_path: Path) -> None:
    said = python("-m", "kdsearch", "methods", "--json", folder=tmp_path, path=installed)
    (found,) = (row for row in json.loads(said) if row["name"] == NAME)
    assert set(found["knobs"]) == {"temperature", "weight"}
    assert found["teacher"] == "not needed" and "cannot be loaded" not in found["about"]


@pytest.mark.slow
def test_it_is_there_whoever_is_imported_first(installed: Path, tmp_path: Path) -> None:
    code = f"import {NAME}\nfrom kdsearch.distill import BROKEN, METHODS\n"
    code += f"assert METHODS['{NAME}'] is {NAME}.ClassWise and not BROKEN, dict(BROKEN)"
    python("-c", code, folder=tmp_path, path=installed)


@pytest.mark.slow
@pytest.mark.long
def test_the_suite_of_all_methods_runs_on_it(installed: Path) -> None:
    said = python(
        *("-m", "pytest", "-p", "no:cacheprovider", "-k", NAME, "tests/distill/methods"),
        *("-o", "addopts=--import-mode=importlib", "-v"),
        folder=ROOT,
        path=installed,
    )
    for test in ("every_knob_matters", "a_student_learns", "learn_together", "to_the_last_bit"):
        assert any(test in line and "PASSED" in line for line in said.splitlines()), said


@pytest.mark.slow
@pytest.mark.long
def test_a_search_finds_students_with_it(
    installed: Path, tiny: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    config = tiny(
        distill={"methods": [NAME], "epochs": 1}, search={"trials": 3, "batch_size": 3}
    )
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    words = ("-m", "kdsearch", "run", "run.yaml", "--out", "out", "--until", "search")
    python(*words, folder=tmp_path, path=installed)
    results = list((tmp_path / "out").glob("trials-*/*/rung[1-9].json"))
    states = [json.loads(path.read_text())["state"] for path in results]
    assert states and set(states) == {"done"}
