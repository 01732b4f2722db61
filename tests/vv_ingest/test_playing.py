"""Whether Chromium really plays what is said to play."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.browser import Browser, requires_browser, start_browser
from tests.vv_ingest.boxes import ClipBox
from tests.vv_ingest.conftest import GetVideo
from tests.vv_ingest.videos import AS_IS, MADE, names_of
from vv_core.media_record import find_clip

pytestmark = [pytest.mark.browser, pytest.mark.integration, requires_browser]

_PLAY = """
const [address] = arguments;
document.body.innerHTML = "";
const video = document.createElement("video");
video.muted = true;
video.src = address;
document.body.append(video);
return new Promise((resolve) => {
  let frames = 0;
  const count = () => { frames += 1; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);
  const tell = (what) => resolve({
    what, frames, code: video.error && video.error.code, seconds: video.currentTime,
    duration: video.duration, width: video.videoWidth, height: video.videoHeight,
  });
  video.onended = () => tell("ended");
  video.onerror = () => tell("error");
  setTimeout(() => tell("late"), 25000);
  video.playbackRate = 2;
  video.play().catch(() => tell("refused"));
});
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture
def address(box: ClipBox) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(box.home))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", names_of(AS_IS, MADE))
def test_it_plays_to_its_end(
    name: str, box: ClipBox, video_of: GetVideo, browser: Browser, address: str
) -> None:
    source = video_of(name)
    sha256 = box.put(source, f"a{source.suffix}")
    box.turn()
    clip = box.record(sha256).clip
    assert clip is not None
    shown = box.home / "clip.mp4"
    shown.symlink_to(find_clip(box.storage, clip))
    (box.home / "page.html").write_text("<!doctype html><body></body>")
    browser.open(f"{address}/page.html")
    seen = browser.evaluate(_PLAY, f"{address}/clip.mp4")
    assert seen["what"] == "ended", seen
    assert seen["frames"] > 0, seen
    assert (seen["width"], seen["height"]) == (clip.width, clip.height)
    assert seen["duration"] * 1000 == pytest.approx(clip.duration_ms, abs=250)


def test_what_is_not_said_to_play_does_not(
    box: ClipBox, video_of: GetVideo, browser: Browser, address: str
) -> None:
    """The check itself can fail: Debian's Chromium has no MPEG-4 part 2."""
    (box.home / "page.html").write_text("<!doctype html><body></body>")
    (box.home / "clip.mp4").write_bytes(Path(video_of("XviD")).read_bytes())
    browser.open(f"{address}/page.html")
    assert browser.evaluate(_PLAY, f"{address}/clip.mp4")["what"] in {"error", "refused"}
