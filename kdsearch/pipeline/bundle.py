"""A bundle: networks of a space and one file that times them, for a device without kdsearch.

Networks are ONNX with weights that repeat a few random numbers: latency does not depend on
them, nothing of any data is in them, and a ZIP of them is small. The same config gives the same
bytes, so that a result names the bundle it belongs to by its hash.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

import kdsearch
from kdsearch.config import Config
from kdsearch.config.latency import Latency
from kdsearch.config.targets import targets_of
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture
from kdsearch.errors import UserError
from kdsearch.files import canonical, made_folder, write_bytes, write_json
from kdsearch.measure import on_device
from kdsearch.measure.book import anchors
from kdsearch.measure.latency import Target
from kdsearch.nets.kinds import identity
from kdsearch.nets.logits import Logits
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.costs import Students, profile_at, target_of
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.profile import (
    GROUP,
    NETWORKS,
    architectures_of,
    check_count,
    twice,
)
from kdsearch.runtimes.traced import traced

SCHEMA = on_device.SCHEMA
STAGE, MANIFEST, SCRIPT, README = "bundle", "manifest.json", "measure.py", "README.txt"
PATTERN = 4096
"""Random numbers that every weight repeats: within the reach of a ZIP's compression."""
DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in the ZIP: the earliest there can be."""
BACK, OF_RUN = "kdsearch profile CONFIG --import result.json --name NAME", " --students RUN"
TEXT = """\
{count} networks to be timed on this device; made by kdsearch {version}.
1. Python 3.8 or newer; pip install onnxruntime numpy
2. python measure.py            (--help: --threads, --rounds, --seconds)
3. Take result.json back: {back}
The weights are random, no data is in here; let nothing else run meanwhile.
"""


def bundle(  # noqa: PLR0913  what of, for what, and where to
    config: Config,
    out: Path,
    to: Path,
    progress: Progress,
    networks: int = NETWORKS,
    *,
    students: Sequence[Architecture] = (),
    name: str = "",
) -> dict[str, Any]:
    """Writes the folder, or the ZIP where its name ends so; returns the manifest.

    Args:
        students: these alone, instead of networks all over the space.
        name: of the target whose batch, threads and size they have; of none, the first one's.

    Raises:
        UserError: the target is not float32, or the space is too small.
    """
    context = open_context(config, out, progress)
    target = chosen_target(config, name)
    space = context.space.space
    if not students:
        check_count(networks, space)
    _, info = prepared(context)
    chosen = list(students) or architectures_of(space, networks)
    build = Students(context.space.family, info.channels, len(info.classes))
    side = target.size or info.size
    shape = (info.channels, side, side)
    files = made_files(build, with_anchors(chosen, space), shape, target)
    asked = {
        "input": list(shape),
        "classes": len(info.classes),
        "rounds": rounds_of(named(config, name)),
    }
    manifest = manifest_of(context, target, chosen, files, asked)
    note = context.store.root / STAGE / manifest["bundle"] / MANIFEST
    write_json(note, manifest)
    back = BACK + (OF_RUN if students else "")
    text = TEXT.format(count=len(files), version=kdsearch.__version__, back=back)
    contents = {
        MANIFEST: (canonical(manifest) + "\n").encode(),
        SCRIPT: Path(on_device.__file__).read_bytes(),
        README: text.encode(),
        **{manifest["files"][name]: content for name, content in files.items()},
    }
    (as_zip if to.suffix == ".zip" else as_folder)(to, contents)
    return manifest


def named(config: Config, name: str) -> Latency:
    targets = targets_of(config)
    return next((one for one in targets if one.title == name), targets[0])


def chosen_target(config: Config, name: str) -> Target:
    """The target of this name, else the first; UserError where a bundle cannot time it."""
    it = named(config, name)
    target = target_of(it) if it.profile is None else profile_at(it).target
    if target.precision != "float32":
        raise UserError(
            f"latency.precision: {target.precision}; a bundle times float32, as ONNX Runtime "
            "has it everywhere; --set latency.precision=float32"
        )
    return replace(target, name="", runtime="onnxruntime", layout="contiguous")


def rounds_of(target: Latency) -> int:
    """As the config has it, within what a result is taken back with."""
    least, most = on_device.ROUNDS
    return min(max(target.rounds, least), most)


def with_anchors(chosen: Sequence[Architecture], space: Any) -> list[Architecture]:
    return list({a.id: a for a in (*chosen, *anchors(space).values())}.values())


def made_files(
    build: Students,
    architectures: Sequence[Architecture],
    shape: tuple[int, int, int],
    target: Target,
) -> dict[str, bytes]:
    """ONNX by architecture id."""
    example = torch.zeros(target.batch_size, *shape)
    found = {}
    for architecture in architectures:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = patterned(build(architecture))
        found[architecture.id] = traced(Logits(network).eval(), example)
    return found


def patterned(network: nn.Module) -> nn.Module:
    """With weights that all repeat the same numbers, small enough to keep a signal's size; in
    place."""
    numbers = torch.randn(PATTERN, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() > 1:
                count = weight.numel()
                repeated = numbers.repeat(-(-count // PATTERN))[:count]
                weight.copy_(repeated.view_as(weight) / weight[0].numel() ** 0.5)
    return network


def manifest_of(
    context: Context,
    target: Target,
    chosen: Sequence[Architecture],
    files: Mapping[str, bytes],
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """All that a result is checked against; its hash is the bundle's name.

    Args:
        asked: "input", "classes" and "rounds".
    """
    space = context.space.space
    known = {a.id: a for a in with_anchors(chosen, space)}
    manifest = {
        "schema": SCHEMA,
        "family": identity(context.space.family),
        "axes": {name: list(values) for name, values in space.choices().items()},
        "target": asdict(target),
        "batch_size": target.batch_size,
        "threads": target.threads,
        **asked,
        "architectures": {name: a.as_dict() for name, a in known.items()},
        "anchors": {name: a.id for name, a in anchors(space).items()},
        "groups": [[a.id for a in group] for group in grouped(chosen)],
        "files": {name: f"networks/{name}.onnx" for name in files},
        "sha256": {name: hashlib.sha256(one).hexdigest() for name, one in files.items()},
    }
    name = hashlib.sha256(canonical(manifest).encode()).hexdigest()[:16]
    return {**manifest, "bundle": name}


def grouped(chosen: Sequence[Architecture]) -> Iterator[Sequence[Architecture]]:
    """As they are timed together: all of them, then those that are timed twice."""
    for some in (chosen, twice(chosen)):
        yield from (some[at : at + GROUP] for at in range(0, len(some), GROUP))


def as_folder(to: Path, contents: Mapping[str, bytes]) -> None:
    made_folder(to)
    for name, content in contents.items():
        write_bytes(to / name, content)


def as_zip(to: Path, contents: Mapping[str, bytes]) -> None:
    """With a folder of the ZIP's name in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(f"{to.stem}/{name}", DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    write_bytes(to, buffer.getvalue())


def words(manifest: Mapping[str, Any], to: Path, students: bool = False) -> str:
    """What it is and what to do with it.

    Args:
        students: whether those of a run alone are in it.
    """
    back = BACK + (OF_RUN if students else "")
    return (
        f"{to}: {len(manifest['files'])} networks and {SCRIPT}; bundle {manifest['bundle']}\n"
        f"on the device: pip install onnxruntime numpy; python {SCRIPT}\n"
        f"then here: {back}"
    )
