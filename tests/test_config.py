"""A config reads back as it was written, and every way to get it wrong gives one clear line."""

import importlib
import random
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from kdsearch.config import Config, networks, parse_config, read_config, resolved_yaml
from kdsearch.config import models as config_models
from kdsearch.core.budget import COSTS
from kdsearch.core.costs_named import TARGET_NAME
from kdsearch.errors import ConfigError
from kdsearch.spaces.marked import read_text

FULL = """\
data:
  name: torchvision:FashionMNIST
  root: downloads
  limit: 10000
  augment: shift-flip
teacher:
  network: torchvision:resnet18
  training: none
  weights: DEFAULT
  input: {size: 32, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}
  finetune:
    epochs: 3
    learning_rate: 1e-3
space: resnet-tiny
supernet:
  epochs: 12
  weight_decay: 0
distill:
  methods: [soften, hard]
  knobs:
    soften.temperature: [2, 4.5]
    soften.weight: {low: 0.3, high: 0.9}
budget: {latency_ms: 5, params: 60%}
search:
  sampler: random
  trials: 30
  rungs: [0.1, 0.5, 1]
  objectives: [accuracy, macs]
seed: 7
"""


def refusal(folder: Path, text: str, *overrides: str) -> str:
    """The line that reading `text` ends with, without the folder."""
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(path, overrides)
    assert caught.value.exit_code == 2
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line.replace(f"{folder}/", "")


def test_values_arrive_with_their_types(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(FULL)
    config = read_config(path)
    assert config.teacher.finetune is not None
    assert config.teacher.input is not None
    assert config.teacher.finetune.learning_rate == 0.001
    assert config.teacher.finetune.freeze is True
    assert config.teacher.input.mean == (0.5, 0.5, 0.5)
    assert config.supernet.weight_decay == 0
    assert config.search.rungs == (0.1, 0.5, 1)
    assert config.distill.knobs["soften.temperature"] == (2, 4.5)
    assert config.distill.knobs["soften.weight"] == config_models.KnobRange(low=0.3, high=0.9)
    given = config.budget.model_dump(exclude_none=True)
    assert given == {"latency_ms": 5, "params": "60%"}
    assert (config.seed, config.finalists.count) == (7, 8)


def test_the_defaults_are_a_config(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("data:\nsearch:\n  # trials: 3\n")
    assert read_config(path) == parse_config({}) == Config()


def test_a_config_is_frozen() -> None:
    with pytest.raises(ValidationError):
        parse_config({}).search.trials = 3  # type: ignore[misc]


MUTATIONS = [
    ("limit:", "limt:", "4:3: data.limt: unknown key; did you mean 'limit'?"),
    ("sampler: random", "sampler: randm", "25:12: search.sampler = 'randm': unknown; did you"),
    ("seed: 7", "seed: 7\nseed: 8", "30:1: seed: given twice; first on line 29"),
    (
        "seed: 7",
        "seed: '7'",
        "29:7: seed = '7': must be a whole number; write it without quotes",
    ),
    ("seed: 7", "seed: 7.0", "29:7: seed = 7.0: must be a whole number; write 7"),
    ("seed: 7", "seed: -1", "29:7: seed = -1: must be at least 0"),
    ("seed: 7", "trials: 7", "29:1: trials: unknown key; did you mean 'search.trials'?"),
    ("trials: 30", "trials: true", "26:11: search.trials = true: must be a whole number"),
    ("trials: 30", "trials: 0", "26:11: search.trials = 0: must be at least 1"),
    ("trials: 30", "trials: null", "26:11: search.trials = null: must be a whole number"),
    ("trials: 30", "trials:\t30", "26:10: not YAML: a tab"),
    ("trials: 30", "trials: [30", "not YAML: "),
    ("1e-3", "0", "13:20: teacher.finetune.learning_rate = 0: must be above 0"),
    ("1e-3", "1e999", "13:20: teacher.finetune.learning_rate = inf: must be a finite number"),
    ("1e-3", "fast", "13:20: teacher.finetune.learning_rate = 'fast': must be a number"),
    ("[0.2, 0.2, 0.2]", "[0.2, 0, 0.2]", "10:55: teacher.input.std[1] = 0: must be above 0"),
    (
        "shift-flip",
        "flip",
        "5:12: data.augment = 'flip': unknown; allowed: none, shift, shift-flip",
    ),
    (
        "torchvision:Fash",
        "torchvison:Fash",
        "2:9: data.name = 'torchvison:FashionMNIST': unknown",
    ),
    (
        "torchvision:Fash",
        "module:Fash",
        "2:9: data.name = 'module:FashionMNIST': must have the",
    ),
    ("torchvision:res", "tinm:res", "7:12: teacher.network = 'tinm:resnet18': unknown"),
    ("  limit: 10000", "  test_fraction: 1", "4:18: data.test_fraction = 1: must be below 1"),
    ("  limit: 10000", "  test_fraction: 0.9", "data.val_fraction: with test_fr"),
    ("  limit: 10000", "  download: yes", "4:13: data.download = 'yes': must be true or false"),
    ("space: resnet-tiny", "space: resnet-tny", "14:8: space = 'resnet-tny': no search space"),
    ("space: resnet-tiny", "space: 5", "14:8: space = 5: must be text"),
    (
        "[soften, hard]",
        "[soften, hrd]",
        "19:21: distill.methods[1] = 'hrd': unknown method; did",
    ),
    ("[soften, hard]", "soften", "19:12: distill.methods = 'soften': must be a list"),
    ("[soften, hard]", "[]", "19:12: distill.methods = []: needs at least one"),
    ("[soften, hard]", "[hard, hard]", "19:19: distill.methods[1] = 'hard': named twice"),
    ("[soften, hard]", "[hard]", "21:25: distill.knobs.soften.temperature = [2, 4.5]: no knob"),
    (
        "soften.temp",
        "soften.tmp",
        "21:24: distill.knobs.soften.tmperature = [2, 4.5]: no knob of",
    ),
    (
        "[2, 4.5]",
        "[4.5, 2]",
        "21:25: distill.knobs.soften.temperature = [4.5, 2]: needs distinct",
    ),
    (
        "[2, 4.5]",
        "[-2, 400]",
        "21:26: distill.knobs.soften.temperature[0] = -2: allowed: 1.0 to",
    ),
    (
        "[2, 4.5]",
        "[2, true]",
        "21:29: distill.knobs.soften.temperature[1] = true: allowed: 1.0 to 10.0 (logar",
    ),
    ("[2, 4.5]", "4", "21:25: distill.knobs.soften.temperature = 4: must be a list"),
    (
        "high: 0.9",
        "hgh: 0.9",
        "22:31: distill.knobs.soften.weight.hgh: unknown key; did you mean",
    ),
    (
        "high: 0.9",
        "log: false",
        "22:20: distill.knobs.soften.weight = {low: 0.3, log: false}: 'high",
    ),
    (
        "high: 0.9",
        "high: 0.2",
        "22:20: distill.knobs.soften.weight = {low: 0.3, high: 0.2}: a range",
    ),
    (
        "high: 0.9",
        "high: 9",
        "22:20: distill.knobs.soften.weight = {low: 0.3, high: 9}: allowed: 0.1 to 0.95, or",
    ),
    (
        "latency_ms: 5",
        "latency: 5",
        "23:10: budget.latency: unknown key; did you mean 'latency_",
    ),
    (
        "latency_ms: 5",
        "latency_ms: 0",
        "23:22: budget.latency_ms = 0: must be a number above 0",
    ),
    (
        "60%",
        "60 percent",
        "23:33: budget.params = '60 percent': must be a number above 0, or a share",
    ),
    ("60%", "[60]", "23:33: budget.params = [60]: must be a number above 0, or a share"),
    ("[0.1, 0.5, 1]", "[0.5, 0.1, 1]", "27:10: search.rungs = [0.5, 0.1, 1]: must be at least"),
    ("[0.1, 0.5, 1]", "0.5", "27:10: search.rungs = 0.5: must be a list"),
    (
        "[accuracy, macs]",
        "[accuracy, mac]",
        "28:26: search.objectives[1] = 'mac': unknown; did",
    ),
    (
        "[accuracy, macs]",
        "[macs, accuracy]",
        "28:15: search.objectives = ['macs', 'accuracy']: m",
    ),
    (
        "budget: {latency_ms: 5, params: 60%}",
        "budget: 5",
        "23:9: budget = 5: must be a section",
    ),
    ("seed: 7", "seed: &a 7\ndevice: *a", "30:9: aliases (*name) are not read"),
    ("seed: 7", "device: gpu", "29:9: device = 'gpu': unknown; "),
]


@pytest.mark.parametrize(("right", "wrong", "line"), MUTATIONS)
def test_a_mutated_config_gives_one_line(
    tmp_path: Path, right: str, wrong: str, line: str
) -> None:
    assert FULL.count(right) == 1
    said = refusal(tmp_path, FULL.replace(right, wrong))
    place, line_number, column, _ = said.split(":", 3)
    assert place == "run.yaml"
    assert int(line_number) >= 1
    assert int(column) >= 1
    assert line in said


def test_of_several_errors_the_first_in_the_file_is_told(tmp_path: Path) -> None:
    text = "seed: -1\nsearch: {trials: 0}\ndata: {siz: 3}\n"
    assert refusal(tmp_path, text).startswith("run.yaml:1:7: seed")
    assert refusal(tmp_path, text.replace("-1", "1")).startswith("run.yaml:2:18: search.trials")


TEACHERS = [
    (
        {"training": "none"},
        "teacher.training = 'none': method 'soften' needs a teacher; set dist",
    ),
    ({"weights": "t.pt"}, "teacher.weights = 't.pt': is for a network brought along"),
    ({"finetune": {}}, "teacher.finetune = {}: is for a network brought along"),
    ({"taps": ["layer1"]}, "teacher.taps = ['layer1']: is for a network brought along"),
    ({"network": "object", "weights": "t.pt"}, "teacher.weights = 't.pt': a network passed"),
    ({"epochs": 1.5}, "teacher.epochs = 1.5: must be a whole number"),
    ({"network": 3}, "teacher.network = 3: must be text"),
    ({"learning_rate": -1}, "teacher.learning_rate = -1: must be above 0"),
    (
        {"network": "torchvision:resnet18", "width": 2},
        "teacher.width = 2: is for teacher.network",
    ),
    (
        {"network": "module:a.b:make", "weights": "DEFAULT"},
        "teacher.weights = 'DEFAULT': must be",
    ),
]


TEACHERS += [
    ({"student": "largest"}, "teacher.student = 'largest': is for teacher.training: student_f"),
    (
        {"conditioning": {"kl": 2}, "training": "student_oriented"},
        "teacher.conditioning = {kl: 2}: is for teacher.training: student_friendly or generic",
    ),
    (
        {"distribution": {"loss": "capability"}, "training": "student_friendly"},
        "teacher.distribution = {loss: 'capability'}: is for teacher.training: generic; remove",
    ),
    ({"lipschitz": 0.1}, "teacher.lipschitz = 0.1: is for teacher.training: student_oriented"),
    ({"consistency": -1}, "teacher.consistency = -1: must be at least 0"),
    (
        {"training": "generic", "conditioning": {"warmup": 1.5}},
        "teacher.conditioning.warmup = 1.5: must be at most 1",
    ),
    (
        {"training": "generic", "conditioning": {"gradient": "head"}},
        "teacher.conditioning.gradient = 'head': unknown; allowed: both, branch, teacher",
    ),
    (
        {"training": "generic", "distribution": {"loss": "capability", "target": 0.2}},
        "teacher.distribution.target = 0.2: is for loss: target_cost; remove this",
    ),
    (
        {"training": "student_friendly", "student": {"stage1.width": 3}},
        "teacher.student = {stage1.width: 3}: stage1.width = 3; allowed: one of",
    ),
    ({"training": "genric"}, "teacher.training = 'genric': unknown; did you mean 'generic'?"),
    (
        {"network": "timm:resnet18", "weights": "a1_in1k"},
        "teacher.weights = 'a1_in1k': must be DEFAULT or a file",
    ),
    (
        {"network": "checkpoint:runs/a", "weights": "t.pt"},
        "teacher.weights = 't.pt': is for other networks; one of a run has its own",
    ),
    ({"network": "checkpoint:"}, "teacher.network = 'checkpoint:': must have the form check"),
]


@pytest.mark.parametrize(("teacher", "line"), TEACHERS)
def test_a_teacher_whose_parts_do_not_fit(teacher: Mapping[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"teacher": teacher})
    assert str(caught.value).startswith(f"<python>: {line}")


@pytest.mark.parametrize(
    "teacher",
    [
        {"training": "student_oriented", "lipschitz": 0, "consistency": 0.5},
        {"training": "student_friendly", "student": "largest", "conditioning": {"kl": 3}},
        {"training": "generic", "distribution": {"loss": "target_cost", "target": 0.2}},
        {"training": "generic", "network": "timm:resnet18", "weights": "DEFAULT"},
        {"network": "checkpoint:runs/a/teacher"},
    ],
)
def test_teachers_shaped_for_students(teacher: Mapping[str, Any]) -> None:
    config = parse_config({"teacher": teacher})
    assert parse_config(read_text(resolved_yaml(config), "resolved").content) == config


def test_no_teacher_goes_with_labels_alone() -> None:
    no_teacher = {"teacher": {"training": "none"}, "distill": {"methods": ["hard"]}}
    assert parse_config(no_teacher).teacher.training == "none"
    with pytest.raises(ConfigError, match="supernet.targets = 'teacher': there is no teacher"):
        parse_config({**no_teacher, "supernet": {"targets": "teacher"}})


def test_a_network_brought_along_is_used_as_it_is() -> None:
    config = parse_config({"teacher": {"training": "none", "network": "torchvision:resnet18"}})
    assert config.distill.methods == ("soften", "hard")


METHODS: list[tuple[Mapping[str, Any], str]] = [
    (
        {"methods": [{"method": ["soften+dist", "hint"], "weights": [1, 2]}]},
        "method: 'soften+dist' is a sum already; name its methods one by one",
    ),
    ({"methods": [{"method": ["soften", "dist"], "weights": [1]}]}, "weights: needs 2 numbers"),
    ({"methods": ["dist + hint", "dist+hint"]}, "named twice; remove one"),
    ({"knobs": [1]}, "distill.knobs = [1]: must be a section: keys with values below it"),
    (
        {"methods": ["multi_level"], "knobs": {"multi_level.views": [True]}},
        "distill.knobs.multi_level.views[0] = true: allowed: one of 1, 2, 4",
    ),
    (
        {"methods": ["lightskd"], "knobs": {"lightskd.drg": [1]}},
        "distill.knobs.lightskd.drg[0] = 1: allowed: one of false, true",
    ),
]


@pytest.mark.parametrize(("distill", "line"), METHODS)
def test_methods_that_do_not_fit(distill: Mapping[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"distill": distill})
    assert line in str(caught.value) and "\n" not in str(caught.value)


SUPERNETS: list[tuple[Mapping[str, Any], str]] = [
    ({"method": "softn"}, "supernet.method = 'softn': unknown method 'softn'; did you mean"),
    ({"others": "soften@wight=1"}, "supernet.others = 'soften@wight=1': method 'soften': unkn"),
    ({"method": "same"}, "supernet.method = 'same': unknown method 'same'"),
    (
        {"shrink": ["width", "dept"]},
        "supernet.shrink[1] = 'dept': did you mean 'depth'?",
    ),
    ({"sort_channels": True}, "supernet.sort_channels = true: sorts before smaller expan"),
    ({"policy": "sandwhich"}, "supernet.policy = 'sandwhich': "),
    ({"policy": "learned"}, "supernet.policy = 'learned': needs a distribution over paths"),
]


@pytest.mark.parametrize(("supernet", "line"), SUPERNETS)
def test_supernets_that_do_not_fit(supernet: Mapping[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"supernet": supernet})
    assert line in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("section", ["teacher", "supernet"])
def test_batches_are_shared_evenly_by_processes(section: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"processes": 4, section: {"batch_size": 126}})
    line = f"{section}.batch_size = 126: cannot be shared evenly by processes: 4; take a mult"
    assert line in str(caught.value)
    few = {"batch_size": 126}
    assert parse_config({"processes": 3, "teacher": few, "supernet": few}).processes == 3


def test_python_mappings_follow_the_same_rules() -> None:
    assert parse_config({"search": {"rungs": [0.5, 1]}}).search.rungs == (0.5, 1)
    assert parse_config({"data": {"root": Path("/a")}}).data.root == "/a"
    with pytest.raises(ConfigError, match="^job: data.siz: unknown key; did you mean 'size'"):
        parse_config({"data": {"siz": 8}}, source="job")
    with pytest.raises(ConfigError, match="a key must be text"):
        parse_config({"data": {3: 8}})
    with pytest.raises(ConfigError, match="<python>: a config is a mapping, got list"):
        parse_config([])  # type: ignore[arg-type]


def test_a_missing_or_unreadable_file_gives_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml: no such file or directory"):
        read_config(tmp_path / "no.yaml")
    with pytest.raises(ConfigError, match="is a directory"):
        read_config(tmp_path)
    (tmp_path / "run.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        read_config(tmp_path / "run.yaml")


def test_overrides_win_and_are_read_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(FULL)
    sets = [
        "search.trials=50",
        "budget={params: 1e3}",
        "search.rungs=[0.5, 1]",
        "distill.knobs.soften.temperature=[3]",
        "finalists.seeds=2",
        "teacher.finetune=",
        "search.trials=51",
    ]
    config = read_config(path, sets)
    assert (config.search.trials, config.search.rungs) == (51, (0.5, 1))
    assert config.budget.model_dump(exclude_none=True) == {"params": 1000}
    assert config.distill.knobs["soften.temperature"] == (3,)
    assert config.finalists.seeds == 2
    assert config.teacher.finetune is None


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("search.trials=0", "search.trials = 0: must be at least 1"),
        ("search.trails=5", "search.trails: unknown key; did you mean 'trials'?"),
        ("serch.trials=5", "serch: unknown key; did you mean 'search'?"),
        ("search.trials='5'", "search.trials = '5': must be a whole number; write it without"),
        ("seed.x=3", "seed is no section"),
        ("search={trials: 1, trials: 2}", "trials: given twice; remove one"),
        ("search.rungs=[0.1", "not YAML: "),
        ("seed", "must have the form a.b=value"),
        ("=3", "must have the form a.b=value"),
        (
            "search.rungs=[1, 0.1]",
            "search.rungs = [1, 0.1]: must be at least two and rise to 1",
        ),
    ],
)
def test_a_wrong_override_names_itself(tmp_path: Path, override: str, line: str) -> None:
    said = refusal(tmp_path, FULL, override)
    assert said.startswith(f"--set {override}: {line}")


def test_a_relative_path_is_taken_from_the_files_folder_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, current = tmp_path / "configs", tmp_path / "elsewhere"
    for folder in (beside / "images", current / "images", current / "downloads"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(current)
    own = "family: resnet\nmin_size: 8\nmax_size: 8\nchoices: {stage1.width: [2]}\n"
    (beside / "own.yaml").write_text(own)
    path = beside / "run.yaml"
    path.write_text(
        "data: {name: 'folder:images', root: downloads}\nspace: own.yaml\n"
        "teacher: {network: 'torchvision:resnet18', weights: none.pt}\n"
    )
    config = read_config(path)
    assert config.data.name == f"folder:{beside / 'images'}"
    assert config.data.root == str(current / "downloads")
    assert config.space == str(beside / "own.yaml")
    assert config.teacher.weights == str(current / "none.pt")
    (current / "run").mkdir()
    kept = read_config(path, ["teacher={network: 'checkpoint:run'}"])
    assert kept.teacher.network == f"checkpoint:{current / 'run'}"
    config = read_config(path, ["teacher.weights=DEFAULT"])
    assert config.teacher.weights == "DEFAULT"


def test_a_store_is_made_beside_the_file_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, current = tmp_path / "configs", tmp_path / "elsewhere"
    beside.mkdir(), current.mkdir()
    monkeypatch.chdir(current)
    path = beside / "run.yaml"
    path.write_text("store: shared\n")
    assert read_config(path).store == str(beside / "shared")
    assert read_config(path, ["store=shared"]).store == str(current / "shared")
    assert parse_config({"store": "shared"}).store == str(current / "shared")
    (current / "shared").mkdir()
    assert read_config(path).store == str(current / "shared"), "made there before"


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    found = [model]
    for field in model.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += models(kind)
    return found


def test_every_key_has_a_sentence() -> None:
    for model in (*models(Config), config_models.KnobRange):
        assert model.__doc__ and model.__doc__.endswith((".", ")."))
        for name, field in model.model_fields.items():
            is_section = isinstance(field.annotation, type) and issubclass(
                field.annotation, BaseModel
            )
            assert is_section or (field.description or "").endswith("."), f"{model}.{name}"


def annotation(section: str, key: str) -> Any:
    return getattr(networks, section).model_fields[key].annotation


TABLES = [
    ("kdsearch.engines", "ENGINES", config_models.Engine),
    ("kdsearch.supernet.policies", "POLICIES", config_models.Policy),
    ("kdsearch.search.study.mirror", "SAMPLERS", config_models.Sampler),
    ("kdsearch.data.augment", "AUGMENTS", config_models.Augment),
    ("kdsearch.teachers", "TEACHERS", networks.TeacherTraining),
    ("kdsearch.losses.conditioning", "DIRECTIONS", annotation("Conditioning", "direction")),
    ("kdsearch.losses.conditioning", "SIDES", annotation("Conditioning", "gradient")),
]


@pytest.mark.parametrize(("module", "table", "names"), TABLES)
def test_the_names_are_those_of_the_tables(module: str, table: str, names: Any) -> None:
    assert set(getattr(importlib.import_module(module), table)) == set(get_args(names))


SHORT = st.text(max_size=12)
POSITIVE = st.integers(1, 10**9)
LIMIT = st.floats(1e-9, 1e12) | POSITIVE | st.integers(1, 100).map(lambda n: f"{n}%")
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**32 - 1),
        "store": SHORT,
        "budget": st.dictionaries(st.sampled_from(COSTS), LIMIT),
        "latency": st.fixed_dictionaries({"within": st.none() | st.floats(1e-6, 0.99)})
        | st.lists(st.from_regex(TARGET_NAME, fullmatch=True), min_size=1, max_size=3)
        .filter(lambda names: len({name.casefold() for name in names}) == len(names))
        .map(lambda names: [{"name": name} for name in names]),
        "search": st.fixed_dictionaries(
            {"trials": POSITIVE}, optional={"rungs": st.just([1e-3, 1])}
        ),
        "distill": st.fixed_dictionaries(
            {"learning_rate": st.floats(1e-12, 1e6)},
            optional={"knobs": st.just({"soften.weight": {"low": 0.2, "high": 0.5}})},
        ),
        "teacher": st.fixed_dictionaries(
            {"network": st.just("torchvision:resnet18"), "taps": st.lists(SHORT) | st.none()},
            optional={
                "input": st.fixed_dictionaries({"mean": st.lists(st.floats(-1, 1))}),
                "finetune": st.just({}) | st.none(),
                "weights": SHORT.map(lambda text: f"{text}.pt"),
            },
        ),
    },
)


def test_the_sections_that_shape_a_teacher_default_to_its_own_numbers() -> None:
    """Written twice, as a config stops at the pipeline."""
    from kdsearch.teachers.conditioning import Conditioning
    from kdsearch.teachers.learning import ARCHITECTURE_LOSSES, Learning

    for section, own in (("conditioning", Conditioning()), ("distribution", Learning())):
        assert dict(getattr(Config().teacher, section)) == asdict(own)
    assert {"none", *ARCHITECTURE_LOSSES} == set(get_args(annotation("Distribution", "loss")))


@given(mapping=CONFIGS)
@settings(max_examples=40, deadline=None)
def test_the_resolved_yaml_reads_back_as_an_equal_config(mapping: dict[str, Any]) -> None:
    config = parse_config(mapping)
    text = resolved_yaml(config)
    assert parse_config(read_text(text, "resolved").content) == config
    assert max(len(line) for line in text.splitlines() if line.lstrip().startswith("#")) <= 96


def test_the_resolved_yaml_says_every_key(tmp_path: Path) -> None:
    text = resolved_yaml(parse_config({"teacher": {"network": "torchvision:a", "input": {}}}))
    path = tmp_path / "run.yaml"
    path.write_text(text)
    assert read_config(path).teacher.input == networks.Input()
    lines = [line.strip() for line in text.splitlines()]
    for model in models(Config):
        for name in model.model_fields:
            if model not in (networks.Finetune, networks.Training):
                assert any(line.startswith(f"{name}:") for line in lines), name
    above = lines[lines.index("trials: 40") - 1]
    assert above == "# How many candidates are tried; may be raised later, the search goes on."


def mutated(text: str, rng: random.Random) -> str:
    """The text after up to three small accidents."""
    scalars = (
        "",
        "0",
        "-1",
        "1e9",
        "true",
        "null",
        "x",
        "[",
        "{a: 1}",
        "'",
        '"\\x',
        "\t",
        "!!int x",
    )
    for _ in range(rng.randint(1, 3)):
        at, lines = rng.randrange(len(text)), text.splitlines()
        row = rng.randrange(len(lines))
        accidents = [
            text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
            text[:at] + rng.choice("{}[]:,#&*!|>'\"%@`-?\t\n\0\x85\u2028é~<=9. ") + text[at:],
            text[:at] + text[at + rng.randint(1, 9) :],
            "\n".join(lines[:row] + lines[row + 1 :]),
            "\n".join([*lines[:row], lines[row], *lines[row:]]),
            "\n".join(
                [
                    *lines[:row],
                    lines[row].partition(":")[0] + ": " + rng.choice(scalars),
                    *lines[row + 1 :],
                ]
            ),
        ]
        text = rng.choice(accidents) or "a: 1\n"
    return text


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_an_accident_in_the_text_reads_or_gives_one_line(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "accident.yaml"
    path.write_text(mutated(FULL, random.Random(seed)), encoding="utf-8")
    try:
        config = read_config(path)
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1
        assert str(error).startswith(f"{path}:")
    else:
        assert isinstance(config, Config)
