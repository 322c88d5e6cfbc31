"""A manifest becomes checked cells with short names; what is wrong is told by its line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdsearch.config import read_config
from kdsearch.config.manifest import Batch, fixed, is_manifest, read_manifest
from kdsearch.config.product import NAME, short_names
from kdsearch.errors import ConfigError

Read = Callable[..., Batch]
PRODUCT = """\
base: {search: {trials: 4}, supernet: {epochs: 2}}
cross:
  data: [{name: digits}, {name: digits, limit: 100}]
  teachers: [plain, {training: generic, epochs: 3}]
  spaces: [resnet-tiny]
  devices: [{runtime: onnxruntime, threads: 1}, eager]
  budgets: [{}, {latency_ms: 50%, params: 20%}]
cells:
- {name: big, set: {search.trials: 80, supernet: {epochs: 9}}}
- {name: plainer, set: {seed: 5}}
parallel: 2
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str, *overrides: str) -> Batch:
        path = tmp_path / "many.yaml"
        path.write_text(text)
        return read_manifest(path, overrides)

    return reading


def test_every_combination_is_a_cell_and_ones_own_stand_beside_it(read: Read) -> None:
    batch = read(PRODUCT)
    assert batch.parallel == 2
    names = [cell.name for cell in batch.cells]
    assert len(names) == 2 * 2 * 1 * 2 * 2 + 2
    assert names[:2] == [
        "digits--plain--resnet-tiny--onnxruntime--base",
        "digits--plain--resnet-tiny--onnxruntime--latency_ms-50pct-params-20pct",
    ]
    assert names[-3:] == [
        "digits-limit-100--generic--resnet-tiny--eager--latency_ms-50pct-params-20pct",
        "big",
        "plainer",
    ]
    configs = {cell.name: cell.config for cell in batch.cells}
    last = configs[names[-3]]
    assert (last.data.name, last.data.limit, last.space) == ("digits", 100, "resnet-tiny")
    assert (last.teacher.training, last.teacher.epochs) == ("generic", 3)
    assert (last.latency.runtime, last.budget.latency_ms) == ("eager", "50%")
    assert (last.search.trials, last.supernet.epochs) == (4, 2)
    assert (configs["big"].search.trials, configs["big"].supernet.epochs) == (80, 9)
    assert configs["plainer"].search.trials == 4
    assert dict(batch.cells[-1].choices) == {}
    assert batch.cells[0].choices["devices"] == "onnxruntime"


def test_an_entry_is_laid_over_the_bases_section_key_by_key(read: Read) -> None:
    text = "base: {teacher: {training: generic, epochs: 7, conditioning: {ce: 0.5}}}\n"
    text += "cross: {teachers: [{conditioning: {kl: 2}}, {width: 2}]}"
    first, second = (cell.config.teacher for cell in read(text).cells)
    assert (first.epochs, first.conditioning.ce, first.conditioning.kl) == (7, 0.5, 2)
    assert (second.epochs, second.width, second.conditioning.ce) == (7, 2, 0.5)
    assert second.conditioning.kl != 2


def test_overrides_win_in_every_cell(read: Read) -> None:
    batch = read("cross: {budgets: [{params: 20%}, {macs: 5}]}", "seed=4", "budget.macs=7")
    assert [cell.config.seed for cell in batch.cells] == [4, 4]
    assert [cell.config.budget.macs for cell in batch.cells] == [7, 7]


def test_a_base_file_has_its_paths_from_its_own_folder(read: Read, tmp_path: Path) -> None:
    (tmp_path / "base" / "birds").mkdir(parents=True)
    (tmp_path / "own").mkdir()
    (tmp_path / "base" / "run.yaml").write_text("data: {name: 'folder:birds'}\nseed: 3")
    one, two = read("base: base/run.yaml\ncross: {data: [{size: 32}, 'folder:own']}").cells
    assert one.config.data.name == f"folder:{tmp_path / 'base' / 'birds'}"
    assert two.config.data.name == f"folder:{tmp_path / 'own'}"
    assert (one.name, two.name, one.config.seed) == ("size-32", "own", 3)


def test_a_manifest_is_told_from_a_config(tmp_path: Path) -> None:
    config, manifest = tmp_path / "run.yaml", tmp_path / "many.yaml"
    config.write_text("search: {trials: 3}")
    manifest.write_text(PRODUCT)
    assert is_manifest(manifest) and not is_manifest(config)
    assert read_config(config).search.trials == 3


WRONG = {
    "nothing": ("base: {}", "many.yaml:1:1: no cells; `cross` makes a product, `cells` lists"),
    "a typo": ("crss: {}", "many.yaml:1:1: crss: unknown key; did you mean 'cross'?"),
    "an axis": (
        "cross:\n  device: [eager]",
        "many.yaml:2:3: cross.device: unknown key; did you mean 'devices'?",
    ),
    "of a config": (
        "search: {trials: 3}",
        "many.yaml:1:1: search: unknown key; it is of a config: put it below base, "
        "'base: {search: …}'",
    ),
    "of a cell": (
        "cells:\n- {nname: a, name: b}",
        "many.yaml:2:4: cells[0].nname: unknown key; did you mean 'name'?",
    ),
    "no name": (
        "cells: [{set: {seed: 1}}]",
        "many.yaml:1:9: cells[0] = {set: {seed: 1}}: 'name'",
    ),
    "no section": (
        "cross:\n  budgets: [20%]",
        "many.yaml:2:13: cross.budgets[0] = '20%': must be keys in braces, for example "
        "{params: 20%}",
    ),
    "a number": (
        "cross: {data: [5]}",
        "many.yaml:1:16: cross.data[0] = 5: must be keys in braces, {name: digits}, or a name",
    ),
    "a value": (
        "cross:\n  data: [digits]\n  devices:\n  - {runtime: eager, threads: 0}",
        "many.yaml:4:31: latency.threads = 0: must be at least 1 (cell 'digits--eager')",
    ),
    "a key": (
        "cells:\n- name: a\n  set: {search.trails: 5}",
        "many.yaml:3:9: search.trails: unknown key; did you mean 'trials'? (cell 'a')",
    ),
    "a name alone": (
        "cross: {teachers: [plainn]}",
        "many.yaml:1:20: teacher.training = 'plainn': unknown; did you mean 'plain'? "
        "(cell 'plainn')",
    ),
    "in the base": (
        "base: {space: resnet-tny}\ncross: {budgets: [{}]}",
        "many.yaml:1:15: space = 'resnet-tny': no search space 'resnet-tny'; "
        "did you mean 'resnet-tiny'? (cell 'base')",
    ),
    "a base file": (
        "base: there.yaml\ncells: [{name: a}]",
        "many.yaml:1:7: base = 'there.yaml': no such file; a path is taken from the manifest's",
    ),
    "a folder": (
        "cells: [{name: ../a}]",
        "many.yaml:1:16: cells[0].name = '../a': must be a folder's name: letters, digits "
        "and . _ + -, not first a dot",
    ),
    "twice": (
        "cells: [{name: a}, {name: A, set: {seed: 2}}]",
        "many.yaml:1:20: cells[1] = {name: 'A', set: {seed: 2}}: there is a cell 'a' already; "
        "rename it",
    ),
    "the same": (
        "cross: {spaces: [resnet-tiny]}\ncells: [{name: a}]",
        "many.yaml:2:9: cells[0] = {name: 'a'}: cell 'a' is the same as cell 'resnet-tiny'; "
        "remove one",
    ),
    "parallel": (
        "parallel: 0\ncells: [{name: a}]",
        "many.yaml:1:11: parallel = 0: must be at least 1",
    ),
}


@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_in_one_line(
    read: Read, text: str, line: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    told = str(caught.value).removeprefix(f"{tmp_path}/")
    assert told.startswith(line) and "\n" not in told


def test_a_mistake_in_the_base_file_is_told_by_its_line(read: Read, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("seed: 1\nsearch: {trials: 0}")
    with pytest.raises(ConfigError, match=r"run\.yaml:2:18: search\.trials = 0: must be at"):
        read("base: run.yaml\ncells: [{name: a}]")


def test_a_manifest_is_no_base_of_another(read: Read) -> None:
    with pytest.raises(ConfigError, match=r"base = 'many\.yaml': is a manifest, not a config"):
        read("base: many.yaml\ncells: [{name: a}]")


def test_a_store_lies_where_its_file_does(read: Read, tmp_path: Path) -> None:
    """The base's, the manifest's, and the current folder with --set."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "run.yaml").write_text("store: shared")
    text = "base: base/run.yaml\ncells: [{name: a}, {name: b, set: {store: own}}]"
    stores = [tmp_path / "base" / "shared", tmp_path / "own"]
    assert [cell.config.store for cell in read(text).cells] == list(map(str, stores))
    (one,) = read("cells: [{name: a}]", "store=here").cells
    assert one.config.store == str(Path("here").absolute())


def test_many_cells_are_told_apart_soon() -> None:
    alike = [{"a": 1, "b": {"c": (1, "x")}}, {"b": {"c": [1.0, "x"]}, "a": 1}]
    assert fixed(alike[0]) == fixed(alike[1])
    assert fixed({"a": {"b": 1}}) != fixed({"a": {"c": 1}})
    assert len({fixed({"a": n}) for n in range(1000)}) == 1000


def test_an_entrys_name_stays_when_others_come_after_it() -> None:
    entries = ["folder:a/birds", "folder:b/birds", {"name": "folder:c/birds", "size": 8}]
    entries += ["folder:d/birds", "module:pkg.mod:flowers", {}]
    names = ["birds", "birds-2", "birds-size-8", "birds-3", "flowers", "base"]
    assert short_names("data", entries) == names  # type: ignore[arg-type]
    assert short_names("data", entries[:2]) == names[:2]  # type: ignore[arg-type]


@given(st.lists(st.one_of(st.text(), st.dictionaries(st.text(), st.text())), max_size=6))
def test_names_are_unique_and_safe_as_folders(entries: list[str | dict[str, str]]) -> None:
    names = short_names("data", entries)
    assert len({name.casefold() for name in names}) == len(entries)
    assert all(NAME.fullmatch(name) for name in names)
