"""Branches made for a teacher and its students: forks, adapters, a supernet of their own."""

from typing import cast

import torch
from torch import Tensor, nn

from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.core.space import Choice, Space
from kdsearch.errors import TeacherError
from kdsearch.losses.matching import stage_end
from kdsearch.nets.adapter import Adapter, Shape
from kdsearch.nets.family import Supernet
from kdsearch.nets.kinds import family_of
from kdsearch.teachers.branches import Branches, Fork, Manner
from kdsearch.teachers.costs import value_costs
from kdsearch.teachers.learning import Learning
from kdsearch.teachers.paths import PathDistribution
from kdsearch.teachers.terms import regularisers, train_terms
from kdsearch.teachers.training import Course, Pool, Trained
from kdsearch.training.learners import outlined


def train_with_branches(
    network: nn.Module, course: Course, distribution: PathDistribution
) -> Trained:
    """Trains the network beside branches of drawn students, if those weigh anything."""
    if not course.shaping.conditioning.is_on:
        return train_terms(network, course, regularisers(course))
    branches = make_branches(network, course, distribution)
    curve = train_terms(network, course, [branches, *regularisers(course)]).curve
    if not distribution.rule.is_on:
        return Trained(curve)
    odds = distribution.probabilities()
    paths = {name: [list(pair) for pair in axis.items()] for name, axis in odds.items()}
    return Trained(curve, {"paths": paths, "path_evenness": distribution.evenness()})


def make_branches(
    network: nn.Module, course: Course, distribution: PathDistribution
) -> Branches:
    """Scaffold and adapters come from a seed of their own, and leave the teacher's alone.

    The scaffold is of the whole space also where one student is drawn: not every family can
    build a space of one point.
    """
    pool = pool_of(course)
    plan, info = course.plan, course.feed.info
    device = course.feed.split.images.device
    with torch.no_grad():
        feats = outlined(network, course.feed.sample(plan.batch_size).images).feats
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(plan.seed, "scaffold"))
        supernet = family_of(pool.family).supernet
        scaffold = supernet(pool.space, info.channels, len(info.classes))
        largest = Architecture.of(pool.space.largest())
        widest = cast(Supernet, scaffold).shapes(largest, info.size)
        forks = forks_of(len(feats), len(widest))
        adapters = [Adapter(shape_of(feats[f.feat]), widest[f.stage - 1]) for f in forks]
    return Branches(
        scaffold.to(device),
        [adapter.to(device) for adapter in adapters],
        forks,
        distribution,
        Manner(course.shaping.conditioning, plan.seed, info.size, plan.precision),
    )


def of_whole_space(course: Course) -> PathDistribution:
    """The distribution that the course asks for; where it minds costs, they are measured."""
    rule, pool, info = course.shaping.distribution, pool_of(course), course.feed.info
    if not rule.minds_cost:
        return PathDistribution(pool.space, rule, held_out=pool.held_out)
    shape = (info.channels, info.size, info.size)
    costs = value_costs(pool.family, pool.space, shape, course.plan.seed)
    return PathDistribution(pool.space, rule, costs, pool.held_out)


def of_one_student(course: Course) -> PathDistribution:
    """Draws the student that the pool names, and no other."""
    student = pool_of(course).student
    assert student is not None, "one student has to be named"
    alone = Space({name: Choice((value,)) for name, value in student.choices})
    return PathDistribution(alone, Learning())


def pool_of(course: Course) -> Pool:
    pool = course.shaping.pool
    assert pool is not None, "branches need a pool of students"
    return pool


def forks_of(feats: int, stages: int) -> list[Fork]:
    """All feature maps but the last, each in the place of a student's, from the deep end.

    Raises:
        TeacherError: there is no map before the last on one side.
    """
    if min(feats, stages) < 2:
        raise TeacherError(
            f"the teacher gives {feats} feature maps and the students {stages}, and branches "
            "need two of each; name layers of 2-D maps in teacher.taps, or take "
            "teacher.training: student_oriented"
        )
    return [Fork(feat, stage + 1) for stage, feat in stage_end(stages, feats)[:-1]]


def shape_of(feat: Tensor) -> Shape:
    _, channels, height, width = feat.shape
    return channels, height, width
