"""Verb `status`: what is done, running, failed and why; reads only, also during a run."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kdsearch.core.quantities import duration, several
from kdsearch.pipeline import standing
from kdsearch.pipeline.heartbeat import last_beat
from kdsearch.pipeline.targets import with_ends
from kdsearch.pipeline.targets import words as targets_in_words
from kdsearch.pipeline.trials import recorded
from kdsearch.rundir import LATENCIES, RunDir, mapping
from kdsearch.search.trial import Trial


def status(run: RunDir) -> dict[str, Any]:
    """JSON-able: busy, what is going on, seconds by stage, how the search stands, reasons.

    Raises:
        RunError: there is no run in this folder.
    """
    run.check_there()
    facts = run.facts()
    trials = recorded(run, facts["study"]) if "study" in facts else []
    busy, beat = run.busy(), last_beat(run.progress)
    return {
        "run": str(run.root),
        "busy": busy,
        "error": facts.get("error", ""),
        "stages": stages(run, facts, trials),
        "seconds": run.read(run.ledger, "stages")["stages"] if run.ledger.exists() else {},
        "now": asdict(beat) if beat else {},
        "trials": dict(Counter(t.state for t in trials)),
        "reasons": dict(Counter(reason(t) for t in trials if t.reason)),
        "targets": with_ends(facts.get("targets", {}), facts.get("ends", {})),
        "search": standing.standing(run, facts, trials, beat if busy else None),
        "failed": {str(t.number): t.reason for t in trials if t.state == "failed"},
        "front": len(run.read(run.front, "points")["points"]) if run.front.exists() else 0,
        "busy_latencies": busy_latencies(run, trials),
    }


def busy_latencies(run: RunDir, trials: list[Trial]) -> int:
    """Of how many of its students the latency was measured while others were at work."""
    folders = [run.root / "latency", *sorted((run.root / LATENCIES).glob("*"))]
    students = {t.candidate.architecture.id for t in trials}
    return sum(
        any(
            mapping(path).get("busy")
            for folder in folders
            if (path := folder / f"{name}.json").exists()
        )
        for name in students
    )


def stages(run: RunDir, facts: Mapping[str, Any], trials: list[Trial]) -> dict[str, str]:
    """Each stage: 'done', 'none' (no teacher, or no supernet), 'under way' or 'not yet'."""
    searched = bool(trials) and all(t.state != "running" for t in trials)
    done = {
        "data": "data" in facts,
        "teacher": "teacher" in facts,
        "supernet": "supernet" in facts,
        "search": searched,
        "finalists": run.front.exists(),
        "report": run.report.exists() and run.front.exists(),
    }
    words = {name: "done" if over else "not yet" for name, over in done.items()}
    for name in ("teacher", "supernet"):
        if done[name] and facts[name] is None:
            words[name] = "none"
    first_open = next((name for name, over in done.items() if not over), None)
    if first_open is not None and run.busy():
        words[first_open] = "under way"
    return words


def reason(trial: Trial) -> str:
    """The kind of reason, so that equal ones are counted together."""
    return f"{trial.state}: {trial.reason.split(': ')[0]}"


def lines(content: Mapping[str, Any]) -> list[str]:
    """The status as a person reads it."""
    seconds = content["seconds"]
    out = [f"{content['run']}: {'at work' if content['busy'] else 'nobody at work'}"]
    for name, word in content["stages"].items():
        spent = f"  {duration(seconds[name])}" if name in seconds else ""
        out.append(f"  {name:<10} {word:<10}{spent}")
    now = content["now"]
    if content["busy"] and now.get("task"):
        note = f", {now['note']}" if now["note"] else ""
        spent = duration(now["updated"] - now["since"])
        out.append(f"now: {now['task']}, {now['done']} of {now['total']} after {spent}{note}")
    if content["error"] and not content["busy"]:
        out.append(f"the last run ended: {content['error']}")
    if content["trials"]:
        under_way = "running" if content["busy"] else "to go on with"
        counts = {under_way if s == "running" else s: n for s, n in content["trials"].items()}
        out.append("trials: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    out += targets_in_words(content["targets"])
    out += standing.lines(content["search"])
    if busy := content["busy_latencies"]:
        out.append(f"latency of {several(busy, 'student')} measured on a busy machine")
    out += [f"  {n} × {why}" for why, n in content["reasons"].items()]
    out += [f"  trial {number} failed: {why}" for number, why in content["failed"].items()]
    return out
