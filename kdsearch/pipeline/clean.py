"""Verb `clean`: removes checkpoints that a run has no use for any more; all it found stays.

Weights of finalists and students, results, journals, front and report are left as they are: a
run that was cleaned goes on as one that was not. A trial that may yet become a finalist, where
more trials or finalists are asked for, would have to begin anew without its checkpoint, so that
one goes only with `all`. Links are not followed, nothing outside the run is touched.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from kdsearch.core.quantities import several, size
from kdsearch.pipeline.table import table
from kdsearch.pipeline.trials import recorded
from kdsearch.places import Place, place_of, size_of
from kdsearch.rundir import RunDir
from kdsearch.search.leavings import CLAIM
from kdsearch.search.rung import CHECKPOINT, STUDENT
from kdsearch.store import PARTIAL

OVER = "checkpoints of stopped and failed trials"
OTHER = "checkpoints of earlier searches"
TORN = "torn files of processes that were killed"
MAY_GO_ON = "checkpoints of trials that may become finalists"
NEEDED = "checkpoints of trials under way"
KINDS: Mapping[str, str] = MappingProxyType(
    {"stopped": OVER, "failed": OVER, "complete": MAY_GO_ON, "running": NEEDED}
)
"""By a trial's state."""
HALF_WRITTEN = tuple(f".{n}.*" for n in (CHECKPOINT, STUDENT, CLAIM, "rung*.json"))
"""What is left of a file whose writer was killed."""


class Found(NamedTuple):
    """A file in a trial's folder, or where its weights are kept."""

    place: Place
    kind: str
    bytes: int


def clean(run: RunDir, *, every: bool = False, dry: bool) -> dict[str, Any]:
    """JSON-able: what was removed, by kind; with `dry`, what would be.

    Args:
        every: also what lets a trial that may become a finalist go on where it stopped.

    Raises:
        RunError: there is no run here, or a process is at work on it.
    """
    run.read(run.state)
    with run.writing():
        found = list(files(run))
        stays = {NEEDED} if every else {NEEDED, MAY_GO_ON}
        gone = [one for one in found if one.kind not in stays]
        if not dry:
            for one in gone:
                one.place.unlink()
    return {
        "run": str(run.root),
        "dry": dry,
        "removed": counted(gone),
        "kept": counted([one for one in found if one.kind in stays]),
        "links": [str(folder) for folder in trial_folders(run) if folder.is_symlink()],
        "store": unfinished(run),
    }


def trial_folders(run: RunDir) -> list[Path]:
    """Of all searches; the run's own link to the current one is none of them."""
    return sorted(run.root.glob("trials-*"))


def files(run: RunDir) -> Iterator[Found]:
    """Checkpoints and torn files in the folders of trials, with what they are."""
    study = run.facts().get("study")
    if study is None:
        return
    states = {t.number: t.state for t in recorded(run, study)}
    for folder in trial_folders(run):
        if folder.is_symlink():
            continue
        for path in below(folder):
            size = path.lstat().st_size
            if any(fnmatch(path.name, pattern) for pattern in HALF_WRITTEN):
                yield Found(path, TORN, size)
            elif path.name == CHECKPOINT:
                trial = path.relative_to(folder).parts[0]
                is_current = folder == run.trials(study)
                yield Found(path, kind(states, trial) if is_current else OTHER, size)
    yield from elsewhere(run, study, states)


def elsewhere(run: RunDir, study: str, states: Mapping[int, str]) -> Iterator[Found]:
    """Checkpoints at the URL of `search.weights`."""
    url = run.facts().get("weights")
    for folder in trial_folders(run) if url else ():
        name = folder.name.removeprefix("trials-")
        for trial in sorted(path.name for path in folder.iterdir() if path.is_dir()):
            place = place_of(f"{url}/{name}/{trial}") / CHECKPOINT
            if place.exists():
                what = kind(states, trial) if name == study else OTHER
                yield Found(place, what, size_of(place))


def kind(states: Mapping[int, str], trial: str) -> str:
    """Of a checkpoint, by the state of the trial whose folder is called so."""
    return KINDS[states.get(int(trial), "running") if trial.isdigit() else "running"]


def below(folder: Path) -> Iterator[Path]:
    """Plain files, at any depth; no link is followed."""
    for parent, _, names in os.walk(folder, followlinks=False):
        paths = (Path(parent) / name for name in sorted(names))
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def counted(found: Sequence[Found]) -> dict[str, dict[str, int]]:
    """How many files of each kind, and their bytes."""
    counts: dict[str, dict[str, int]] = {}
    for one in found:
        known = counts.setdefault(one.kind, {"files": 0, "bytes": 0})
        known["files"] += 1
        known["bytes"] += one.bytes
    return counts


def unfinished(run: RunDir) -> list[dict[str, Any]]:
    """Folders of the shared store that nobody finished; they may be somebody's work."""
    data = run.facts().get("data")
    if data is None:
        return []
    folders = sorted(Path(data).parents[1].glob(f"*/*{PARTIAL}"))
    return [
        {"folder": str(folder), "bytes": sum(p.lstat().st_size for p in below(folder))}
        for folder in folders
    ]


def number_of(files: int, kind: str) -> str:
    """'1 checkpoint of …', '2 checkpoints of …'."""
    noun, _, more = kind.partition("s ")
    return f"{several(files, noun)} {more}"


def lines(content: Mapping[str, Any]) -> list[str]:
    """What was done, for a person."""
    removed = content["removed"]
    total = sum(one["bytes"] for one in removed.values())
    verb = "would free" if content["dry"] else "freed"
    out = [f"{content['run']}: {verb} {size(total)}"]
    if removed:
        rows = [[kind, str(n["files"]), size(n["bytes"])] for kind, n in removed.items()]
        out.append(table(rows, ("what", "files", "size")))
    for kind, kept in content["kept"].items():
        way = "; with --all they go, too" if kind == MAY_GO_ON else ""
        out.append(f"kept: {number_of(kept['files'], kind)}, {size(kept['bytes'])}{way}")
    out += [f"left alone: {folder} is a link to elsewhere" for folder in content["links"]]
    for one in content["store"]:
        out.append(
            f"in the shared store, left alone: {one['folder']}, {size(one['bytes'])}, which "
            "nobody finished; remove it if no run is at work on it"
        )
    return out
