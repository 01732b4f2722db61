"""What the mirror answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.waiting import wait_for
from tests.tv_mirror_ui.mjpeg_camera import MjpegCamera, mjpeg_camera
from tests.tv_mirror_ui.pictures import make_jpeg, read_size
from tests.tv_mirror_ui.serving import FALLBACK, Served, camera_at, serve
from tv_mirror_ui import streaming
from tv_mirror_ui.cameras import Camera


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    with mjpeg_camera() as camera:
        yield camera


@pytest.fixture
def mirror(camera: MjpegCamera) -> Iterator[Served]:
    with serve([camera_at(camera.url), Camera("off", "Desligada", None)]) as served:
        yield served


def test_pages_and_lists(mirror: Served) -> None:
    for path in ("/", "/tv_mirror.html"):
        status, headers, body = mirror.get(path)
        assert status == 200
        assert b"<canvas" not in body
        assert b"tv_mirror" in body or b"stage" in body
        assert "script-src 'sha256-" in headers["content-security-policy"]
    cameras = json.loads(mirror.get("/cameras")[2])["cameras"]
    assert cameras == [{"name": "cam", "title": "Cam"}, {"name": "off", "title": "Desligada"}]
    assert json.loads(mirror.get("/healthz")[2])["status"] == "ok"
    assert json.loads(mirror.get("/health")[2]) == {
        "status": "degraded",
        "problems": ["off: no_address"],
    }
    status, headers, body = mirror.get("/fallback/placeholder.png")
    assert (status, headers["content-type"]) == (200, "image/png")
    assert body == (FALLBACK / "placeholder.png").read_bytes()


def test_nobody_elsewhere_gets_it_through_a_browser(mirror: Served) -> None:
    status, headers, _ = mirror.get("/state", {"Host": "evil.example"})
    assert status == 400
    for path in ("/state", "/snapshot/off.jpg", "/nothing"):
        headers = mirror.get(path)[1]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/stream/nobody", "/stream/cam,nobody", "/snapshot/nobody.jpg"])
def test_there_is_no_other_camera(mirror: Served, path: str) -> None:
    assert mirror.get(path)[0] == 404
    assert mirror.get("/state", method="POST")[0] == 405


def test_viewers_share_one_connection_which_ends_after_the_last(
    mirror: Served, camera: MjpegCamera
) -> None:
    with mirror.watch("cam") as first, mirror.watch("cam") as second:
        for view in (first, second):
            content_type = view.response.headers["Content-Type"]
            assert content_type == "multipart/x-mixed-replace; boundary=vv-mirror-frame"
            pictures = [view.next() for _ in range(5)]
            assert len({picture.jpeg for picture in pictures}) > 1
            assert {picture.camera for picture in pictures} == {"cam"}
        picture = first.next()
        assert abs(picture.arrived - picture.timestamp) < 30
        assert camera.behaviour.connections == 1
        told = mirror.state()
        assert (told["state"], told["viewers"], told["trouble"]) == ("live", 2, None)
    told = mirror.wait_for_state("off")
    assert told["viewers"] == 0
    wait_for(lambda: camera.behaviour.open == 0, "hung up")
    assert camera.behaviour.connections == 1


def test_several_cameras_come_in_one_stream(camera: MjpegCamera) -> None:
    with (
        mjpeg_camera() as other,
        serve([camera_at(camera.url, "a"), camera_at(other.url, "b")]) as mirror,
        mirror.watch("a,b,a", "?fps=5") as view,
    ):
        seen = wait_for(lambda: _seen(view, "ab"), "both")
    assert seen


def _seen(view: object, names: str) -> bool:
    found = {view.next().camera for _ in range(6)}  # type: ignore[attr-defined]
    return found == set(names)


@pytest.mark.parametrize("rate", ["?fps=0", "?fps=x", "?fps=1e9", "?fps=nan", ""])
def test_a_rate_that_is_none_is_none(mirror: Served, rate: str) -> None:
    with mirror.watch("cam", rate) as view:
        assert view.next().jpeg


def test_a_viewer_that_takes_nothing_slows_nobody_and_is_let_go(
    camera: MjpegCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "STUCK_S", 12.0)
    noise = [make_jpeg(1280, 720, (n, 100, 200)) + bytes(400_000) + b"\xff\xd9" for n in range(8)]
    camera.behaviour.frame = lambda number: noise[number % 8]
    with (
        serve([camera_at(camera.url)]) as mirror,
        mirror.watch("cam") as stuck,
        mirror.watch("cam") as lively,
    ):
        stuck.next()
        for _ in range(60):
            assert lively.next().age_ms < 10_000
        wait_for(lambda: _drain(lively) and mirror.state()["viewers"] == 1, "let go")


def _drain(view: object) -> bool:
    view.next()  # type: ignore[attr-defined]
    return True


def test_a_slow_viewer_sees_fresh_pictures(camera: MjpegCamera) -> None:
    body = make_jpeg(1280, 720) + bytes(200_000) + b"\xff\xd9"
    camera.behaviour.frame = lambda _: body
    with serve([camera_at(camera.url)]) as mirror, mirror.watch("cam") as slow:
        slow.next()
        time.sleep(4)
        # What lay in buffers comes first; then what is new.
        late = [slow.next() for _ in range(2)]
        while late[-1].arrived - late[-1].timestamp >= 3:
            assert len(late) < 100
            late.append(slow.next())
        assert late[-1].timestamp - late[0].timestamp > 0


def test_where_no_pictures_come_there_are_signs_of_life(
    camera: MjpegCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "SIGN_OF_LIFE_S", 0.1)
    camera.behaviour.is_stalled = True
    with serve([camera_at(camera.url)]) as mirror, mirror.watch("cam") as view:
        assert view.response.readline() == b"\r\n"
        assert view.response.readline() == b"\r\n"


def test_a_snapshot_is_live_or_says_why_not(mirror: Served, camera: MjpegCamera) -> None:
    status, headers, body = mirror.get("/snapshot/cam.jpg")
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert headers["cache-control"] == "no-store"
    assert int(headers["x-age-ms"]) < 3000
    assert read_size(body) == (320, 180)
    for _ in range(3):
        assert mirror.get("/snapshot/cam.jpg")[0] == 200
    assert camera.behaviour.connections == 1
    status, headers, body = mirror.get("/snapshot/off.jpg")
    assert (status, headers["retry-after"]) == (503, "2")
    assert json.loads(body)["trouble"] == "no_address"


def test_who_asks_at_the_same_time_shares_a_connection_too(
    mirror: Served, camera: MjpegCamera
) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(mirror.get("/snapshot/cam.jpg")[0]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [200] * 8
    assert camera.behaviour.connections == 1


def test_loss_and_return_are_told(mirror: Served, camera: MjpegCamera) -> None:
    with mirror.watch("cam") as view:
        view.next()
        camera.switch_off()
        told = mirror.wait_for_state("lost")
        assert told["age_ms"] > 3000
        wait_for(lambda: mirror.state()["trouble"] == "unreachable", "unreachable")
        assert mirror.get("/snapshot/cam.jpg")[0] == 503
        camera.switch_on()
        assert mirror.wait_for_state("live")["trouble"] is None
        assert any(view.next().age_ms < 3000 for _ in range(50))


def test_without_the_large_placeholder_there_is_the_small_one(
    mirror: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda _: (_ for _ in ()).throw(OSError()))
    assert mirror.get("/fallback/placeholder.png")[0] == 404
