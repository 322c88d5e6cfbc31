"""A result from another device becomes a profile, after it was checked against its bundle."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kdsearch.config import Config
from kdsearch.core.costs_named import TARGET_NAME
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture
from kdsearch.data.records import DataInfo
from kdsearch.errors import PredictorError
from kdsearch.files import read_json
from kdsearch.measure.brought import MOST_BYTES, Brought, brought, shown
from kdsearch.measure.footprint import footprint_of, totals
from kdsearch.measure.latency import Target
from kdsearch.measure.profile import Profile, Row
from kdsearch.nets.kinds import identity
from kdsearch.pipeline.bundle import MANIFEST, STAGE
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.costs import Students
from kdsearch.pipeline.data import prepared

HASH = 16


def imported(config: Config, out: Path, result: Path, progress: Progress, name: str) -> Profile:
    """
    Args:
        result: what `measure.py` wrote.
        name: of the target that is made of it.

    Raises:
        UserError: one line names the key that will not do.
    """
    if not TARGET_NAME.fullmatch(name):
        raise PredictorError(
            f"--name {shown(name)}: must begin with a letter and go on with letters, digits, "
            "- and _, at most 40"
        )
    content = content_of(result)
    context = open_context(config, out, progress)
    _, info = prepared(context)
    manifest = manifest_of(context, content, result)
    prints = footprints(context, info, manifest)
    macs = {key: totals(one)["macs"] for key, one in prints.items()}
    try:
        found = brought(content, manifest, macs)
    except PredictorError as error:
        raise PredictorError(f"{result}: {error}") from error
    return profile_of(manifest, found, prints, name)


def content_of(result: Path) -> Any:
    try:
        if (size := result.stat().st_size) > MOST_BYTES:
            raise PredictorError(f"{result}: {size} bytes, no result has over {MOST_BYTES}")
        return json.loads(result.read_text(encoding="utf-8"), parse_constant=refuse)
    except OSError as error:
        raise PredictorError(f"{result}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise PredictorError(f"{result}: not whole JSON; copy it anew") from error


def refuse(constant: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)


def manifest_of(context: Context, content: Any, result: Path) -> Mapping[str, Any]:
    """Of the bundle that the result names, from the store."""
    name = content.get("bundle") if isinstance(content, dict) else None
    right = isinstance(name, str) and len(name) == HASH and name.isalnum() and name.isascii()
    path = context.store.root / STAGE / str(name) / MANIFEST
    if not right or not path.exists():
        raise PredictorError(
            f"{result}: bundle: {shown(name)} is none that was made here with this store; "
            "`kdsearch profile CONFIG --bundle DIR` with the same config makes it again"
        )
    found: Mapping[str, Any] = read_json(path)
    return found


def footprints(
    context: Context, info: DataInfo, manifest: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """By architecture id; raises PredictorError for a bundle of another space."""
    space = context.space.space
    if manifest["axes"] != {name: list(values) for name, values in space.choices().items()}:
        raise PredictorError(
            f"space: the bundle was made of another space than {context.config.space}"
        )
    ours = (identity(context.space.family), info.channels, len(info.classes))
    if ours != (manifest["family"], manifest["input"][0], manifest["classes"]):
        raise PredictorError(
            "data: the bundle was made for other networks: another family, or images with "
            "other channels or classes; give the config that it was made of"
        )
    build = Students(context.space.family, info.channels, len(info.classes))
    return {
        key: footprint_of(build, Architecture.of(choices), manifest["input"])
        for key, choices in manifest["architectures"].items()
    }


def profile_of(
    manifest: Mapping[str, Any],
    found: Brought,
    prints: Mapping[str, Mapping[str, float]],
    name: str,
) -> Profile:
    target = Target(**manifest["target"])
    channels, height, width = manifest["input"]
    return Profile(
        target=replace(target, name=name, runtime="onnxruntime", threads=found.threads),
        device=found.device,
        family=manifest["family"],
        axes=manifest["axes"],
        shape=(channels, height, width),
        rows=tuple(
            Row(
                Architecture.of(manifest["architectures"][key]),
                prints[key],
                timed,
                found.again.get(key),
            )
            for key, timed in found.first.items()
        ),
    )
