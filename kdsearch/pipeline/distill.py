"""Verb `distill`: one student, one recipe, from fresh weights to checked files."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from kdsearch.config import Config, resolved_yaml
from kdsearch.config.recipes import recipe_of
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture, Job, Recipe, Result
from kdsearch.core.seeds import derive
from kdsearch.data.augment import normalise
from kdsearch.data.load import load_search
from kdsearch.data.records import DataInfo, SearchData, Split
from kdsearch.data.test_split import open_test
from kdsearch.distill.kinds import method_of, written_elsewhere
from kdsearch.errors import SearchError, UserError
from kdsearch.export.handover import Order, Shown, hand_over
from kdsearch.export.rebuild import rebuilt
from kdsearch.files import content_hash, read_json, write_text
from kdsearch.measure.accuracy import correct, predict, wilson_ci95
from kdsearch.measure.fingerprint import latency_facts
from kdsearch.measure.size import macs, params
from kdsearch.nets.kinds import made_of
from kdsearch.nets.logits import Logits
from kdsearch.nets.stored import stored_weights
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.costs import open_books
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.jobs import execute
from kdsearch.pipeline.lessons import (
    check_lessons,
    classroom,
    lesson_key,
    lesson_setting,
    student_architecture,
)
from kdsearch.pipeline.students import data_facts
from kdsearch.rundir import CARD, RunDir
from kdsearch.search.rung import STUDENT, result_path, stored_result
from kdsearch.search.setting import Setting
from kdsearch.search.source import Phase

FORMATS = ("safetensors", "onnx")


def distill(config: Config, out: Path, progress: Progress) -> dict[str, Any]:
    """Teaches the config's student and hands it over to OUT/student.

    Returns:
        The content of its card.json.

    Raises:
        UserError: the config, the data, the teacher or the student will not do.
        SearchError: the training did not come to its end.
    """
    recipe = the_recipe(config)
    rundir = RunDir(out)
    with rundir.writing(), training_threads(config.threads):
        context = open_context(config, out, Heartbeat(progress, rundir.progress))
        write_text(rundir.config, resolved_yaml(config))
        room = classroom(context)
        check_size(context, room.info)
        setting = lesson_setting(context, room, [recipe])
        job = the_job(context, setting, recipe, room.info)
        card = rundir.root / "student" / CARD
        if card.exists() and read_json(card).get("lesson") == lesson_of(context, job):
            progress.say("everything was done before; nothing was done again")
            known: dict[str, Any] = read_json(card)
            return known
        check_deployed(recipe)
        check_lessons(setting, job.architecture, [recipe])
        with context.timed("distill"):
            execute(context, setting, one(job))
        result = stored_result(job)
        if result is None or result.state != "done":
            raise SearchError(f"the student could not be taught: {why(job, result)}")
        return handed_over(context, setting, job, load_search(room.data))


def the_recipe(config: Config) -> Recipe:
    names = config.distill.names
    if len(names) != 1:
        raise UserError(
            f"distill teaches by one method; distill.methods names {len(names)}: "
            f"--set 'distill.methods=[{names[0]}]'"
        )
    return recipe_of(config.distill, names[0])


def check_size(context: Context, info: DataInfo) -> None:
    """Raises UserError for a student that would shrink its images, which no export can."""
    wanted = context.config.student.input
    if wanted is not None and wanted.size is not None and wanted.size < info.size:
        raise UserError(
            f"student.input.size: {wanted.size} is below the data's {info.size} px; "
            f"set data.size: {wanted.size} instead"
        )


def check_deployed(recipe: Recipe) -> None:
    if method_of(recipe).needs.deploy is not None:
        raise UserError(
            f"method '{recipe.method}' changes the network that ships, which cannot be "
            "handed over yet; `kdsearch compare` and kdsearch.distill_student can take it"
        )


def the_job(context: Context, setting: Setting, recipe: Recipe, info: DataInfo) -> Job:
    architecture = student_architecture(context)
    lessons = context.run.root / "lessons" / lesson_key(setting, architecture, info)
    seed = derive(context.config.seed, "student")
    return Job(
        name=f"student taught by {recipe.method}",
        rung=1,
        architecture=architecture,
        recipe=recipe,
        seed=seed,
        folder=str(
            lessons / content_hash([recipe.as_dict(), *written_elsewhere(recipe.method)])
        ),
    )


def lesson_of(context: Context, job: Job) -> str:
    """Where the run of a job lies within the folder, which may be moved."""
    return Path(job.folder).relative_to(context.run.root).as_posix()


def one(job: Job) -> Phase:
    yield [job]


def why(job: Job, result: Result | None) -> str:
    if result is None:
        return "it was not begun"
    details = f"; details stand in {result_path(job)}" if result.state == "bug" else ""
    return f"{result.state}: {result.reason}{details}"


def handed_over(
    context: Context, setting: Setting, job: Job, data: SearchData
) -> dict[str, Any]:
    """Tests the student once, times it beside the space's anchors, writes its files."""
    assert job.recipe is not None
    spec = spec_of(context, setting, job.architecture, data.info)
    student = rebuilt(spec)
    student.load_state_dict(stored_weights(Path(job.folder) / STUDENT, within=Path(job.folder)))
    student.eval()
    test = open_test(
        Path(setting.data), purpose="score of one student", log=context.run.test_openings
    )
    shape = (data.info.channels, data.info.size, data.info.size)
    facts: dict[str, Any] = {
        "data": data_facts(data.info),
        "recipe": job.recipe.as_dict(),
        "lesson": lesson_of(context, job),
        **scored("search", student, data.search_val, data.info),
        **scored("test", student, test, data.info),
        "params": params(student),
        "macs": macs(student, shape),
        "latency": timed(context, student, data.info),
    }
    folder = context.run.root / "student"
    target = next(iter(facts["latency"].values()))
    order = Order(FORMATS, threads=target["threads"], batch_size=target["batch_size"])
    return hand_over(student, spec, Shown(data.calibration.images, test), folder, order, facts)


def spec_of(
    context: Context, setting: Setting, architecture: Architecture, info: DataInfo
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "family": context.space.family,
        **made_of(context.space.family),
        "architecture": architecture.as_dict(),
        "channels": info.channels,
        "classes": list(info.classes),
        "size": info.size,
        "mean": list(info.mean),
        "std": list(info.std),
    }
    if setting.student is not None:
        spec |= {"family": None, "origin": asdict(setting.student) | {"weights": None}}
    return spec


def scored(part: str, student: nn.Module, split: Split, info: DataInfo) -> dict[str, Any]:
    images = normalise(split.images, info.mean, info.std)
    hits, total = correct(predict(student, images, 500), split.labels), len(split)
    return {
        f"{part}_accuracy": hits / total,
        f"{part}_accuracy_ci95": list(wilson_ci95(hits, total)),
    }


def timed(context: Context, student: nn.Module, info: DataInfo) -> dict[str, Any]:
    """Its latency on the config's targets, at the speed the anchors' reference has."""
    facts: dict[str, Any] = {}
    for book in open_books(context, info, elsewhere=False).by_target.values():
        found = book.beside_anchors({"student": Logits(student).eval()})["student"]
        facts |= latency_facts(book.target, found, book.device)
    return facts


def words(card: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """What came out, for a person."""
    low, high = card["test_accuracy_ci95"]
    yield (
        f"taught by {card['recipe']['method']}: test accuracy {card['test_accuracy']:.1%} "
        f"({low:.1%} to {high:.1%}), search-val {card['search_accuracy']:.1%}"
    )
    for name, found in card["latency"].items():
        yield f"{found['p50']:.3g} ms on {found['device']} ({name}), {card['params']:,} params"
        if found.get("busy"):
            yield f"  measured on a busy machine: others kept {found['load']:.1f} cores busy"
    for name, numbers in card["parity"].items():
        yield (
            f"{name}: same class on {numbers['top1_agreement']:.0%} of {numbers['images']} "
            "calibration images"
        )
    yield f"files: {folder}"
