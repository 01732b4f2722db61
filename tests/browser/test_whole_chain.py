"""From the file that a DVR leaves to the pixels of a TV, by the box's own commands and nothing else."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.browser.screen import Screen, check_alive, seen_colours
from tests.pipeline.box import Box, new_box
from tests.pipeline.command import ROOT, SCRIPT
from tests.support.browser import requires_browser
from tests.support.tv_clips import make_tv_clip
from tests.support.waiting import wait_for
from vv_core.pipeline.compose_environment import prepare_folders

pytestmark = [pytest.mark.browser, pytest.mark.integration, requires_browser]

H265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error")
_COMMAND_S = 240


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Return a box in a zone without daylight saving, whose commands find the code."""
    made = new_box(tmp_path, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("VV_TIME_ZONE", "UTC")
    prepare_folders(made.settings)
    return made


def run(*arguments: str) -> None:
    """Run one of the box's commands to its good end."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=_COMMAND_S,
        check=False,
    )
    assert ended.returncode == 0, (arguments, ended.stdout, ended.stderr)


def bring_up_to_date() -> None:
    """Do what cron and the services that stay do, once."""
    run(str(SCRIPT), "--once")
    run("-m", "vv_ingest.process_video", "--once")
    run("-m", "tv_scheduler.tv_scheduler", "--once")


@contextmanager
def serving(box: Box) -> Iterator[str]:
    """Run ``vv-tv-api``; yield its address."""
    argv = [sys.executable, "-m", "tv_ui.tv_api", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(argv)
    try:
        yield f"127.0.0.1:{wait_for_port(box.home / 'logs', process)}"
    finally:
        process.terminate()
        process.wait(30)


def wait_for_port(logs: Path, process: subprocess.Popen[bytes]) -> int:
    """Return where the API says in its log that it listens."""

    def said() -> str:
        return "".join(path.read_text() for path in logs.glob("*.log"))

    def look() -> str:
        told = re.search(r"listening on 127\.0\.0\.1:([0-9]+)", said())
        assert told or process.poll() is None, said()
        return told[1] if told else ""

    return int(wait_for(look, said, pause_s=0.05))


def ask(address: str, path: str) -> tuple[int, bytes]:
    """Return status and body of an answer."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def put_clip(box: Box, colour: str, minutes_ago: int, *options: str) -> str:
    """Put a clip into input/ as a camera names it; return its name."""
    start = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    name = f"{start:%Y%m%d_%H%M%S}.mp4"
    path = box.input / "entrada" / name
    path.parent.mkdir(exist_ok=True)
    make_tv_clip(path, colour, *options)
    # Nobody has written to it for a while: it is finished.
    os.utime(path, (time.time() - 600,) * 2)
    return name


def test_from_the_recorder_to_the_tv(box: Box, screen: Screen) -> None:
    """A clip that browsers play, one that they do not, and one that somebody changes afterwards."""
    put_clip(box, "red", 30)
    put_clip(box, "green", 20, *H265)
    changed = put_clip(box, "blue", 10)
    bring_up_to_date()
    assert len(box.names("loglines")) >= 3
    playlist = json.loads((box.folder("playlists") / "playlist.json").read_bytes())
    assert [item["camera"] for item in playlist["items"]] == ["entrada"] * 3
    assert all(item["media"] for item in playlist["items"])

    path = box.folder("processed") / "entrada" / changed
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with serving(box) as address:
        screen.browser.open(f"http://{address}/tv.html?tv=all")
        looks = screen.wait_for("green") + screen.wait_for("red")
        looks += screen.watch(8)
        assert {"red", "green"} <= set(seen_colours(looks)) <= {"dark", "red", "green"}
        check_alive(looks)
        status, body = ask(address, f"/media/{_media_of(playlist, 2)}")
        assert (status, b"/" in body) == (404, False)
    alerts = (box.folder("orchestrator_data") / "services" / "alerts.jsonl").read_text()
    assert alerts.count('"media_refused"') == 1


def _media_of(playlist: dict[str, list[dict[str, str]]], number: int) -> str:
    return playlist["items"][number]["media"].rpartition("/")[2]
