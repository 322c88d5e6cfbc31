"""What test_two_ranks.py has two processes do: `python two_ranks.py RANK FOLDER`."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.data.records import DataInfo, Split
from kdsearch.nets import FAMILIES
from kdsearch.teachers.learning import Learning
from kdsearch.teachers.scaffold import make_branches, of_whole_space
from kdsearch.teachers.task import TeacherTask
from kdsearch.teachers.terms import regularisers
from kdsearch.teachers.training import Course, Pool, Shaping
from kdsearch.training.feed import Feed
from kdsearch.training.fit import Telling, fit
from kdsearch.training.plan import Plan

SPACE = Space(
    {f"stage{s}.width": Choice((2, 4)) for s in (1, 2, 3)}
    | {f"stage{s}.depth": Choice((1,)) for s in (1, 2, 3)}
)


def course(folder: Path) -> Course:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 1, 8, 8), generator=generator).to(torch.uint8)
    info = DataInfo("noise", tuple("abc"), 1, 8, (0.5,), (0.3,), {"train": 40}, (), "x")
    plan = Plan(steps=12, batch_size=8, learning_rate=0.02, weight_decay=1e-3, seed=7)
    shaping = Shaping(
        Pool("resnet", SPACE),
        distribution=Learning("capability"),
        lipschitz=1e-5,
        consistency=1.0,
    )
    feed = Feed(Split(images, torch.arange(40) % 3), info)
    return Course(feed, plan, folder / "checkpoint", Silent(), shaping)


def main(own: int, folder: Path) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "store"), 2)
    dist.init_process_group("gloo", store=store, rank=own, world_size=2)
    given = course(folder)
    torch.manual_seed(0)
    network = FAMILIES["resnet"].student(Architecture.of(SPACE.largest()), 1, 3)
    branches = make_branches(network, given, of_whole_space(given))
    task = TeacherTask(
        network, [branches, *regularisers(given)], classes=3, precision="float32"
    )
    fit(
        task,
        given.feed,
        given.plan,
        until=given.plan.steps,
        checkpoint=given.checkpoint,
        tell=Telling(given.progress, "teacher"),
    )
    torch.save(task.module.state_dict(), folder / f"rank{own}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
