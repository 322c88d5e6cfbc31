"""Step times of every method in one run, as ratios: `python benchmarks/methods/step_times.py
DATA_ROOT [--out runs/methods]`. Pair (a), batch 64; methods take turns step by step."""

import argparse
import json
import sys
from pathlib import Path

from kdsearch.config import read_config
from kdsearch.config.recipes import recipe_of
from kdsearch.pipeline.comparison import pace_table
from kdsearch.pipeline.context import open_context, training_threads
from kdsearch.pipeline.lessons import (
    classroom,
    lesson_setting,
    student_architecture,
)
from kdsearch.pipeline.terminal import terminal_progress
from kdsearch.search.comparison import Comparison
from kdsearch.search.pace import paces
from kdsearch.search.rung import Rungs

HERE = Path(__file__).parent
BASELINES = ("hard", "soften")
METHODS = (
    *BASELINES,
    *("standardized", "decoupled", "dist", "nkd"),
    *("attention", "relational", "similarity", "probabilistic", "hint"),
    *("information_flow", "evolutionary", "lightskd", "multi_level", "multi_level@views=1"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_root")
    parser.add_argument("--out", type=Path, default=Path("runs/methods"))
    arguments = parser.parse_args()
    given = [f"data.root={arguments.data_root}", f"store={arguments.out.resolve()}/store"]
    config = read_config(HERE / "family.yaml", given)
    with terminal_progress(sys.stderr) as progress, training_threads(config.threads):
        context = open_context(config, arguments.out / "step-times", progress)
        with context.run.writing():
            room = classroom(context)
            recipes = {name: recipe_of(config.distill, name) for name in METHODS}
            setting = lesson_setting(context, room, recipes.values())
            student = student_architecture(context)
            places = dict.fromkeys(METHODS, "unused")
            lessons = Comparison(student, recipes, places, 1, config.seed, context.run.root)
            jobs = {name: lessons.job(name, 0) for name in METHODS}
            found = paces(Rungs(setting, progress), jobs, BASELINES, progress)
    rows = [{"name": name, "pace": pace.as_dict()} for name, pace in found.items()]
    (HERE / "results" / "step-times.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(pace_table(rows))


if __name__ == "__main__":
    main()
