"""How a run's search stands, as JSON: for `status` and for the report."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from kdsearch.config import Config
from kdsearch.config.models import GRID
from kdsearch.config.objectives import objectives_of
from kdsearch.core.amounts import amount, title
from kdsearch.core.objectives import Objective
from kdsearch.core.quantities import duration, several, three_digits
from kdsearch.pipeline.heartbeat import Beat
from kdsearch.pipeline.pacing import Use, ended_by, left, nearest, pace, uses
from kdsearch.rundir import RunDir
from kdsearch.search.agreement import Agreement, agreements
from kdsearch.search.standing import ends, front_so_far, reached
from kdsearch.search.trial import Trial
from kdsearch.spaces.marked import read_file

IN_SECONDS = frozenset({"search.seconds", "search.device_seconds"})


def standing(
    run: RunDir, facts: Mapping[str, Any], trials: Sequence[Trial], beat: Beat | None
) -> dict[str, Any]:
    """Empty before the search, and of a run whose config another version wrote.

    Args:
        beat: what is going on; None where nobody is at work.
    """
    config = config_of(run)
    if "study" not in facts or config is None:
        return {}
    now = time.time()
    found = pace(run, facts["study"], trials, now, beat)
    limits = list(uses(config, facts.get("study_key", {}), trials, found))
    why = why_ended(facts, config, beat)
    is_over = all(t.state != "running" for t in trials)
    is_over &= bool(why) or ended_by(limits) is not None
    first, remaining = nearest(limits), None if is_over else left(limits)
    return {
        "over": found.over,
        "per_hour": None if found.rate is None else found.rate * 3600,
        "left_seconds": remaining,
        "ends": None if beat is None or remaining is None else at(now + remaining),
        "limits": [as_dict(one) for one in limits],
        "nearest": None if is_over else first.limit,
        "ended_by": (why or said(limits, config)) if is_over else None,
        "rungs": {str(rung): count for rung, count in reached(trials).items()},
        "device_seconds": {str(rung): s for rung, s in found.device_seconds.items()},
        "front": front_of(trials, objectives_of(config.search.objectives)),
        "agreement": [{**one._asdict(), "says": one.says} for one in audited(config, trials)],
    }


def config_of(run: RunDir) -> Config | None:
    """The run's config unchecked: what it names may be gone by now."""
    try:
        return Config.model_validate(read_file(run.config).content)
    except ValidationError:
        return None


def audited(config: Config, trials: Sequence[Trial]) -> list[Agreement]:
    return agreements(trials, config.seed) if config.search.audit else []


def at(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


def as_dict(one: Use) -> dict[str, Any]:
    return {"limit": one.limit, "used": one.used, "of": one.of, "left_seconds": one.left}


def front_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> dict[str, Any] | None:
    """Its size and its ends, as they score at the highest rung reached."""
    found = front_so_far(trials, objectives)
    if found is None:
        return None
    names = [one.name for one in objectives]
    return {
        "rung": found.rung,
        "size": len(found.trials),
        "ends": {
            end: {"trial": t.number, **dict(zip(names, found.values(t), strict=True))}
            for end, t in ends(found, objectives).items()
        },
    }


def why_ended(facts: Mapping[str, Any], config: Config, beat: Beat | None) -> str:
    """What the search noted when a limit ended it; empty where none did, where it goes on, and
    where limits were changed since.
    """
    noted = facts.get("ended", {})
    if noted.get("study") != facts["study"] or (beat is not None and beat.of("search")):
        return ""
    limits = noted.get("limits", {})
    as_now = {name: getattr(config.search, name, None) for name in limits}
    return str(noted.get("why", "")) if as_now == limits else ""


def is_beyond(one: Mapping[str, Any]) -> bool:
    """Whether more trials were done than are asked for now: the limit was lowered since."""
    return bool(one["limit"] == "search.trials" and one["used"] > one["of"])


def said(limits: Sequence[Use], config: Config) -> str | None:
    """Which limit ended a search, in words; None where that is not known."""
    one = ended_by([one for one in limits if not is_beyond(as_dict(one))])
    if one is None:
        return None
    if one.limit in IN_SECONDS:
        return f"{one.limit}: {duration(one.of)}"
    if (
        one.limit == "search.trials"
        and config.search.sampler == GRID
        and one.of < config.search.trials
    ):
        return "every student of the space was tried"
    words = {"search.patience": "trials that did not add to the front"}
    return f"{one.limit}: {one.of:g} {words.get(one.limit, '')}".rstrip()


def lines(content: Mapping[str, Any]) -> list[str]:
    """The search as a person reads it; none before it begins."""
    if not content:
        return []
    out = [speed(content)]
    if content["nearest"] is not None:
        (one,) = [u for u in content["limits"] if u["limit"] == content["nearest"]]
        out.append(f"  nearest limit: {one['limit']}, {used(one)}")
    if content["rungs"]:
        counts = ", ".join(f"{n} at rung {rung}" for rung, n in content["rungs"].items())
        out.append(f"  trials with a score: {counts}")
    if content["front"] is not None:
        out.append(f"  {front_line(content['front'])}")
    return out + [f"  {agreement_line(one)}" for one in content["agreement"]]


def speed(content: Mapping[str, Any]) -> str:
    """'search: 12 trials over, 40.1 an hour; about 21 min 05 s left, until 14:05'."""
    rate = content["per_hour"]
    over, asked = several(content["over"], "trial"), content["limits"][0]
    beyond = f", search.trials: {asked['of']:g}" if is_beyond(asked) else " over"
    words = [f"search: {over}{beyond}"]
    words += [] if rate is None else [f", {three_digits(rate)} an hour"]
    if content["ended_by"] is not None:
        words.append(f"; ended by {content['ended_by']}")
    elif content["left_seconds"] is not None:
        words.append(f"; about {duration(content['left_seconds'])} left")
        if content["ends"] is not None:
            words.append(f", until {datetime.fromisoformat(content['ends']):%Y-%m-%d %H:%M}")
    return "".join(words)


def used(one: Mapping[str, Any]) -> str:
    if one["limit"] in IN_SECONDS:
        return f"{duration(one['used'])} of {duration(one['of'])}"
    return f"{one['used']:g} of {one['of']:g}"


def front_line(front: Mapping[str, Any]) -> str:
    """'front so far, at rung 1: 5 students, trial 3 (accuracy 88.1 %, …) to trial 9 (…)'."""
    shown = [end_words(end) for end in front["ends"].values()]
    students = several(front["size"], "student")
    between = " to ".join(dict.fromkeys(shown))
    return f"front so far, at rung {front['rung']}: {students}, {between}"


def end_words(end: Mapping[str, Any]) -> str:
    values = ", ".join(f"{title(n)} {amount(n, v)}" for n, v in end.items() if n != "trial")
    return f"trial {end['trial']} ({values})"


def agreement_line(one: Mapping[str, Any]) -> str:
    """'rungs 0 and 1: tau 0.42 over 9 audited trials, they rank alike only in part, …'."""
    known = ""
    if one["tau"] is not None:
        known = f"tau {one['tau']:.2f} over {one['trials']} audited trials, "
    return f"rungs {one['rung']} and {one['rung'] + 1}: {known}{one['says']}"
