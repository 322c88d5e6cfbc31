"""What a config lets a search vary of the training, and every way to ask for it wrongly."""

from collections.abc import Mapping
from typing import Any

import pytest

from kdsearch.config import Config, parse_config, resolved_yaml
from kdsearch.config.models import KnobRange
from kdsearch.config.vary import taught_methods, training_space
from kdsearch.core.space import Choice, Range, Space
from kdsearch.errors import ConfigError
from kdsearch.spaces.marked import read_text

VARY = {
    "augment_strength": [0, 1, 2],
    "learning_rate": {"low": 0.01, "high": 0.1, "log": True},
    "weight_decay": [0.0, 5e-4],
}


def refusal(config: Mapping[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(config)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_search_varies_no_training_unless_it_is_told_to() -> None:
    assert training_space(Config()) == Space({})


def test_lists_and_ranges_become_axes_in_one_order() -> None:
    config = parse_config({"search": {"vary": VARY}})
    assert config.search.vary["learning_rate"] == KnobRange(low=0.01, high=0.1, log=True)
    assert list(training_space(config).axes.items()) == [
        ("learning_rate", Range(0.01, 0.1, log=True)),
        ("weight_decay", Choice((0.0, 5e-4))),
        ("augment_strength", Choice((0, 1, 2))),
    ]
    assert parse_config(read_text(resolved_yaml(config), "resolved").content) == config


@pytest.mark.parametrize(
    ("vary", "line"),
    [
        (
            {"lerning_rate": [0.1]},
            "lerning_rate = [0.1]: unknown; did you mean 'learning_rate'",
        ),
        ({"learning_rate": [0, 0.1]}, "learning_rate[0] = 0: must be a number above 0"),
        ({"learning_rate": []}, "learning_rate = []: needs distinct values, at least one"),
        ({"learning_rate": [0.1, 0.1]}, "learning_rate = [0.1, 0.1]: needs distinct values"),
        ({"learning_rate": [0.2, 0.1]}, "learning_rate = [0.2, 0.1]: needs distinct values"),
        ({"learning_rate": [True]}, "learning_rate[0] = true: must be a number above 0"),
        ({"learning_rate": ["fast"]}, "learning_rate[0] = 'fast': must be a number above 0"),
        (
            {"learning_rate": 0.1},
            "learning_rate = 0.1: must be a list, for example [a, b], or {low, high, log}",
        ),
        (
            {"weight_decay": {"low": -1, "high": 1}},
            "weight_decay = {low: -1, high: 1}: must be a number of at least 0",
        ),
        (
            {"weight_decay": {"low": 0, "high": 1, "log": True}},
            "weight_decay = {low: 0, high: 1, log: true}: a range needs low < high, and low",
        ),
        ({"augment_strength": [1, 2.5]}, "augment_strength[1] = 2.5: must be a number from 0"),
    ],
)
def test_values_that_no_training_has(vary: Mapping[str, Any], line: str) -> None:
    assert refusal({"search": {"vary": vary}}).startswith(f"<python>: search.vary.{line}")


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ({"data": {"augment": "none"}}, "has nothing to vary with data.augment: none"),
        ({"distill": {"bank": 2}}, "cannot be varied while distill.bank stores"),
    ],
)
def test_a_strength_needs_images_that_vary_anew(section: Mapping[str, Any], line: str) -> None:
    said = refusal({"search": {"vary": {"augment_strength": [0, 1]}}, **section})
    assert f"search.vary.augment_strength = [0, 1]: {line}" in said


# Several teachers.


def test_the_first_teacher_is_one_of_several() -> None:
    config = parse_config({"teachers": {"big": {"width": 2}}, "search": {"vary": VARY}})
    assert training_space(config).axes["teacher"] == Choice(("teacher", "big"))
    assert parse_config(read_text(resolved_yaml(config), "resolved").content) == config


def test_teachers_matter_to_methods_that_learn_from_a_network() -> None:
    methods = ["hard", "soften", "evolutionary", "lightskd", "soften+attention"]
    config = parse_config({"distill": {"methods": methods}})
    assert taught_methods(config) == {"soften", "evolutionary", "soften+attention"}


@pytest.mark.parametrize(
    ("name", "section", "line"),
    [
        ("teacher", {}, "teachers.teacher = {}: is the first one's name"),
        ("big one", {}, "teachers.big one = {}: a teacher's name is made of letters"),
        ("big", {"widht": 2}, "teachers.big.widht: unknown key; did you mean 'width'?"),
        ("input", {"widht": 2}, "teachers.input.widht: unknown key; did you mean 'width'?"),
        ("big", {"epochs": 0}, "teachers.big.epochs = 0: must be at least 1"),
        ("big", {"training": "none"}, "teachers.big = {training: 'none'}: is no teacher"),
        ("big", {"network": "object"}, "teachers.big.network = 'object': only the first can"),
        (
            "big",
            {"network": "timm:resnet18", "width": 2},
            "teachers.big.width = 2: is for teachers.big.network: family; remove this",
        ),
        (
            "big",
            {"lipschitz": 0.1},
            "teachers.big.lipschitz = 0.1: is for teachers.big.training: student_oriented",
        ),
    ],
)
def test_further_teachers_follow_the_rules_of_the_first(
    name: str, section: Mapping[str, Any], line: str
) -> None:
    assert refusal({"teachers": {name: section}}).startswith(f"<python>: {line}")


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {"distill": {"bank": 2}},
            "distill.bank = 2: stores what one teacher says; set bank: 0",
        ),
        (
            {"teacher": {"training": "none"}, "distill": {"methods": ["hard"]}},
            "teachers = {big: {}}: teacher is the first, and there is none",
        ),
        (
            {"processes": 3, "teacher": {"batch_size": 126}, "supernet": {"batch_size": 126}},
            "teachers.big.batch_size: cannot be shared evenly by processes: 3",
        ),
    ],
)
def test_several_teachers_against_the_rest_of_a_config(
    config: Mapping[str, Any], line: str
) -> None:
    assert refusal({"teachers": {"big": {}}, **config}).startswith(f"<python>: {line}")


def test_a_further_teachers_files_are_found_from_the_configs_folder(tmp_path: Any) -> None:
    from kdsearch.config import read_config

    (tmp_path / "kept").mkdir()
    path = tmp_path / "run.yaml"
    path.write_text("teachers: {old: {network: 'checkpoint:kept'}}\n")
    assert read_config(path).teachers["old"].network == f"checkpoint:{tmp_path / 'kept'}"


# Knobs beyond a method's own.


def test_numbers_may_leave_a_methods_own_range() -> None:
    knobs = {"soften.temperature": [0.5, 32], "soften.weight": {"low": 0.01, "high": 1}}
    config = parse_config({"distill": {"knobs": knobs}})
    assert config.distill.knobs["soften.temperature"] == (0.5, 32)


@pytest.mark.parametrize(
    ("method", "knob", "values", "line"),
    [
        (
            "soften",
            "temperature",
            [0],
            "[0] = 0: allowed: 1.0 to 10.0 (logarithmic), or any nu",
        ),
        (
            "soften",
            "weight",
            [1.5],
            "[0] = 1.5: allowed: 0.1 to 0.95, or any number above 0 an",
        ),
        (
            "evolutionary",
            "dimension",
            [8.5],
            "[0] = 8.5: allowed: one of 16, 32, 64, 128, 256,",
        ),
        ("evolutionary", "init", ["warm"], "[0] = 'warm': allowed: one of scratch, pretrained"),
        ("multi_level", "views", [3], "[0] = 3: allowed: one of 1, 2, 4"),
        (
            "evolutionary",
            "dimension",
            {"low": 8, "high": 9},
            " = {low: 8, high: 9}: must be a list; allowed: one of 16",
        ),
    ],
)
def test_values_that_a_method_cannot_have(
    method: str, knob: str, values: Any, line: str
) -> None:
    said = refusal({"distill": {"methods": [method], "knobs": {f"{method}.{knob}": values}}})
    assert said.startswith(f"<python>: distill.knobs.{method}.{knob}{line}")


def test_a_wrong_knob_is_named_also_where_there_is_no_teacher() -> None:
    distill = {"methods": ["multi_level"], "knobs": {"multi_level.views": [3]}}
    said = refusal({"distill": distill, "teacher": {"training": "none"}})
    assert "multi_level.views[0] = 3: allowed: one of 1, 2, 4" in said


def test_teachers_whom_nobody_listens_to_are_refused() -> None:
    line = refusal({"teachers": {"big": {"width": 2}}, "distill": {"methods": ["hard"]}})
    assert "teachers = {big: {width: 2}}: no method of distill.methods learns from a" in line
