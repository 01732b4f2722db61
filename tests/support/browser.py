"""A real browser for tests: Debian's Chromium, driven through chromedriver; pictures of what it really shows."""

from __future__ import annotations

import io
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from tests.support.camera import Camera
from tests.support.waiting import wait_for
from vv_core.process import end_session

CHROMIUM = "chromium"
DRIVER = "chromedriver"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # What a kiosk sets too; a headless window counts as covered.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-background-media-suspend",
)
STRICT_AUTOPLAY = "--autoplay-policy=document-user-activation-required"
"""What a TV does: sound needs a viewer's click. Headless drivers allow it all otherwise."""
_PAGE_LOAD_S = 30
_KILL_AFTER_S = 2.0
_GONE_S = 10.0
_POLL_S = 0.1
_Seen = TypeVar("_Seen")

requires_browser = pytest.mark.skipif(
    shutil.which(CHROMIUM) is None or shutil.which(DRIVER) is None,
    reason="no Chromium here: apt-get install chromium chromium-driver",
)
"""Beside the marker ``browser``, on every module that starts one."""


class Browser:
    """One browser with one window.

    Attributes:
        driver: Selenium's, for what is not here.
    """

    def __init__(self, driver: webdriver.Chrome, camera: Camera) -> None:
        self.driver = driver
        self._camera = camera

    @property
    def devtools(self) -> str:
        """HOST:PORT where its DevTools listen."""
        return self._camera.address

    def open(self, url: str) -> None:
        """Go to a page and wait for its ``load``."""
        self.driver.get(url)

    def evaluate(self, script: str, *arguments: Any) -> Any:
        """Run the body of a function in the page and return what it returns; a promise is awaited."""
        return self.driver.execute_script(script, *arguments)

    def cdp(self, command: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol to the page."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(command, parameters)
        return answer

    def screenshot(self) -> Image.Image:
        """Return what is on screen now, RGB."""
        picture = self._camera.take(self.driver.current_window_handle)
        return Image.open(io.BytesIO(picture)).convert("RGB")

    def resize(self, width: int, height: int) -> None:
        """Give the page a screen of so many pixels."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def slow_network(self, bytes_per_s: int, latency_ms: int) -> None:
        """Let everything that the page loads take its time; -1 and 0 for the real speed."""
        self.cdp("Network.enable")
        self.cdp(
            "Network.emulateNetworkConditions",
            offline=False,
            latency=latency_ms,
            downloadThroughput=bytes_per_s,
            uploadThroughput=bytes_per_s,
        )

    def before_each_page(self, script: str) -> str:
        """Run a script before those of every page from now on; return what `forget_script` takes."""
        told = self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)
        return str(told["identifier"])

    def forget_script(self, identifier: str) -> None:
        """Undo `before_each_page`."""
        self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=identifier)

    def set_frozen(self, *, frozen: bool) -> None:
        """Freeze the page as a browser does with tabs that it needs no more, or wake it."""
        self.cdp("Page.setWebLifecycleState", state="frozen" if frozen else "active")

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Put another tab in front for a while."""
        first = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        try:
            yield
        finally:
            self.driver.close()
            self.driver.switch_to.window(first)

    def console(self) -> list[str]:
        """Return what the page has said on its console since the last call."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    def resident_bytes(self) -> int:
        """Return the memory of all of its processes, shared pages split between them (PSS)."""
        profile = self.driver.capabilities["chrome"]["userDataDir"]
        numbers = set(_find_processes(profile))
        parents = _read_parents()
        while more := {child for child, parent in parents.items() if parent in numbers} - numbers:
            numbers |= more
        return sum(map(_read_pss, numbers))

    def wait_for(self, look: Callable[[], _Seen], what: str) -> _Seen:
        """Look until something true comes, and return it.

        Raises:
            AssertionError: it did not come.
        """
        return wait_for(look, lambda: f"{what}; console {self.console()}", _POLL_S)


@contextmanager
def start_browser(
    size: tuple[int, int] = (1280, 720), flags: Sequence[str] = ()
) -> Iterator[Browser]:
    """Yield a browser with a fresh profile; nothing of it is left afterwards.

    Args:
        size: of the screen, pixels.
        flags: more of Chromium's.
    """
    service = Service(shutil.which(DRIVER), popen_kw={"start_new_session": True})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = shutil.which(CHROMIUM) or CHROMIUM
        for flag in (*_FLAGS, f"--user-data-dir={profile}", *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        try:
            driver = webdriver.Chrome(options, service)
            driver.set_page_load_timeout(_PAGE_LOAD_S)
            driver.set_script_timeout(_PAGE_LOAD_S)
            address = driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
            with closing(Camera(address)) as camera:
                browser = Browser(driver, camera)
                browser.resize(*size)
                yield browser
        finally:
            _end(service, profile)


def _end(service: Service, profile: str) -> None:
    """End the driver and all of Chromium's processes that name the profile; the others end with those."""
    child = service.process
    if child is not None:
        end_session(child, _KILL_AFTER_S)
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                stream.close()
    deadline = time.monotonic() + _GONE_S
    while (left := list(_find_processes(profile))) and time.monotonic() < deadline:
        for number in left:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(_POLL_S)


def _find_processes(profile: str) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"--user-data-dir={profile}".encode() in path.read_bytes():
                yield int(path.parent.name)
        except OSError:
            continue


def _read_parents() -> dict[int, int]:
    """Return each process's parent."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return parents


def _read_pss(number: int) -> int:
    try:
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
