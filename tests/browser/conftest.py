"""A real Chromium without a window, driven through chromedriver (W3C WebDriver over HTTP)."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

NEEDED = "KDSEARCH_NEEDS_CHROMIUM"
"""Set to 1 where a missing browser is a failure: in continuous integration."""
MISSING = (
    "no Chromium with its chromedriver on PATH: what the page does in a browser is NOT tested; "
    "on Debian: apt-get install chromium chromium-driver"
)
CHROMIUM, DRIVER = ("chromium", "chromium-browser", "google-chrome"), "chromedriver"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ask = build_opener(ProxyHandler({})).open
"""Past any proxy: everything is on this machine."""


class Driver:
    """One chromedriver and one browser."""

    def __init__(self, chromium: str, driver: str, folder: Path) -> None:
        port = free_port()
        environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._log = (folder / "chromedriver.log").open("wb")
        self._process = subprocess.Popen(
            [driver, f"--port={port}"],
            env=environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._root = f"http://127.0.0.1:{port}"
        self._session = ""
        try:
            self._wait_until_up()
            self._session = "/session/" + self._begin(chromium, folder)
        except BaseException:
            self.close()
            raise

    def _wait_until_up(self) -> None:
        for _ in range(200):
            try:
                if self.call("GET", "/status")["ready"]:
                    return
            except (URLError, ConnectionError):
                time.sleep(0.05)
        raise AssertionError(f"chromedriver does not answer; see {self._log.name}")

    def _begin(self, chromium: str, folder: Path) -> str:
        words = [
            "--headless=new",
            f"--user-data-dir={folder / 'profile'}",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
        ]
        words += ["--no-sandbox"] if os.geteuid() == 0 else []
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": chromium, "args": words},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        begun = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        return str(begun["sessionId"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(
            f"{self._root}{self._session}{path}",
            data,
            {"Content-Type": "application/json"},
            method=method,
        )
        try:
            with ask(request, timeout=120) as reply:
                return json.load(reply)["value"]
        except HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def close(self) -> None:
        """Also of a browser that does not answer any more."""
        try:
            if self._session:
                self.call("DELETE", "")
        finally:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._log.close()


class Browser:
    """What a reader does with a page."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def open(self, address: str | Path) -> None:
        self.log("browser"), self.log("performance")  # those of the page before
        where = address.resolve().as_uri() if isinstance(address, Path) else address
        self._driver.call("POST", "/url", {"url": where})

    def run(self, code: str, *values: Any) -> Any:
        """What the function body `code` returns, run in the page."""
        return self._driver.call("POST", "/execute/sync", {"script": code, "args": values})

    def find(self, selector: str) -> str:
        found = self._driver.call(
            "POST", "/element", {"using": "css selector", "value": selector}
        )
        return str(found[ELEMENT])

    def click(self, selector: str) -> None:
        self._driver.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector: str, keys: str) -> None:
        """Into the element, which takes the focus; keys as WebDriver names them."""
        self._driver.call("POST", f"/element/{self.find(selector)}/value", {"text": keys})

    def press(self, keys: str) -> None:
        """Keys on the keyboard, wherever the focus is."""
        actions = [
            {"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")
        ]
        self.act({"type": "key", "id": "keyboard", "actions": actions})

    def act(self, *sources: Any) -> None:
        self._driver.call("POST", "/actions", {"actions": list(sources)})
        self._driver.call("DELETE", "/actions")

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).innerText", selector))

    def all(self, selector: str, attribute: str) -> list[str]:
        code = "return [...document.querySelectorAll(arguments[0])].map((e) => e[arguments[1]])"
        code = code.replace("e[arguments[1]]", "e.getAttribute(arguments[1])")
        found: list[str] = self.run(code, selector, attribute)
        return found

    def log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._driver.call("POST", "/se/log", {"type": kind})
        return found

    def requests(self) -> list[str]:
        """Addresses that were asked for since the page was opened, without its own."""
        messages = [json.loads(one["message"])["message"] for one in self.log("performance")]
        sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [
            one["request"]["url"]
            for one in sent
            if one.get("type") != "Document" and not one["request"]["url"].startswith("data:")
        ]

    def complaints(self) -> list[str]:
        """Errors and warnings of the console since the page was opened."""
        bad = ("SEVERE", "WARNING")
        return [one["message"] for one in self.log("browser") if one["level"] in bad]

    def size(self, width: int, height: int) -> None:
        """Of what is seen of a page, in its own pixels."""
        self._driver.call(
            "POST",
            "/goog/cdp/execute",
            {
                "cmd": "Emulation.setDeviceMetricsOverride",
                "params": {
                    "width": width,
                    "height": height,
                    "deviceScaleFactor": 1,
                    "mobile": width < 600,
                },
            },
        )

    def likes(self, scheme: str) -> None:
        """light or dark: what the reader's system asks for."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._driver.call(
            "POST",
            "/goog/cdp/execute",
            {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}},
        )

    def picture(self, path: Path) -> None:
        """The whole page, for a person who looks at what a test saw."""
        found = self._driver.call(
            "POST",
            "/goog/cdp/execute",
            {"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": True}},
        )
        path.write_bytes(base64.b64decode(found["data"]))

    def until(self, said: Callable[[], Any], *, seconds: float = 20) -> Any:
        """What `said` returns once that is true."""
        end = time.monotonic() + seconds
        while not (found := said()):
            assert time.monotonic() < end, "not within the time"
            time.sleep(0.1)
        return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    chromium = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    driver = shutil.which(DRIVER)
    if chromium is None or driver is None:
        if os.environ.get(NEEDED) == "1":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    begun = Driver(chromium, driver, tmp_path_factory.mktemp("chromium"))
    yield begun
    begun.close()


@pytest.fixture
def browser(driver: Driver) -> Browser:
    """As a desktop that likes it light, with nothing kept of the test before."""
    fresh = Browser(driver)
    fresh.size(1280, 900)
    fresh.likes("light")
    return fresh
