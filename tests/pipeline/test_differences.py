"""What makes a search another one is told in the config's words, a line each."""

import copy
from pathlib import Path
from typing import Any

import pytest

from kdsearch.pipeline.differences import differences, switched
from kdsearch.rundir import RunDir

KEY: dict[str, Any] = {
    "version": 2,
    "space": {"family": "resnet", "axes": {"stage1.width": [2, 4], "stage1.depth": [1]}},
    "methods": {
        "soften": {"temperature": {"low": 1.0, "high": 10.0, "log": True}},
        "hard": {},
    },
    "training": {"learning_rate": {"values": [0.05]}},
    "data": "aa11",
    "teacher": "bb22",
    "teachers": {},
    "supernet": "cc33",
    "plan": {"steps": 120, "batch_size": 64, "seed": 5, "learning_rate": 0.05, "bank": 0},
    "rungs": [0.25, 1.0],
    "batch": 8,
    "budget": {"macs": None},
    "seed": 0,
}


def changed(**parts: Any) -> dict[str, Any]:
    """The key with parts of mappings merged in, and other entries replaced."""
    key = copy.deepcopy(KEY)
    for name, value in parts.items():
        key[name] = {**key[name], **value} if isinstance(key.get(name), dict) else value
    return key


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (
            {"training": {"learning_rate": {"values": [0.02, 0.05]}}},
            "search.vary.learning_rate: [0.05] → [0.02, 0.05]",
        ),
        (
            {"training": {"weight_decay": {"low": 1e-4, "high": 1e-2, "log": True}}},
            "search.vary.weight_decay: not set → 0.0001 to 0.01 (logarithmic)",
        ),
        (
            {"methods": {"soften": {"temperature": {"values": (2, 4)}}}},
            "distill.knobs.soften.temperature: 1 to 10 (logarithmic) → [2, 4]",
        ),
        ({"methods": {"dist": {}}}, "distill.methods: [soften, hard] → [soften, hard, dist]"),
        ({"space": {"axes": {"stage1.width": [2, 4], "stage1.depth": [1, 2]}}},
         "space, stage1.depth: [1] → [1, 2]"),
        ({"space": {"family": "mobile", "axes": {"kernel": [3, 5]}}},
         "space: resnet, 2 choices → mobile, 1 choices"),
        ({"training": {"teacher": {"values": ["teacher", "big"]}}, "teachers": {"big": "dd"}},
         "teachers: [teacher] → [teacher, big]"),
        ({"data": "ee55"}, "images: aa11 → ee55"),
        ({"teacher": None}, "teacher: bb22 → not set"),
        ({"plan": {"learning_rate": 0.1}}, "distill.learning_rate: 0.05 → 0.1"),
        ({"plan": {"augment": "shift"}}, "data.augment: not set → shift"),
        ({"rungs": (0.5, 1.0)}, "search.rungs: [0.25, 1.0] → [0.5, 1.0]"),
        ({"batch": 4}, "search.batch_size: 8 → 4"),
        ({"budget": {"macs": "60%"}}, "budget.macs: not set → 60%"),
        ({"seed": 1, "plan": {"seed": 6}}, "seed: 0 → 1"),
        ({"novelty": {"a": [1]}}, "search.novelty: not set → {a: [1]}"),
        ({"version": 3}, "version of the search itself: 2 → 3"),
    ],
)  # fmt: skip
def test_one_change_is_one_line_there_and_back(parts: dict[str, Any], line: str) -> None:
    assert differences(KEY, changed(**parts)) == [line]
    name, _, values = line.partition(": ")
    old, _, new = values.partition(" → ")
    assert differences(changed(**parts), KEY) == [f"{name}: {new} → {old}"]


def test_equal_keys_have_no_differences_read_from_a_file_or_not() -> None:
    assert differences(KEY, KEY) == []
    assert differences(KEY, changed(rungs=(0.25, 1.0))) == []


def test_each_change_has_its_line() -> None:
    many = changed(batch=4, seed=1, training={"learning_rate": {"values": [0.1]}})
    assert differences(KEY, many) == [
        "search.vary.learning_rate: [0.05] → [0.1]",
        "search.batch_size: 8 → 4",
        "seed: 0 → 1",
    ]


def test_another_teacher_of_a_name_is_told() -> None:
    several = {"training": {"teacher": {"values": ["teacher", "big"]}}}
    before, after = (changed(**several, teachers={"big": name}) for name in ("aa", "bb"))
    assert differences(before, after) == ["teacher big: aa → bb"]


def test_a_key_of_an_older_version_is_read() -> None:
    older = {name: value for name, value in KEY.items() if name not in ("training", "teachers")}
    assert differences(older, KEY) == ["search.vary.learning_rate: not set → [0.05]"]
    assert differences({}, {}) == []


def test_a_run_that_turns_to_another_study_hears_why_and_what_is_kept(tmp_path: Path) -> None:
    run, other = RunDir(tmp_path), changed(batch=4, seed=1)
    assert switched(run, "aa", KEY) == [], "its first one"
    run.note(study="aa", study_key=KEY)
    assert switched(run, "aa", KEY) == []
    assert switched(run, "bb", other) == [
        "search.batch_size: 8 → 4",
        "seed: 0 → 1; a new study begins, the old one stays in study-aa.journal",
    ]
    run.journal("bb").touch()
    assert switched(run, "bb", other)[-1].endswith(
        "; its own study goes on, the old one stays in study-aa.journal"
    )


def test_long_values_are_cut() -> None:
    (line,) = differences(KEY, changed(starts=[{"width": n} for n in range(99)]))
    assert line.startswith("search.starts: not set → [{width: 0}") and len(line) < 120
    assert line.endswith("…")
