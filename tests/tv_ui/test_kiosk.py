"""The kiosk's script with a browser and a box that stand in for the real ones; its unit as systemd sees it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from tests.tv_ui import boxes
from tv_ui.app import create_app
from vv_core.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
KIOSK = ROOT / "deploy" / "kiosk"
BROWSER = """#!/bin/sh
printf '%s\\n' "$*" >>"$STARTS"
trap 'exit 0' TERM
while :; do sleep 0.1; done
"""

pytestmark = pytest.mark.integration


class Box:
    """A box of which only the answers matter here."""

    def __init__(self) -> None:
        self.answers = True
        self.told = '{"tvs":[{"tv":"tv2","trouble":""}]}'
        self.asked: list[str] = []


@contextmanager
def listening(box: Box, port: int = 0) -> Iterator[int]:
    """Answer for the box."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            box.asked.append(self.path)
            body = box.told.encode() if self.path.startswith("/tvs") else b"{}"
            self.send_response(200 if box.answers else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


class Kiosk:
    """The script while it runs."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        self.starts_file = folder / "starts"
        browser = folder / "browser"
        browser.write_text(BROWSER)
        browser.chmod(0o755)
        self.folder = folder
        own = {
            "VV_KIOSK_SERVER": f"http://127.0.0.1:{port}/",
            "VV_KIOSK_TV": "tv2",
            "VV_KIOSK_BROWSER": str(browser),
            "VV_KIOSK_LOOK_SECONDS": "0.2",
            "VV_KIOSK_GRACE_SECONDS": "0",
            "VV_KIOSK_STATE": str(folder / "state"),
            "STARTS": str(self.starts_file),
        }
        kept = {name: os.environ[name] for name in ("PATH",)}
        self.process = subprocess.Popen(
            ["bash", str(KIOSK / "vv-kiosk.sh")],
            env={**kept, "HOME": str(folder), **own, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def starts(self) -> list[str]:
        return self.starts_file.read_text().splitlines() if self.starts_file.exists() else []

    def end(self) -> str:
        self.process.terminate()
        output, _ = self.process.communicate(timeout=60)
        return output


@contextmanager
def running(folder: Path, port: int, **settings: str) -> Iterator[Kiosk]:
    folder.mkdir(exist_ok=True)
    kiosk = Kiosk(folder, port, **settings)
    try:
        yield kiosk
    finally:
        if kiosk.process.poll() is None:
            os.killpg(kiosk.process.pid, signal.SIGKILL)
        kiosk.process.communicate(timeout=60)


def browsers(kiosk: Kiosk) -> list[str]:
    """Return the browsers of a kiosk that run."""
    return processes(f"{kiosk.folder}/browser")


def processes(words: str) -> list[str]:
    """Return the processes whose command line has these words."""
    found = subprocess.run(["pgrep", "-f", words], capture_output=True, text=True, check=False)
    return found.stdout.split()


def test_it_shows_the_tv_by_a_name_that_stays(tmp_path: Path) -> None:
    box = Box()
    screens = set()
    with listening(box) as port:
        for number in (1, 2):
            with running(tmp_path / "kiosk", port, VV_KIOSK_FLAGS="--one --two") as kiosk:
                while len(kiosk.starts()) < number:
                    time.sleep(0.05)
                kiosk.end()
                assert kiosk.process.returncode == 0
                assert browsers(kiosk) == []
            start = kiosk.starts()[-1]
            assert "--kiosk --autoplay-policy=no-user-gesture-required" in start
            assert "--one --two http" in start
            url = start.split()[-1]
            assert url.startswith(f"http://127.0.0.1:{port}/tv.html?tv=tv2&lang=pt-BR&screen=")
            screens.add(url.rpartition("=")[2])
    (screen,) = screens
    assert len(screen) == 16


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_real_browser_speaks_to_the_box_by_the_name_that_its_watchdog_knows(
    tmp_path: Path,
) -> None:
    app = create_app(boxes.new_box(tmp_path / "box").settings, SystemClock())
    flags = (
        "--headless=new --no-sandbox --disable-gpu --disable-quic --disable-background-networking"
    )
    settings = {
        "VV_KIOSK_BROWSER": "chromium",
        "VV_KIOSK_FLAGS": flags,
        "VV_KIOSK_GRACE_SECONDS": "600",
    }
    with (
        boxes.served(app) as api,
        running(tmp_path / "kiosk", api.port, **settings) as kiosk,
    ):
        wait_for(lambda: json.loads(api.get("/tvs").body)["tvs"])
        (told,) = json.loads(api.get("/tvs").body)["tvs"]
        assert told["tv"] == "tv2"
        assert told["screen"] == (kiosk.folder / "state" / "screen").read_text()
        kiosk.end()
        wait_for(lambda: not processes(f"{kiosk.folder}/state/profile"))


def test_until_the_box_answers_it_says_so_on_the_screen(tmp_path: Path) -> None:
    box = Box()
    box.answers = False
    with listening(box) as port, running(tmp_path / "kiosk", port) as kiosk:
        wait_for(kiosk.starts)
        assert kiosk.starts()[0].endswith(f"file://{KIOSK}/waiting.html")
        wait_for(lambda: len(box.asked) > 5)
        assert len(kiosk.starts()) == 1
        box.answers = True
        wait_for(lambda: len(kiosk.starts()) == 2)
        assert "/tv.html?tv=tv2" in kiosk.starts()[1]
        assert len(browsers(kiosk)) == 1
        assert "waiting for the box" in kiosk.end()


@pytest.mark.parametrize("trouble", ["silent", "frozen", "hidden", "unknown"])
def test_a_screen_in_trouble_gets_a_new_browser(tmp_path: Path, trouble: str) -> None:
    box = Box()
    with listening(box) as port, running(tmp_path / "kiosk", port) as kiosk:
        wait_for(lambda: len(box.asked) > 5)
        assert len(kiosk.starts()) == 1
        screen = kiosk.starts()[0].rpartition("=")[2]
        assert box.asked[-1] == f"/tvs?tv=tv2&screen={screen}"
        well, box.told = box.told, f'{{"tvs":[{{"tv":"tv2","trouble":"{trouble}"}}]}}'
        if trouble == "unknown":
            box.told = '{"tvs":[]}'
        wait_for(lambda: len(kiosk.starts()) >= 2)
        box.told = well
        assert f"the box says: {trouble}" in kiosk.end()
        assert browsers(kiosk) == []


def test_a_browser_that_is_gone_is_started_again(tmp_path: Path) -> None:
    box = Box()
    with listening(box) as port, running(tmp_path / "kiosk", port) as kiosk:
        wait_for(lambda: browsers(kiosk))
        os.kill(int(browsers(kiosk)[0]), signal.SIGKILL)
        wait_for(lambda: len(kiosk.starts()) == 2)
        assert "the browser has ended" in kiosk.end()


def test_a_box_that_is_gone_leaves_the_browser_alone(tmp_path: Path) -> None:
    box = Box()
    with running_with_dying_box(tmp_path, box) as kiosk:
        time.sleep(2)
        assert len(kiosk.starts()) == 1
        assert len(browsers(kiosk)) == 1


@contextmanager
def running_with_dying_box(tmp_path: Path, box: Box) -> Iterator[Kiosk]:
    with listening(box) as port:
        kiosk_box = running(tmp_path / "kiosk", port)
        kiosk = kiosk_box.__enter__()
        wait_for(lambda: len(box.asked) > 5)
    try:
        yield kiosk
    finally:
        kiosk_box.__exit__(None, None, None)


def test_a_new_browser_gets_time_to_speak(tmp_path: Path) -> None:
    box = Box()
    box.told = '{"tvs":[]}'
    with (
        listening(box) as port,
        running(tmp_path / "kiosk", port, VV_KIOSK_GRACE_SECONDS="600") as kiosk,
    ):
        wait_for(kiosk.starts)
        time.sleep(2)
        assert len(kiosk.starts()) == 1
        assert box.asked == ["/healthz"]


def test_without_a_browser_it_says_what_to_install(tmp_path: Path) -> None:
    with running(tmp_path, 1, VV_KIOSK_BROWSER="no-such-browser") as kiosk:
        output, _ = kiosk.process.communicate(timeout=60)
        assert kiosk.process.returncode == 69
        assert "sudo apt install chromium" in output


def test_the_page_takes_the_name_that_the_kiosk_gives() -> None:
    assert "asked.get('screen')" in (ROOT / "tv_ui" / "tv.html").read_text("utf-8")


def test_shellcheck_has_nothing_to_say() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    scripts = sorted(map(str, KIOSK.glob("*.sh")))
    found = subprocess.run(
        ["shellcheck", *scripts], capture_output=True, text=True, timeout=120, check=False
    )
    assert found.stdout + found.stderr == ""


def test_systemd_has_nothing_to_say(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    script = tmp_path / ".local" / "lib" / "vv-kiosk" / "vv-kiosk.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(KIOSK / "vv-kiosk.sh", script)
    unit = tmp_path / "vv-kiosk.service"
    unit.write_text((KIOSK / "vv-kiosk.service").read_text().replace("%h", str(tmp_path)))
    found = subprocess.run(
        ["systemd-analyze", "--user", "--man=no", "verify", str(unit)],
        env={**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def setup(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run setup.sh as somebody who is not root, with a systemctl that writes down what it is told."""
    tools = home / "bin"
    tools.mkdir(exist_ok=True)
    for name in ("systemctl", "chromium"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{home}/told"\n')
        (tools / name).chmod(0o755)
    command = ["bash", str(KIOSK / "setup.sh"), *arguments]
    if os.geteuid() == 0:
        for path in (home, *home.rglob("*")):
            shutil.chown(path, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    return subprocess.run(
        command,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a home that others may reach too."""
    folder = Path(tmp_path_factory.mktemp("home"))
    own = Path("/tmp") / f"vv-kiosk-{folder.name}-{os.getpid()}"
    own.mkdir()
    yield own
    shutil.rmtree(own)


def test_setup_puts_all_in_place_and_may_run_again(home: Path) -> None:
    for tv in ("tv1", "tv2"):
        result = setup(home, "http://192.168.1.20:8000/", tv, "en")
        assert result.returncode == 0, result.stderr
    assert (home / ".config/vv-kiosk.env").read_text().splitlines() == [
        "VV_KIOSK_SERVER=http://192.168.1.20:8000",
        "VV_KIOSK_TV=tv2",
        "VV_KIOSK_LANGUAGE=en",
    ]
    for name in ("vv-kiosk.sh", "waiting.html"):
        assert (home / ".local/lib/vv-kiosk" / name).read_bytes() == (KIOSK / name).read_bytes()
    unit = home / ".config/systemd/user/vv-kiosk.service"
    assert unit.read_bytes() == (KIOSK / "vv-kiosk.service").read_bytes()
    assert "systemctl --user restart vv-kiosk.service" in (home / "told").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("box",),
        ("ftp://box",),
        ("http://box/x y",),
        ("http://box", "a b"),
        ("http://box", "tv1", "fr"),
    ],
)
def test_setup_refuses_what_it_cannot_use(home: Path, arguments: tuple[str, ...]) -> None:
    assert setup(home, *arguments).returncode == 64
    assert not (home / ".config").exists()
