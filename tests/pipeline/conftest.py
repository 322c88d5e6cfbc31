"""Runs that a test may change: copies of the finished one."""

import shutil
from pathlib import Path

import pytest

from kdsearch.rundir import RunDir


@pytest.fixture
def copied(finished: RunDir, tmp_path: Path) -> RunDir:
    """The finished run in a folder of this test's own; its store is the shared one."""
    root = tmp_path / "runs" / "copied"
    shutil.copytree(finished.root, root, symlinks=True)
    return RunDir(root)
