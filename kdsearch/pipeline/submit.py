"""Verb `submit`: a run or a batch as a job of a Ray cluster.

The job is our own command, given the config with every value written out; it goes on where an
earlier one stopped, since all it knows lies in the run's folder, on storage that the cluster
shares.
"""

import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kdsearch.config import Config, read_config, resolved_yaml
from kdsearch.config.manifest import Batch, is_manifest, read_manifest
from kdsearch.config.write import plain
from kdsearch.engines.ray_jobs import Ended, Job, Jobs
from kdsearch.files import write_bytes, write_text
from kdsearch.spaces.marked import written
from kdsearch.spaces.shelf import is_path

CONFIG, MANIFEST, SPACES = "config.yaml", "manifest.yaml", "spaces"


class Order(NamedTuple):
    file: str
    """A config or a manifest."""
    out: Path
    """The run's folder, as the cluster sees it."""
    name: str | None
    """The job's; None: that of the folder."""

    @property
    def job(self) -> str:
        return self.name or self.out.name


def submit(
    order: Order,
    address: str,
    show: Callable[[str], object],
    *,
    overrides: Sequence[str] = (),
    follows: bool = False,
    jobs: Jobs | None = None,
) -> int:
    """Hands it over and shows where it runs; its exit code where it `follows`.

    Raises:
        UserError: a config that will not do, a cluster that cannot be reached or refuses, or
            a job of this name that is at work already.
    """
    with tempfile.TemporaryDirectory(prefix="kdsearch-submit-") as scratch:
        entrypoint, engines = packed(order, Path(scratch), overrides)
        jobs = jobs or Jobs(address)
        busy = jobs.running(order.job) if follows else None
        job = busy or jobs.hand_over(Job(order.job, entrypoint, Path(scratch)))
    show(f"job '{job}' is at work already\n" if busy else f"job '{job}': {entrypoint}\n")
    if engines == {"in-process"}:
        show(
            "search.engine: in-process works on the head node alone; "
            "--set search.engine=ray-tune uses the whole cluster\n"
        )
    if follows:
        return followed(jobs, job, show)
    show(f"it runs in {order.out}; the same command with --follow shows what it says\n")
    return 0


def followed(jobs: Jobs, job: str, show: Callable[[str], object]) -> int:
    """Shows what a job says until it is over."""
    try:
        ended = jobs.follow(job, show)
    except KeyboardInterrupt:
        show(f"\njob '{job}' goes on without us; `ray job stop {job}` ends it\n")
        raise
    show(words(job, ended) + "\n")
    return ended.code


def words(job: str, ended: Ended) -> str:
    line = f"job '{job}' {ended.status.lower()}"
    told = ended.message.strip().partition("\n")[0]
    return f"{line}: {told}" if told and ended.code else line


def packed(order: Order, folder: Path, overrides: Sequence[str]) -> tuple[str, set[str]]:
    """Writes what travels into `folder`; gives the command, and the engines it will use."""
    if is_manifest(order.file):
        batch = read_manifest(order.file, overrides)
        configs = {cell.name: cell.config for cell in batch.cells}
        write_text(folder / MANIFEST, manifest(batch, with_spaces(configs, folder)))
        argv = ["batch", MANIFEST]
    else:
        configs = {"run": read_config(order.file, overrides)}
        write_text(folder / CONFIG, resolved_yaml(with_spaces(configs, folder)["run"]))
        argv = ["run", CONFIG]
    command = shlex.join(["kdsearch", *argv, "--out", str(order.out)])
    return command, {config.search.engine for config in configs.values()}


def with_spaces(configs: Mapping[str, Config], folder: Path) -> dict[str, Config]:
    """The configs with a user's own spaces beside them, which are written to `folder`."""
    places: dict[str, str] = {}
    changed = {}
    for name, config in configs.items():
        space = config.space
        if is_path(space) and space not in places:
            taken = len(places) + 1
            places[space] = f"{SPACES}/{taken}/{Path(space).name}"
            write_bytes(folder / places[space], Path(space).read_bytes())
        changed[name] = config.model_copy(update={"space": places.get(space, space)})
    return changed


def manifest(batch: Batch, configs: Mapping[str, Config]) -> str:
    """The batch as a manifest that needs nothing else: each cell with all its values."""
    lines = [f"parallel: {batch.parallel}", "cells:"]
    for name, config in configs.items():
        lines += [f"- name: {written(name)}", f"  set: {written(plain(config))}"]
    return "\n".join(lines) + "\n"
