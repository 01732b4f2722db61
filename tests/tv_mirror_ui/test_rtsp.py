"""A real RTSP camera: it is killed, hangs, wants a login; and its pictures are those of now."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.support.rtsp_camera import BITS, BLOCK
from tests.support.waiting import wait_for
from tests.tv_mirror_ui.rtsp import requires_rtsp, start_camera
from tests.tv_mirror_ui.running import running_mirror
from tests.tv_mirror_ui.serving import Served, camera_at, serve
from tv_mirror_ui.hub import Hub
from tv_mirror_ui.logins import Login

pytestmark = [pytest.mark.integration, requires_rtsp]


def read_stamp(jpeg: bytes) -> int:
    """Return the milliseconds in the top row of a picture."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        grey = picture.convert("L")
    places = ((number * BLOCK + BLOCK // 2, BLOCK // 2) for number in range(BITS))
    bits = ["1" if int(grey.getpixel(place)) > 127 else "0" for place in places]  # type: ignore[arg-type]
    return int("".join(bits), 2)


def age_of(jpeg: bytes) -> int:
    """Return how many milliseconds ago the camera made a picture."""
    return (time.time_ns() // 1_000_000 - read_stamp(jpeg)) % 2**BITS


def test_pictures_are_those_of_now_and_their_age_is_told() -> None:
    with start_camera() as camera, serve([camera_at(camera.url)]) as mirror:
        with mirror.watch("cam") as view, mirror.watch("cam") as other:
            for _ in range(20):
                view.next()
            picture = view.next()
            assert age_of(picture.jpeg) < 5000, "a machine under load is slow, but not so slow"
            other.next()
        assert camera.plays == 1


def test_one_that_is_killed_is_lost_and_comes_back() -> None:
    with (
        start_camera() as camera,
        serve([camera_at(camera.url)]) as mirror,
        mirror.watch("cam") as view,
    ):
        view.next()
        camera.kill()
        mirror.wait_for_state("lost")
        camera.start()
        mirror.wait_for_state("live")
        while age_of(view.next().jpeg) > 3000:
            pass


def test_one_that_hangs_is_lost_and_comes_back() -> None:
    with (
        start_camera() as camera,
        serve([camera_at(camera.url)]) as mirror,
        mirror.watch("cam") as view,
    ):
        view.next()
        camera.freeze(frozen=True)
        mirror.wait_for_state("lost")
        wait_for(lambda: mirror.state()["trouble"] in {"silent", "unreachable"}, "silent")
        camera.freeze(frozen=False)
        mirror.wait_for_state("live")


def test_a_login_is_used_and_refused() -> None:
    with start_camera(login=("adm", "p@ss/w:rd")) as camera:
        right, wrong = Login("adm", "p@ss/w:rd"), Login("adm", "x")
        cameras = [camera_at(camera.url, "a", login="a"), camera_at(camera.url, "b", login="b")]
        with serve(cameras, {"a": right, "b": wrong}) as mirror, mirror.watch("a,b") as view:
            assert view.next().camera == "a"
            told = wait_for(lambda: mirror.state("b")["trouble"], "a trouble")
            assert told == "refused"


def test_no_process_shows_the_password_and_none_writes(tmp_path: Path) -> None:
    logins = tmp_path / "data" / "logins" / "mirror.yaml"
    logins.parent.mkdir(parents=True)
    logins.touch(0o600)
    login = "{name: dvr, user: adm, password: 's3cr3t-w0rd'}"
    logins.write_text(f"schema: vv.mirror-logins/1\nlogins: [{login}]\n")
    with start_camera(login=("adm", "s3cr3t-w0rd")) as camera:
        cameras: list[dict[str, object]] = [{"name": "cam", "url": camera.url, "login": "dvr"}]
        with running_mirror(tmp_path, cameras) as mirror:
            served = Served(Hub([], {}, 0), mirror.port)
            with served.watch("cam") as view:
                view.next()
                (reader,) = mirror.readers()
                for pid in (mirror.pid, reader):
                    for name in ("cmdline", "environ"):
                        assert b"s3cr3t" not in Path(f"/proc/{pid}/{name}").read_bytes()
            camera.kill()
            wait_for(lambda: served.get("/snapshot/cam.jpg")[0] == 503, "lost")
        assert b"s3cr3t" not in mirror.log
