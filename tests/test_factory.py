"""The user's own functions, found by name."""

import sys
from pathlib import Path

import pytest

from kdsearch.errors import UserError
from kdsearch.factory import find_factory, source_of

SOURCE = "VALUE = 7\n\ndef make():\n    return VALUE\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a module in the working folder."""
    (tmp_path / "factories_of_tests").mkdir()
    (tmp_path / "factories_of_tests" / "__init__.py").write_text("")
    (tmp_path / "factories_of_tests" / "own.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    for name in [n for n in sys.modules if n.startswith("factories_of_tests")]:
        monkeypatch.delitem(sys.modules, name)
    return "factories_of_tests.own"


def test_a_function_of_the_working_folder(module: str) -> None:
    assert find_factory(f"{module}:make")() == 7
    assert sys.path.count(str(Path.cwd())) == 1
    find_factory(f"{module}:make")
    assert sys.path.count(str(Path.cwd())) == 1


def test_a_function_of_an_installed_package() -> None:
    assert find_factory("json:dumps")([1]) == "[1]"


@pytest.mark.parametrize("name", ["make", "own:", ":make", ""])
def test_a_name_without_both_parts_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="the form is module:pkg.mod:function"):
        find_factory(name)


def test_a_module_that_is_not_there_is_named(module: str) -> None:
    with pytest.raises(UserError, match="cannot import 'owm': ModuleNotFoundError"):
        find_factory("owm:make")


def test_a_module_that_fails_says_why(module: str, tmp_path: Path) -> None:
    (tmp_path / "factories_of_tests" / "bad.py").write_text("1 / 0\n")
    with pytest.raises(UserError, match="ZeroDivisionError: division by zero"):
        find_factory("factories_of_tests.bad:make")


def test_a_module_that_wants_to_leave_does_not_end_the_command(
    module: str, tmp_path: Path
) -> None:
    (tmp_path / "factories_of_tests" / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    with pytest.raises(UserError, match="cannot import .*leaves': SystemExit: 0"):
        find_factory("factories_of_tests.leaves:make")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("maek", "did you mean 'make'"),
        ("VALUE", "'VALUE' in module .* is int, which cannot be called"),
    ],
)
def test_a_function_that_is_not_there_gets_a_way_out(
    module: str, function: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        find_factory(f"{module}:{function}")


def test_the_source_is_the_text_of_the_file(module: str, tmp_path: Path) -> None:
    assert source_of(f"{module}:make") == SOURCE


def test_the_source_is_where_the_function_is_defined(module: str, tmp_path: Path) -> None:
    (tmp_path / "factories_of_tests" / "other.py").write_text(
        "from factories_of_tests.own import make\n"
    )
    assert source_of("factories_of_tests.other:make") == SOURCE


def test_what_has_no_file_is_its_name() -> None:
    assert source_of("time:sleep") == "time:sleep"
