"""The command line: argv to one pipeline function; flags ask, the config configures.

Heavy packages are imported inside the verbs that need them, so that `--help` and `query`
answer at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from kdsearch.arguments import parser
from kdsearch.errors import KdsearchError, UserError
from kdsearch.pipeline.surroundings import surroundings
from kdsearch.stopping import terminated_as_interrupted
from kdsearch.verbs.artefacts import doctor, verify
from kdsearch.verbs.contrasts import audit, compare, compare_teachers
from kdsearch.verbs.devices import profile
from kdsearch.verbs.looks import clean, dashboard, explain, front, listing, status, trials
from kdsearch.verbs.many_runs import batch, search_baselines, submit
from kdsearch.verbs.pages import report, watch
from kdsearch.verbs.runs import check, distill, init, run
from kdsearch.verbs.students import deliver, export, query

STOPPED = "kdsearch: stopped; the same command goes on from here"
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
        print(STOPPED, file=sys.stderr)
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
        if isinstance(error.__cause__, KeyboardInterrupt):  # met while a class was made
            print(STOPPED, file=sys.stderr)
            return 130
        if refused := surroundings(error):
            print(f"kdsearch: {refused}", file=sys.stderr)
            return UserError.exit_code
        import traceback

        traceback.print_exc()
        print(f"kdsearch: {ISSUES}", file=sys.stderr)
        return 1


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
