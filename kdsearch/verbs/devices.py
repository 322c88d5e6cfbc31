"""The verbs on devices: what a target makes of the networks of a space, here or elsewhere."""

import argparse
import sys
from pathlib import Path
from typing import Any

from kdsearch.core.progress import Progress
from kdsearch.errors import UserError
from kdsearch.files import check_writable
from kdsearch.pipeline.terminal import terminal_progress
from kdsearch.rundir import RunDir
from kdsearch.verbs.say import say


def profile(arguments: argparse.Namespace) -> int:
    """Measures here, writes a bundle for elsewhere, or takes a result from there."""
    from kdsearch.config import read_config

    config = read_config(arguments.config, arguments.set)
    if arguments.bundle and arguments.result:
        raise UserError("--bundle writes what --import takes back; one of them at a time")
    if arguments.students and not (arguments.bundle or arguments.result):
        raise UserError("--students RUN goes with --bundle, or with the --import after it")
    act = bundled if arguments.bundle else taken if arguments.result else measured
    with terminal_progress(sys.stderr) as progress:
        content, text = act(arguments, config, progress)
    say(content, arguments.json, text)
    return 0


def measured(arguments: argparse.Namespace, config: Any, progress: Progress) -> tuple[Any, str]:
    from kdsearch.pipeline.profile import as_json, words, write_profiles
    from kdsearch.pipeline.profile import profile as measure

    if arguments.out:
        check_writable(Path(arguments.out).absolute().parent)
    profiles = measure(config, beside(arguments), progress, arguments.networks)
    lines = [words(profiles)]
    if arguments.out:
        lines += [f"written: {path}" for path in write_profiles(profiles, Path(arguments.out))]
    return as_json(profiles), "\n".join(lines)


def bundled(arguments: argparse.Namespace, config: Any, progress: Progress) -> tuple[Any, str]:
    from kdsearch.pipeline.bundle import bundle, words
    from kdsearch.pipeline.remeasured import published

    students = published(Path(arguments.students)) if arguments.students else []
    to = Path(arguments.bundle)
    check_writable(to.absolute().parent)
    where = (beside(arguments), to, progress, arguments.networks)
    manifest = bundle(config, *where, students=students, name=arguments.name)
    return manifest, words(manifest, to, bool(students))


def taken(arguments: argparse.Namespace, config: Any, progress: Progress) -> tuple[Any, str]:
    from kdsearch.pipeline.imported import imported
    from kdsearch.pipeline.profile import as_json, words
    from kdsearch.pipeline.remeasured import remeasured
    from kdsearch.pipeline.report import reported

    name, result = arguments.name, Path(arguments.result)
    found = imported(config, beside(arguments), result, progress, name)
    if arguments.students:
        told = remeasured(Path(arguments.students), found)
        page = reported(RunDir(Path(arguments.students)))
        return as_json({name: found}), f"{told}\nreport: {page}"
    to = Path(arguments.out or f"{name}.profile.json")
    found.write(to)
    text = f"{words({name: found})}\nwritten: {to}; a target of a config's latency list:\n"
    return as_json({name: found}), f"{text}  - {{name: {name}, profile: {to}}}"


def beside(arguments: argparse.Namespace) -> Path:
    """The folder of this config's run, whose store is used."""
    return Path("runs") / Path(arguments.config).stem
