"""optuna-dashboard opens our journal, and cannot write it."""

import io
import json
import sys
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from kdsearch.errors import UserError
from kdsearch.search.study.dashboard import serve, shown
from kdsearch.search.trial import Trial


@pytest.fixture
def searched(world: Any) -> list[Trial]:
    """Of a small search."""
    found: list[Trial] = world.having(trials=6).run()
    return found


def asked(app: Any, path: str, method: str = "GET") -> tuple[str, Any]:
    """Status and JSON that the dashboard answers."""
    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method}
    setup_testing_defaults(environ)
    environ["wsgi.errors"] = io.StringIO()
    said: list[str] = []
    body = b"".join(app(environ, lambda status, headers, info=None: said.append(status)))
    return said[0], json.loads(body) if said[0] == "200 OK" else None


@pytest.fixture
def app(world: Any, searched: Any) -> Any:
    dashboard = pytest.importorskip(
        "optuna_dashboard", reason="needs pip install 'kdsearch[dashboard]'"
    )
    return dashboard.wsgi(shown(world.journal))


def test_it_lists_our_study_and_its_trials(app: Any, searched: list[Trial]) -> None:
    status, content = asked(app, "/api/studies")
    assert status == "200 OK"
    (study,) = content["study_summaries"]
    assert study["study_name"] == "kdsearch"
    assert study["directions"] == ["maximize", "minimize"]
    status, content = asked(app, f"/api/studies/{study['study_id']}")
    assert status == "200 OK" and len(content["trials"]) == 6
    states = {"complete": "Complete", "stopped": "Pruned", "failed": "Fail"}
    for trial, row in zip(searched, content["trials"], strict=True):
        assert (row["number"], row["state"]) == (trial.number, states[trial.state])
        method = {p["name"]: p["param_external_value"] for p in row["params"]}["method"]
        assert method == trial.candidate.recipe.method
        if trial.state == "complete":
            assert row["values"] == list(trial.scores[trial.rung])


def test_what_is_clicked_there_is_not_kept(app: Any, world: Any) -> None:
    before = world.journal.read_bytes()
    status, _ = asked(app, "/api/studies/0", "DELETE")
    assert not status.startswith("2")
    assert world.journal.read_bytes() == before and len(world.trials()) == 6


def test_it_listens_on_the_loopback(
    world: Any, searched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[Any] = []
    server = type(sys)("optuna_dashboard")
    server.run_server = lambda storage, host, port: asked_for.append((host, port))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "optuna_dashboard", server)
    serve(world.journal, 8080)
    assert asked_for == [("127.0.0.1", 8080)]

    def taken(storage: object, host: str, port: int) -> None:
        raise OSError(98, "Address already in use")

    server.run_server = taken  # type: ignore[attr-defined]
    with pytest.raises(UserError) as caught:
        serve(world.journal, 80)
    line = "127.0.0.1:80: address already in use; name another port with --port"
    assert str(caught.value) == line


def test_without_the_extra_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    with pytest.raises(UserError) as caught:
        serve(tmp_path / "study.journal", 8080)
    line = "optuna-dashboard is not installed; pip install 'kdsearch[dashboard]'"
    assert str(caught.value) == line
