"""Verb `watch`: what is served, to whom, and when the page is drawn anew."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from kdsearch.errors import RunError, UserError
from kdsearch.files import read_json, write_json
from kdsearch.pipeline import watch as module
from kdsearch.pipeline.watch import Watch, serve
from kdsearch.pipeline.watch_server import HOST, Server
from kdsearch.rundir import RunDir


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server of two words."""
    with Server(lambda: "<p>page</p>", lambda: {"line": "state"}, 0) as server:
        beside = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        beside.start()
        yield server.server_address[1]
        server.shutdown()
        beside.join()


def ask(
    port: int, path: str = "/", method: str = "GET", **headers: str
) -> tuple[HTTPResponse, str]:
    talk = HTTPConnection(HOST, port, timeout=20)
    named = {"Host": f"{HOST}:{port}"} | {n.replace("_", "-"): v for n, v in headers.items()}
    talk.request(method, path, headers=named)
    reply = talk.getresponse()
    text = reply.read().decode()
    talk.close()
    return reply, text


def test_it_listens_on_this_machine_alone(port: int) -> None:
    with socket.create_connection((HOST, port), timeout=5):
        pass
    assert HOST == "127.0.0.1"


def test_a_page_and_a_state_and_nothing_else(port: int) -> None:
    reply, text = ask(port)
    assert (reply.status, text) == (200, "<p>page</p>")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    reply, text = ask(port, "/state")
    assert (reply.status, json.loads(text)) == (200, {"line": "state"})
    for path in ("/run.json", "/../run.json", "/?x", "/state/", "/%2e%2e/run.json"):
        assert ask(port, path)[0].status == 404, path


def test_what_has_not_changed_is_not_sent_again(port: int) -> None:
    tag = ask(port, "/state")[0].headers["ETag"]
    reply, text = ask(port, "/state", If_None_Match=tag)
    assert (reply.status, text) == (304, "")
    assert ask(port, "/state", If_None_Match='"other"')[0].status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil"])
def test_another_name_of_this_machine_is_refused(port: int, host: str) -> None:
    reply, text = ask(port, Host=host)
    assert (reply.status, text) == (403, "403 Forbidden\n")


def test_localhost_is_a_name_of_it(port: int) -> None:
    assert ask(port, Host=f"localhost:{port}")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_nothing_but_get(port: int, method: str) -> None:
    assert ask(port, "/", method)[0].status == 501


def test_a_port_that_is_taken_is_one_line(port: int, copied: RunDir) -> None:
    with pytest.raises(UserError, match=f"^127.0.0.1:{port}: address already in use; name"):
        serve(Watch(copied), port, print)


def test_there_has_to_be_a_run(tmp_path: object) -> None:
    with pytest.raises(RunError, match="no run here"):
        Watch(RunDir(tmp_path / "none"))  # type: ignore[operator]


def test_a_run_that_has_not_begun_a_stage_has_a_page(copied: RunDir) -> None:
    for path in copied.root.iterdir():
        if path != copied.config and path.is_file():
            path.unlink()
    watch = Watch(copied)
    assert "This run has no student yet." in watch.page()
    assert watch.state()["line"].startswith("nobody is at work")


def test_it_is_drawn_anew_where_files_change_and_seldom(
    copied: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, drawn = [0.0], []

    def slow(run: RunDir, mark: str) -> str:
        drawn.append(mark)
        now[0] += 2.0
        return f"<p>{mark}</p>"

    monkeypatch.setattr(module, "drawn", slow)
    watch = Watch(copied, clock=lambda: now[0])
    first = watch.page()
    assert watch.page() == first and len(drawn) == 1
    write_json(copied.ledger, {**read_json(copied.ledger), "more": 1})
    now[0] += 100
    assert watch.page() == first, "seconds alone are no news"
    write_json(copied.front, {**read_json(copied.front), "more": 1})
    second = watch.page()
    assert second != first and watch.state()["page"] in second
    write_json(copied.front, {**read_json(copied.front), "more": 2})
    now[0] += 19.9
    assert watch.page() == second, "ten times as long as drawing takes"
    now[0] += 0.2
    assert watch.page() != second and len(drawn) == 3


def test_a_damaged_file_is_named_and_the_watch_goes_on(copied: RunDir) -> None:
    watch = Watch(copied, clock=lambda: 0.0)
    whole = copied.front.read_text()
    copied.front.write_text('{"points": ')
    assert "not whole JSON" in watch.page()
    copied.front.write_text(whole)
    assert "students on the front" in watch.page()


@pytest.mark.slow
def test_ctrl_c_ends_it_without_a_word_of_error(copied: RunDir) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        free = taken.getsockname()[1]
    words = [sys.executable, "-m", "kdsearch", "watch", str(copied.root), "--port", str(free)]
    begun = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert begun.stdout is not None
    assert begun.stdout.readline() == f"http://127.0.0.1:{free}/ (Ctrl-C ends it)\n"
    assert ask(free, "/state")[0].status == 200
    begun.send_signal(signal.SIGINT)
    _, err = begun.communicate(timeout=60)
    assert (begun.returncode, err) == (0, "")


@pytest.mark.slow
def test_it_follows_a_run_that_is_under_way(
    tiny: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A run in a process of its own, looked at from beside it."""
    config, out = tmp_path / "c.yaml", tmp_path / "run"
    config.write_text(yaml.safe_dump(tiny(store=str(tmp_path / "store"))))
    words = [sys.executable, "-m", "kdsearch", "run", str(config), "--out", str(out)]
    begun = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while begun.poll() is None and not (out / "run.json").exists():
        time.sleep(0.05)
    watch, lines, pages = Watch(RunDir(out), clock=lambda: 0.0), set(), []
    with Server(watch.page, watch.state, 0) as server:
        beside = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        beside.start()
        port, shown = server.server_address[1], ""
        while begun.poll() is None:
            state = json.loads(ask(port, "/state")[1])
            lines.add(state["line"].partition(":")[0])
            if state["page"] != shown:
                pages.append(ask(port)[1])
                shown = state["page"]
            time.sleep(0.2)
        last = ask(port)[1]
        server.shutdown()
        beside.join()
    assert begun.stderr is not None
    assert begun.returncode == 0, begun.stderr.read()
    assert {"search", "teacher"} & lines, lines
    assert len(pages) > 2 and "students on the front" not in pages[0]
    assert "students on the front" in last and RunDir(out).front.exists()
    for one in pages:
        assert one.startswith("<!doctype html>") and "Traceback" not in one
