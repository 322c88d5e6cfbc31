"""Verb `deliver`: from a budget to checked files, in one command.

The best student within the bounds is taken; one that the search stopped early is trained to the
end first, by the same jobs as a finalist, and then scored and measured anew. Whoever it is, its
latencies are measured again, now and with the weights that ship, and must keep their bounds at
the upper end once more, and by what is known of the run's measurements the next time, too: the
best of many is partly the luckiest of many. (On a profile's target nobody measures here: what
is known there stays.) Else it is the next one's turn. Only then are files written and checked.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from kdsearch.config import read_config
from kdsearch.core.bounds_confidence import Known
from kdsearch.core.budget import Bound
from kdsearch.core.costs_named import cost_and_target, is_timed
from kdsearch.core.progress import Progress
from kdsearch.core.records import Architecture
from kdsearch.errors import BudgetError
from kdsearch.export.handover import DELIVERY, UNKNOWN
from kdsearch.export.handover import Order as Files
from kdsearch.files import write_json
from kdsearch.measure.book import CostBook, here
from kdsearch.measure.fingerprint import latency_facts
from kdsearch.measure.latency import Latency
from kdsearch.measure.profile import FromProfile
from kdsearch.nets.logits import Logits
from kdsearch.pipeline import students
from kdsearch.pipeline.baselines import ground_of
from kdsearch.pipeline.candidates import all_trials, architectures, scored_trials
from kdsearch.pipeline.context import Context, open_context, training_threads
from kdsearch.pipeline.deliver_checks import check_files, check_targets, check_teacher
from kdsearch.pipeline.deliver_words import refusal, sentence
from kdsearch.pipeline.delivered import give_up, keep, note, trained
from kdsearch.pipeline.evidence import evidence
from kdsearch.pipeline.finalize import jobs_of, one_phase
from kdsearch.pipeline.finalize import trained as taught
from kdsearch.pipeline.heartbeat import Heartbeat
from kdsearch.pipeline.jobs import Ground, execute
from kdsearch.pipeline.ledger import note_rungs
from kdsearch.pipeline.publish import publish
from kdsearch.pipeline.query import NEEDED, TRIALS, choose, first_target, kept, misses
from kdsearch.pipeline.query_words import is_trained
from kdsearch.pipeline.refusal import Miss
from kdsearch.pipeline.repeated import unsteady
from kdsearch.pipeline.search import Found, setting_of
from kdsearch.rundir import RunDir
from kdsearch.search.rung import stored_result

MOST_TRAINED = 3
"""So many are trained for one delivery before it is given up."""
Front = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be delivered, and where to."""

    bounds: tuple[Bound, ...]
    to: Path
    formats: tuple[str, ...] = ("safetensors", "onnx")
    among: str | None = None
    """'front', 'trials'; None: the front, and trials where none on it will do."""
    preprocessing: bool = False
    """Whether graphs take uint8 pixels; see `students.export`, so `licence`."""
    licence: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an order is worked on."""

    context: Context
    ground: Ground
    front: Front
    order: Order

    @property
    def largest(self) -> Mapping[str, float]:
        largest: Mapping[str, float] = self.front["space"]["largest"]
        return largest

    @property
    def books(self) -> Mapping[str, CostBook]:
        """By target, of those that can be measured now: a profile's cannot."""
        found = self.ground.books.by_target
        return {n: b for n, b in found.items() if not isinstance(b.measure, FromProfile)}


def deliver(run: RunDir, order: Order, progress: Progress) -> dict[str, Any]:
    """The content of delivery.json; goes on where an earlier call was cut off.

    Raises:
        BudgetError: no student keeps the bounds, or none does when it is measured again.
        UserError: no run here, or one whose teacher is gone; files that cannot be written.
    """
    front = run.read(run.front, *NEEDED)
    config = read_config(run.config)
    check_teacher(run, config)
    check_targets(run, config, front)
    files = Files(order.formats, order.preprocessing, order.licence)
    check_files(run, front, order.to, files)
    with run.writing(), training_threads(config.threads):
        context = open_context(config, run.root, Heartbeat(progress, run.progress))
        desk = Desk(context, ground_of(context), front, order)
        tell_of_device(desk)
        with context.timed("deliver"):
            return handed_over(desk, *found(desk))


def tell_of_device(desk: Desk) -> None:
    """On another machine than the search's both must keep the bounds."""
    known: Mapping[str, Any] = next((p["latency"] for p in desk.front["points"]), {})
    for name, book in desk.books.items():
        before, now = known.get(name, {}).get("device"), book.device["device"]
        if before not in (None, now):
            desk.context.progress.say(
                f"{name}: the search measured on {before}, this is {now}; both must keep it"
            )


def found(desk: Desk) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The first student that keeps every bound, measured again, and what was measured."""
    tried: dict[str, Sequence[Miss]] = {}
    say, bounds = desk.context.progress.say, desk.order.bounds
    for point in candidates(desk):
        row = point if is_trained(point) else to_the_end(desk, point)
        if row is None:
            continue
        missed, latency = misses(bounds, evidence(row), desk.largest), {}
        if not missed:
            latency = measured_again(desk, row)
            missed = late(desk, row, evidence({"latency": latency})) if latency else ()
        if not missed:
            return row, latency
        tried[row["id"]] = missed
        say(f"{sentence(row['id'], missed, latency)}; the next best is tried")
    raise BudgetError(*refusal(tried))


def candidates(desk: Desk) -> Iterator[Mapping[str, Any]]:
    """Students within the bounds as they were measured so far, best first.

    Raises:
        BudgetError: there is none.
    """
    run, among = desk.context.run, desk.order.among
    seen, begun = set(), 0
    if among != TRIALS:
        try:
            for choice in choose(trained(run, desk.front), desk.order.bounds).choices:
                seen.add(choice.student["id"])
                yield choice.student
        except BudgetError:
            if among is not None:
                raise
        if among is not None:
            return
        desk.context.progress.say("none of the front will do; looking among the trials")
    for choice in choose(measured_trials(desk), desk.order.bounds).choices:
        done = is_trained(choice.student)
        begun += not done
        if choice.student["id"] not in seen and (done or begun <= MOST_TRAINED):
            yield choice.student


def late(desk: Desk, row: Mapping[str, Any], again: Mapping[str, Known]) -> tuple[Miss, ...]:
    """The bounds that it breaks when measured again, or may break the next time."""
    first, books = first_target(desk.front), desk.books
    asked = [
        bound
        for bound in timed(desk.order.bounds)
        if (cost_and_target(bound.name)[1] or first) in books
    ]
    missed = misses(asked, again, desk.largest)
    return missed or unsteady(desk.context.run, desk.front, row, again, asked)


def measured_trials(desk: Desk) -> dict[str, Any]:
    """The front with every trial, of which all that a bound asks for is known now."""
    run, books = desk.context.run, desk.ground.books
    there = architectures(run)
    names = [bound.name for bound in timed(desk.order.bounds)]
    return all_trials(run, desk.front, books.costs(there, names))


def timed(bounds: Sequence[Bound]) -> list[Bound]:
    return [bound for bound in bounds if is_timed(bound.name)]


def to_the_end(desk: Desk, point: Mapping[str, Any]) -> dict[str, Any] | None:
    """A trial trained as a finalist is, scored and measured anew, and kept beside the front.

    None where it fell out; why is said. It is not tried again, unless its worker was lost.
    """
    context, run = desk.context, desk.context.run
    trials = scored_trials(run)
    trial = next(t for t in trials if t.number == point["trial"])
    setting = setting_of(context, desk.ground)
    whole = Found(run.facts()["study"], trials, setting)
    context.progress.say(f"{point['id']}: was not trained to the end; that is done now")
    execute(context, setting, one_phase(context, whole, [trial]))
    note_rungs(run.ledger, run.trials(whole.study))
    finalists = taught(context, whole, [trial])
    if not finalists:
        if all(stored_result(job) for job in jobs_of(context, whole, trial)):
            give_up(run, trial.number)
        return None
    try:
        (row,) = publish(context, desk.ground, finalists)["points"]
    except BudgetError as error:  # of the run itself
        context.progress.say(f"{point['id']}: {error}")
        give_up(run, trial.number)
        return None
    keep(run, row)
    done: dict[str, Any] = row
    return done


def measured_again(desk: Desk, row: Mapping[str, Any]) -> dict[str, Any]:
    """Latencies on every target, of the network that ships; empty where no bound asks.

    What cannot be measured now is what was known of it.
    """
    if not timed(desk.order.bounds):
        return {}
    network = students.network(desk.context.run, row["id"])
    architecture = Architecture.of(row["architecture"])
    facts = dict(row["latency"])
    for book in desk.books.values():
        facts |= latency_facts(book.target, again(book, network, architecture), book.device)
    return facts


def again(book: CostBook, network: nn.Module, architecture: Architecture) -> Latency:
    """Where the book measures elsewhere, that is done with other weights."""
    if book.measure is here:
        return book.beside_anchors({"student": Logits(network).eval()})["student"]
    return book.measured([architecture])[architecture.id]


def handed_over(
    desk: Desk, row: Mapping[str, Any], latency: Mapping[str, Any]
) -> dict[str, Any]:
    """Writes and checks the files; what was delivered is noted in the run, too."""
    run, order = desk.context.run, desk.order
    card = students.export(
        run,
        row["id"],
        order.to,
        order.formats,
        preprocessing=order.preprocessing,
        licence=order.licence,
    )
    facts = evidence(row) | (evidence({"latency": latency}) if latency else {})
    rows = [kept(bound, facts[bound.name], desk.largest) for bound in order.bounds]
    delivery = {
        "student": row["id"],
        "to": str(order.to.resolve()),
        "formats": list(order.formats),
        "bounds": {
            str(one.bound): {
                "limit": one.limit,
                "value": one.known.value,
                "ci95": one.known.ci95,
                "margin": one.margin,
                "confidence": one.confidence,
                "predicted": one.known.is_predicted,
            }
            for one in rows
        },
        "latency": dict(latency),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    write_json(order.to / DELIVERY, delivery)
    note(run, delivery)
    return {**delivery, "point": dict(row), "card": card}
