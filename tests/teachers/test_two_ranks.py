"""Two processes shape one teacher: two_ranks.py does it; both end with the same."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch


@pytest.mark.slow
def test_two_processes_hold_one_teacher_one_distribution_one_memory(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_ranks.py")
    both = [
        subprocess.Popen(
            [sys.executable, "-W", "error", str(script), str(own), str(tmp_path)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for own in (0, 1)
    ]
    said = [process.communicate(timeout=600)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(said)
    first, second = (torch.load(tmp_path / f"rank{own}.pt") for own in (0, 1))
    shared = [name for name in first if "running" not in name]
    assert all(torch.equal(first[name], second[name]) for name in shared)
    assert first["terms.1.memory.shown"].tolist().count(0) == 0  # each image, by one of them
    assert int(first["terms.1.memory.shown"].sum()) == 12 * 8
    assert bool(first["terms.0.distribution.theta"].any())
