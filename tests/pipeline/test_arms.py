"""Kinds of teachers by name: what of the config they take, and what is refused."""

from typing import Any

import pytest

from kdsearch.config import parse_config
from kdsearch.core.records import Architecture
from kdsearch.errors import UserError
from kdsearch.pipeline.arms import SPECIALISED, Arm, arms_of, names_of
from kdsearch.spaces import load_space

STUDENT = Architecture.of(load_space("resnet-tiny").space.smallest())


def arms(*names: str, specialised: bool = False, **teacher: Any) -> list[Arm]:
    config = parse_config({"teacher": teacher})
    return arms_of(config, names, [STUDENT], specialised=specialised)


def test_plain_comes_first_and_the_configs_own_is_the_default() -> None:
    config = parse_config({"teacher": {"training": "generic"}})
    assert names_of(config, None) == ["plain", "none", "generic"]
    assert names_of(config, "generic, plain") == ["plain", "generic"]
    one = "student_friendly@student={stage1.width: 4, stage1.depth: 1}"
    assert names_of(config, f"{one},none") == ["plain", one, "none"]


def test_what_a_kind_has_no_use_for_is_left_out() -> None:
    own = {
        "training": "generic",
        "conditioning": {"kl": 2},
        "distribution": {"loss": "capability"},
    }
    plain, friendly, generic, none = arms("plain", "student_friendly", "generic", "none", **own)
    assert none.config is None
    assert plain.config and friendly.config and generic.config
    assert plain.config.teacher.conditioning.kl == 1
    assert (
        friendly.config.teacher.conditioning.kl == generic.config.teacher.conditioning.kl == 2
    )
    assert friendly.config.teacher.distribution.loss == "none"
    assert generic.config.teacher.distribution.loss == "capability"


def test_only_those_who_draw_students_hold_some_out() -> None:
    plain, friendly, generic = arms("plain", "student_friendly", "generic")
    assert plain.config and friendly.config and generic.config
    assert generic.config.teacher.held_out == (STUDENT.as_dict(),)
    assert plain.config.teacher.held_out == friendly.config.teacher.held_out == ()


def test_values_of_a_kind_win_over_the_configs() -> None:
    (arm,) = arms("generic@conditioning.kl=3@epochs=7", training="generic", epochs=2)
    assert arm.config is not None and arm.config.teacher.conditioning.kl == 3
    assert arm.config.teacher.epochs == 7


def test_one_for_each_takes_the_values_of_student_friendly() -> None:
    *_, each = arms("plain", "student_friendly@conditioning.kl=3", specialised=True)
    assert each.name == SPECIALISED
    config = each.config_for(STUDENT, 5)
    assert config is not None and config.seed == 5
    assert config.teacher.student == STUDENT.as_dict()
    assert config.teacher.conditioning.kl == 3
    assert arms("plain", specialised=True)[-1].config is not None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("genric", "no kind 'genric'; did you mean 'generic'?"),
        ("generic@conditioning.klx=3", "unknown key; did you mean 'kl'?"),
        ("generic@conditioning.kl=-3", "= -3: must be at least 0"),
        ("plain@conditioning.kl=3", "is for teacher.training: student_friendly or generic"),
        ("generic@kl", "must have the form a.b=value"),
        ("none@epochs=3", "without a teacher nothing is to be set"),
        ("generic@training=plain", "the training stands before the first @"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(name: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        arms(name)
    assert str(error.value).startswith("--kinds") and said in str(error.value)
    assert "\n" not in str(error.value)
