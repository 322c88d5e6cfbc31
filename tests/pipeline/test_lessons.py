"""What a lesson's results hang on: all of it is in the name of their folder."""

from dataclasses import replace

import pytest

from kdsearch.core.records import Architecture
from kdsearch.core.space import Choice, Space
from kdsearch.data.records import DataInfo
from kdsearch.pipeline.lessons import lesson_key
from kdsearch.search.setting import Setting
from kdsearch.training.plan import Plan

PLAN = Plan(steps=10, batch_size=4, learning_rate=0.1, weight_decay=0.0, seed=0)
SETTING = Setting(
    data="data",
    supernet=None,
    teacher="store/teacher/one",
    family="resnet",
    space=Space({"stage1.width": Choice((2, 4))}),
    plan=PLAN,
    fractions=(1.0,),
)
STUDENT = Architecture.of({"stage1.width": 2})
INFO = DataInfo("digits", ("a", "b"), 1, 8, (0.5,), (0.5,), {}, (), "fingerprint")


@pytest.mark.parametrize(
    "changed",
    [
        {"space": Space({"stage1.width": Choice((2, 8))})},  # its largest may teach: max_subnet
        {"family": "other"},
        {"teacher": "store/teacher/other"},
        {"teacher": None},
        {"plan": replace(PLAN, steps=11)},
    ],
)
def test_another_setting_is_another_lesson(changed: dict[str, object]) -> None:
    assert lesson_key(replace(SETTING, **changed), STUDENT, INFO) != lesson_key(
        SETTING, STUDENT, INFO
    )


def test_where_things_lie_and_who_computes_makes_no_difference() -> None:
    moved = replace(SETTING, data="elsewhere", store="elsewhere", threads=2)
    moved = replace(moved, teacher="moved/teacher/one")
    assert lesson_key(moved, STUDENT, INFO) == lesson_key(SETTING, STUDENT, INFO)


def test_other_data_and_another_student_are_other_lessons() -> None:
    keys = {
        lesson_key(SETTING, STUDENT, INFO),
        lesson_key(SETTING, STUDENT, replace(INFO, fingerprint="other")),
        lesson_key(SETTING, Architecture.of({"stage1.width": 4}), INFO),
    }
    assert len(keys) == 3
