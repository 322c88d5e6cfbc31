"""The page that `kdsearch watch` serves, in a browser, while a run goes on."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from kdsearch.files import read_json, write_json
from kdsearch.pipeline.watch import Watch
from kdsearch.pipeline.watch_server import Server
from kdsearch.rundir import RunDir

MOVE = """
const slider = document.querySelector('[data-bound=macs] input[type=range]');
slider.value = 50;
slider.dispatchEvent(new Event("input", { bubbles: true }));
return document.querySelector('[data-bound=macs] input[type=text]').value;
"""
SHOWN = "return document.querySelectorAll('#decide .candidate').length"


@pytest.fixture
def address(copied: RunDir) -> Iterator[str]:
    """Of the copied run's page, drawn anew whenever a file is another."""
    watch = Watch(copied, clock=lambda: 0.0)
    with Server(watch.page, watch.state, 0) as server:
        beside = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        beside.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        beside.join()


def test_the_page_follows_the_run_and_keeps_the_sliders(
    browser: Any, address: str, copied: RunDir
) -> None:
    front = read_json(copied.front)
    first = {**front, "points": front["points"][:2]}
    write_json(copied.front, first)
    browser.open(address)
    assert browser.run(SHOWN) == 2
    text = browser.run(MOVE)
    browser.run("document.querySelector('#card-1').open = true; document.body.dataset.mine = 1")
    write_json(copied.front, front)
    browser.until(lambda: browser.run(SHOWN) == len(front["points"]))
    field = "return document.querySelector('[data-bound=macs] input[type=text]').value"
    assert browser.run(field) == text
    assert browser.run("return document.querySelector('#card-1').open")
    assert browser.run("return document.body.dataset.mine") == "1", "not loaded anew"
    assert browser.complaints() == []
    assert {one.removeprefix(address) for one in browser.requests()} <= {"state", ""}


def test_it_tells_how_far_the_run_is(browser: Any, address: str, copied: RunDir) -> None:
    browser.open(address)
    line = "return document.querySelector('#now span').textContent"
    browser.until(lambda: "nobody is at work" in browser.run(line))
    beat = {"task": "search", "done": 3, "total": 8, "note": "", "since": 0.0, "updated": 0.0}
    with copied.writing():
        write_json(copied.progress, beat)
        browser.until(lambda: "search: 3 of 8" in browser.run(line))
        assert browser.run("return document.querySelector('#now progress').value") == 3


def test_before_the_front_it_shows_the_search_so_far(
    browser: Any, address: str, copied: RunDir
) -> None:
    browser.open(address)
    assert browser.run("return document.querySelector('.command') !== null")
    copied.front.unlink()
    verdict = "return document.querySelector('#decide .verdict').textContent"
    browser.until(lambda: "so far" in browser.run(verdict))
    names = browser.all("#decide .candidate", "data-student")
    assert names and all(name.startswith("trial ") for name in names)
    assert browser.run("return document.querySelector('.command') === null"), (
        "not to be had yet"
    )
    text = browser.run(MOVE)
    within = browser.all("#decide .candidate.within", "data-student")
    assert text and 0 < len(within) < len(names)


def test_it_says_when_the_watch_has_ended(browser: Any, copied: RunDir) -> None:
    watch = Watch(copied)
    with Server(watch.page, watch.state, 0) as server:
        beside = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        beside.start()
        browser.open(f"http://127.0.0.1:{server.server_address[1]}/")
        server.shutdown()
        beside.join()
    line = "return document.querySelector('#now span').textContent"
    browser.until(lambda: "ended" in browser.run(line))
