"""The wheel, installed somewhere else, finds its search spaces."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kdsearch.spaces import list_spaces, load_space

pytestmark = [pytest.mark.slow, pytest.mark.long]
ROOT = Path(__file__).parents[1]
ASK = """
import json
from pathlib import Path
import kdsearch.spaces
found = {name: kdsearch.spaces.load_space(name).count for name in kdsearch.spaces.list_spaces()}
print(json.dumps({"from": kdsearch.spaces.__file__, "spaces": found}))
"""


def python(*words: str, folder: Path, path: Path | None = None) -> str:
    """What a Python of its own says, run in `folder`, with `path` first on its path."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=inherited | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    python(
        *("-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"),
        *("--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT)),
        folder=folder,
    )
    (built,) = folder.glob("kdsearch-*.whl")
    return built


def test_the_installed_wheel_finds_its_spaces(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    python(
        *("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"),
        *("--no-index", "--target", str(target), str(wheel)),
        folder=elsewhere,
    )
    answer: dict[str, Any] = json.loads(python("-c", ASK, folder=elsewhere, path=target))
    assert Path(answer["from"]).is_relative_to(target)
    assert answer["spaces"] == {name: load_space(name).count for name in list_spaces()}
    said = python("-m", "kdsearch", "spaces", "--json", folder=elsewhere, path=target)
    assert [row["name"] for row in json.loads(said)] == list(list_spaces())


def test_the_wheel_carries_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert len(tops) == 2 and "kdsearch" in tops, tops
    kept = {name for name in names if name.startswith("kdsearch/")}
    script = (ROOT / "kdsearch" / "report" / "script").iterdir()
    ours = {p.relative_to(ROOT).as_posix() for p in (ROOT / "kdsearch").rglob("*.py")}
    ours |= {p.relative_to(ROOT).as_posix() for p in script}
    ours |= {
        f"kdsearch/search_spaces/{p.name}" for p in (ROOT / "search_spaces").glob("*.yaml")
    }
    assert kept == ours
