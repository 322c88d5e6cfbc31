"""What may stand on the command line, and its help; nothing is done here."""

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

import kdsearch
from kdsearch.arguments.artefacts import on_artefacts
from kdsearch.arguments.devices import on_devices
from kdsearch.arguments.flags import add, as_json, bounds, config, of_run
from kdsearch.arguments.pages import pages, port
from kdsearch.arguments.students import on_students
from kdsearch.rundir import STAGES

EXITS = """exit codes:
  0  done
  1  a bug of kdsearch, or a search that had to stop
  2  something in the config, the data or the command is wrong: one line says what
  3  no student keeps the budget: the binding limit and the nearest student are named

start here:
  kdsearch init > run.yaml && kdsearch run run.yaml --out runs/first
  kdsearch query runs/first --max latency_ms=50%"""

LISTED: Mapping[str, str] = MappingProxyType(
    {
        "methods": "distillation methods, their knobs and ranges",
        "spaces": "shelved search spaces, how many students of what size",
        "families": "student families",
        "teachers": "ways to get a teacher",
        "datasets": "data sets and how a config names them",
        "objectives": "what a search may trade against each other",
        "samplers": "who may propose candidates",
        "engines": "who may execute the jobs of a search",
        "runtimes": "runtimes a latency may be measured in",
        "formats": "formats a student may be exported to",
    }
)


class Parser(argparse.ArgumentParser):
    """argparse's own, but a wrong command gets one line like every other mistake."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def parser() -> argparse.ArgumentParser:
    top = Parser(
        prog="kdsearch",
        description=kdsearch.__doc__,
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"kdsearch {kdsearch.__version__}")
    verbs = top.add_subparsers(required=True, metavar="VERB")
    from_a_config(verbs)
    on_devices(verbs)
    many_runs(verbs)
    comparisons(verbs)
    on_a_run(verbs)
    on_students(verbs)
    on_artefacts(verbs)
    for what, about in LISTED.items():
        one = add(verbs, what, about)
        one.set_defaults(verb="listing", what=what)
        as_json(one)
    return top


def from_a_config(verbs: Any) -> None:
    """The verbs that read a config (or write one) and train."""
    one = add(verbs, "init", "writes a commented config to start from")
    one.add_argument("--data", metavar="NAME", help="for example folder:PATH; default digits")
    one.add_argument("--to", metavar="FILE", help="a new file for it, instead of stdout")
    bounds(one)

    one = add(verbs, "check", "validates, prints every value, time and disk expected")
    config(one)

    one = add(verbs, "run", "every stage; what is done already is not done again")
    config(one)
    one.add_argument("--until", choices=STAGES, help="the last stage to do")

    one = add(
        verbs, "distill", "the config's student, taught by its one method, to checked files"
    )
    config(one)


def many_runs(verbs: Any) -> None:
    """The verbs on several searches, and on clusters elsewhere."""
    one = add(verbs, "batch", "many searches from one manifest, sharing what they can")
    config(one, file="manifest", about="a YAML file of cells; see docs/cluster.md")
    one.add_argument(
        "--parallel", type=int, metavar="N", help="cells at a time; default: the manifest's"
    )
    one.add_argument(
        "--list", action="store_true", help="shows the cells and what they share; runs nothing"
    )
    as_json(one)

    one = add(
        verbs, "submit", "has a Ray cluster run a config or a batch; goes on with it, too"
    )
    config(one, about="a config, or the manifest of a batch")
    one.add_argument(
        "--address", metavar="URL", required=True, help="of its dashboard: http://HOST:8265"
    )
    one.add_argument("--name", metavar="NAME", help="the job's; default: that of the folder")
    one.add_argument(
        "--follow", action="store_true", help="shows what it says until it ends; its exit code"
    )


def comparisons(verbs: Any) -> None:
    """The verbs that set several trainings against each other, in pairs of equal seeds."""
    one = add(
        verbs,
        "compare",
        "the config's student, taught by several methods, in pairs of equal seeds",
    )
    config(one)
    one.add_argument(
        "--methods",
        metavar="A,B",
        help="names, METHOD@KNOB=VALUE for another value: dist,multi_level@views=1; default: "
        "the config's; hard and soften join, as the baselines",
    )
    one.add_argument(
        "--seeds",
        type=int,
        default=3,
        metavar="N",
        help="runs of each method, paired across methods; default: %(default)s",
    )
    as_json(one)

    one = add(
        verbs,
        "compare-teachers",
        "kinds of teachers, compared by the same students that each of them taught",
    )
    config(one)
    one.add_argument(
        "--kinds",
        metavar="A,B",
        help="none (labels alone), plain, student_oriented, student_friendly, generic; "
        "KIND@KEY=VALUE sets a key of the config's teacher: "
        "generic@conditioning.kl=3@distribution.loss=capability; plain joins, as the "
        "baseline; default: none and the config's own",
    )
    one.add_argument(
        "--students",
        default="6",
        metavar="N|FILE",
        help="how many are drawn from the space, one in three of which no teacher draws while "
        "it is trained; or a YAML file with lists `students` and `held_out`; "
        "default: %(default)s",
    )
    one.add_argument(
        "--seeds",
        type=int,
        default=3,
        metavar="S",
        help="teachers of each kind, and trainings of each student; default: %(default)s",
    )
    one.add_argument(
        "--specialised",
        action="store_true",
        help="also trains a student-friendly teacher for every student, which takes long: "
        "how far the others are behind it",
    )
    as_json(one)


def on_a_run(verbs: Any) -> None:
    """The verbs that ask for something of a run."""
    one = of_run(verbs, "status", "what is done, running, failed and why")
    as_json(one)
    one = of_run(verbs, "front", "the published students, fastest first")
    as_json(one)
    one = of_run(verbs, "trials", "every trial and what became of it")
    one.add_argument("--csv", action="store_true", help="comma-separated, all columns")

    one = of_run(verbs, "audit", "how far the ranking by inherited weights can be trusted")
    one.add_argument(
        "--students",
        type=int,
        default=30,
        metavar="N",
        help="students trained alone, drawn from the space; default: %(default)s",
    )
    one.add_argument(
        "--seeds",
        type=int,
        default=2,
        metavar="N",
        help="trainings of each; two or more tell the ceiling; default: %(default)s",
    )
    one.add_argument(
        "--method",
        default="hard",
        metavar="METHOD",
        help="how they are trained, with METHOD@KNOB=VALUE as in compare; default: %(default)s",
    )
    as_json(one)
    one = of_run(
        verbs, "search-baselines", "simpler searches at the same cost: is this one any better?"
    )
    one.add_argument(
        "--seeds",
        type=int,
        default=3,
        metavar="N",
        help="of each baseline and of the search itself, the run being the first: up to "
        "6 * N - 1 searches of the run's training time; default: %(default)s",
    )
    as_json(one)
    pages(verbs)
    one = of_run(verbs, "explain", "what mattered, the knee, and what a step more buys")
    as_json(one)
    one = of_run(verbs, "dashboard", "the trials in optuna-dashboard, for this machine alone")
    one.add_argument("--port", type=port, default=8080, help="default: %(default)s")
    one = of_run(verbs, "clean", "removes checkpoints that the run has no use for any more")
    one.add_argument(
        "--all",
        action="store_true",
        help="also those of trials that may become finalists: they would begin anew",
    )
    one.add_argument("--dry-run", action="store_true", help="says what would go, keeps it")
    as_json(one)
