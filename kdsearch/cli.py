"""The command line: argv to one pipeline function; flags ask, the config configures.

Heavy packages are imported inside the verbs that need them, so that `--help` and `query`
answer at once.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kdsearch.arguments import parser
from kdsearch.errors import KdsearchError, UserError
from kdsearch.pipeline.surroundings import surroundings
from kdsearch.pipeline.table import paragraphs, table
from kdsearch.pipeline.terminal import terminal_progress
from kdsearch.rundir import RunDir
from kdsearch.stopping import terminated_as_interrupted
from kdsearch.verbs.artefacts import doctor, verify
from kdsearch.verbs.devices import profile
from kdsearch.verbs.many_runs import batch, search_baselines, submit
from kdsearch.verbs.pages import report, watch
from kdsearch.verbs.say import say
from kdsearch.verbs.students import deliver, export, query

ISSUES = "a bug of kdsearch; please report it with the lines above"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads stall each other
    arguments = parser().parse_args(argv)
    try:
        with terminated_as_interrupted():
            return VERBS[arguments.verb](arguments)
    except KdsearchError as error:
        line = " ".join(str(error).split("\n"))  # somebody else's words may have several
        print(f"kdsearch: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("kdsearch: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except SystemExit as error:
        print(
            f"kdsearch: code that a config names called sys.exit({error.code!r}); "
            "let it raise an error instead",
            file=sys.stderr,
        )
        return UserError.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if refused := surroundings(error):
            print(f"kdsearch: {refused}", file=sys.stderr)
            return UserError.exit_code
        import traceback

        traceback.print_exc()
        print(f"kdsearch: {ISSUES}", file=sys.stderr)
        return 1


def init(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.init import starter, write_starter

    if arguments.to is None:
        print(starter(arguments.data, arguments.max), end="")
    else:
        write_starter(arguments.to, arguments.data, arguments.max)
        print(f"{arguments.to}: `kdsearch check {arguments.to}` says what a run would take")
    return 0


def check(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.check import check as checked
    from kdsearch.pipeline.check import words

    config = read_config(arguments.config, arguments.set)
    with terminal_progress(sys.stderr) as progress:
        text, found = checked(config, out_of(arguments), progress)
    print(text)
    print("\n".join(f"# {line}" for line in words(found)))
    return 0


def run(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.last_error import error_kept
    from kdsearch.pipeline.run import run as run_stages
    from kdsearch.pipeline.team import follows

    config = read_config(arguments.config, arguments.set)
    out = RunDir(out_of(arguments))
    with terminal_progress(sys.stderr) as progress, error_kept(out):
        done = run_stages(config, out.root, progress, until=arguments.until)
    if follows():
        return 0  # the first of the processes tells
    if done.front.exists() and arguments.until in (None, "finalists", "report"):
        show_front(done.read(done.front))
    if done.report.exists():
        print(f"report: {done.report}")
    return 0


def out_of(arguments: argparse.Namespace) -> Path:
    """Where a run goes: --out, or runs/ and the config's name."""
    return Path(arguments.out or Path("runs") / Path(arguments.config).stem)


def distill(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.distill import distill as teach
    from kdsearch.pipeline.distill import words

    config = read_config(arguments.config, arguments.set)
    with terminal_progress(sys.stderr) as progress:
        card = teach(config, out_of(arguments), progress)
    print("\n".join(words(card, out_of(arguments) / "student")))
    return 0


def compare(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.compare import compare as run_all
    from kdsearch.pipeline.compare import names_of
    from kdsearch.pipeline.comparison import comparison_text

    config = read_config(arguments.config, arguments.set)
    methods = names_of(config, arguments.methods)
    with terminal_progress(sys.stderr) as progress:
        content = run_all(
            config, out_of(arguments), progress, methods=methods, seeds=arguments.seeds
        )
    say(content, arguments.json, comparison_text(content))
    if not arguments.json:
        print(f"page: {out_of(arguments) / 'comparison.html'}")
    return 0


def compare_teachers(arguments: argparse.Namespace) -> int:
    from kdsearch.config import read_config
    from kdsearch.pipeline.arms import names_of
    from kdsearch.pipeline.compare_teachers import PAGE, Asked, text
    from kdsearch.pipeline.compare_teachers import compare_teachers as run_all

    config = read_config(arguments.config, arguments.set)
    kinds = names_of(config, arguments.kinds)
    asked = Asked(kinds, arguments.students, arguments.seeds, arguments.specialised)
    with terminal_progress(sys.stderr) as progress:
        content = run_all(config, out_of(arguments), progress, asked)
    say(content, arguments.json, text(content))
    if not arguments.json:
        print(f"page: {out_of(arguments) / PAGE}")
    return 0


def status(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.status import lines
    from kdsearch.pipeline.status import status as state

    content = state(RunDir(Path(arguments.run)))
    say(content, arguments.json, "\n".join(lines(content)))
    return 0


def front(arguments: argparse.Namespace) -> int:
    found = RunDir(Path(arguments.run))
    content = found.read(found.front, "points")
    if arguments.json:
        print(json.dumps(content))
    else:
        show_front(content)
    return 0


def show_front(content: Mapping[str, Any]) -> None:
    from kdsearch.pipeline.front import front_table

    print(front_table(content))


def trials(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.trials import (
        as_csv,
        further_columns,
        objective_names,
        trial_rows,
        trial_table,
    )

    found = RunDir(Path(arguments.run))
    rows = trial_rows(found)
    if arguments.csv:
        print(as_csv(rows), end="")
    else:
        print(trial_table(rows, further_columns(rows, objective_names(found))))
    return 0


def audit(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.audit import audit as audited
    from kdsearch.pipeline.report import reported
    from kdsearch.report.ranking import figures

    found = RunDir(Path(arguments.run))
    with terminal_progress(sys.stderr) as progress:
        content = audited(
            found,
            progress,
            students=arguments.students,
            seeds=arguments.seeds,
            method=arguments.method,
        )
    reported(found)
    headers = ("ranks students by", "tau", "95 % interval")
    lines = [
        f"{content['students']} students, {content['seeds']} standalone trainings each "
        f"({content['method']}); Kendall's tau-b with their ranking:",
        table(figures(content), headers),
        content["verdict"],
    ]
    say(content, arguments.json, "\n".join(lines))
    return 0


def explain(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.explain import explain as explained
    from kdsearch.pipeline.explain import lines

    content = explained(RunDir(Path(arguments.run)))
    say(content, arguments.json, "\n".join(lines(content)))
    return 0


def dashboard(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.dashboard import dashboard as served

    served(RunDir(Path(arguments.run)), arguments.port)
    return 0


def clean(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.clean import clean as cleaned
    from kdsearch.pipeline.clean import lines

    content = cleaned(RunDir(Path(arguments.run)), every=arguments.all, dry=arguments.dry_run)
    say(content, arguments.json, "\n".join(lines(content)))
    return 0


def listing(arguments: argparse.Namespace) -> int:
    from kdsearch.pipeline.listing import LISTINGS

    rows = LISTINGS[arguments.what]()
    headers = list(dict.fromkeys(name for r in rows for name in r))
    lay = paragraphs if arguments.what == "methods" else table
    text = lay([[cell(r.get(h)) for h in headers] for r in rows], headers)
    say(rows, arguments.json, text)
    return 0


def cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {item}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return " to ".join(map(str, value))
    return "" if value is None else str(value)


VERBS: Mapping[str, Callable[[argparse.Namespace], int]] = MappingProxyType(
    {
        verb.__name__.replace("_", "-"): verb
        for verb in (
            init,
            check,
            profile,
            run,
            batch,
            submit,
            distill,
            compare,
            compare_teachers,
            search_baselines,
            status,
            front,
            trials,
            query,
            deliver,
            export,
            verify,
            audit,
            report,
            watch,
            explain,
            dashboard,
            clean,
            doctor,
            listing,
        )
    }
)
