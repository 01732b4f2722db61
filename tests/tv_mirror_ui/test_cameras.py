"""The list of cameras: what it says, and that every slip names file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tv_mirror_ui.cameras import Address, Camera, Defaults, Kind, load_cameras, parse_cameras
from vv_core.errors import ConfigError

HEAD = "schema: vv.mirror-cameras/1\ncameras:\n"


def parse(text: str, defaults: Defaults | None = None) -> tuple[Camera, ...]:
    return parse_cameras((HEAD + text).encode(), "cams.yaml", defaults or Defaults())


def test_the_shipped_list_waits_for_the_address_of_the_dvr() -> None:
    assert [camera.address for camera in load_cameras(None, Defaults())] == [None] * 4
    first = load_cameras(None, Defaults("192.168.1.50", 5554))[0]
    url = "rtsp://192.168.1.50:5554/cam/realmonitor?channel=1&subtype=1"
    assert first.address == Address(Kind.RTSP, url, "192.168.1.50", 5554)
    assert (first.name, first.login, first.frames_per_s) == ("cam1", "dvr", 10)


def test_what_it_says_is_taken() -> None:
    (camera,) = parse(
        "  - {name: a, title: Pátio, url: 'http://[::1]:8080/x', login: l, frames_per_s: 5,"
        " width: 640, height: 360, blur_faces: yes}"
    )
    address = Address(Kind.HTTP, "http://[::1]:8080/x", "::1", 8080)
    assert camera == Camera("a", "Pátio", address, "l", 5, 640, 360, blur_faces=True)


def test_what_it_does_not_say_has_a_default() -> None:
    (camera,) = parse("  - {name: a, url: 'rtsp://cam/x'}", Defaults(blur_faces=True))
    address = Address(Kind.RTSP, "rtsp://cam/x", "cam", 554)
    assert camera == Camera("a", "a", address, "", 10, 1280, 720, blur_faces=True)


def test_a_camera_may_say_that_faces_stay() -> None:
    (camera,) = parse("  - {name: a, url: 'rtsp://c/', blur_faces: no}", Defaults(blur_faces=True))
    assert not camera.blur_faces


def test_a_file_is_a_path() -> None:
    (camera,) = parse("  - {name: a, url: 'file:///videos/clip.mp4'}")
    assert camera.address == Address(Kind.FILE, "/videos/clip.mp4")


WRONG = {
    "no address": ("  - {name: a, url: 'rtsp://:x/'}", "url"),
    "bad port": ("  - {name: a, url: 'rtsp://c:99999/'}", "url"),
    "other scheme": ("  - {name: a, url: 'ftp://c/'}", "url"),
    "no host": ("  - {name: a, url: 'rtsp:///x'}", "url"),
    "a password": ("  - {name: a, url: 'rtsp://u:p@c/'}", "url"),
    "a user": ("  - {name: a, url: 'http://u@c/'}", "url"),
    "a relative file": ("  - {name: a, url: 'file://clip.mp4'}", "url"),
    "a name with blanks": ("  - {name: 'a b', url: 'rtsp://c/'}", "name"),
    "a login with blanks": ("  - {name: a, url: 'rtsp://c/', login: 'a b'}", "login"),
    "no rate": ("  - {name: a, url: 'rtsp://c/', frames_per_s: 0}", "frames_per_s"),
    "too high a rate": ("  - {name: a, url: 'rtsp://c/', frames_per_s: 31}", "frames_per_s"),
    "too wide": ("  - {name: a, url: 'rtsp://c/', width: 1281}", "width"),
    "too small": ("  - {name: a, url: 'rtsp://c/', height: 8}", "height"),
    "not a flag": ("  - {name: a, url: 'rtsp://c/', blur_faces: perhaps}", "blur_faces"),
    "unknown key": ("  - {name: a, url: 'rtsp://c/', password: x}", "password"),
    "no url": ("  - {name: a}", "url"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_slip_is_named(name: str) -> None:
    text, key = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert f"'cams.yaml', line 3, key '{key}'" in caught.value.message
    assert "config.yaml" in caught.value.advice


def test_two_cameras_of_one_name_are_a_slip() -> None:
    with pytest.raises(ConfigError, match="line 4, key 'name'"):
        parse("  - {name: a, url: 'rtsp://c/'}\n  - {name: A, url: 'rtsp://c/'}")


def test_there_is_an_end_to_cameras() -> None:
    lines = "".join(f"  - {{name: c{number}, url: 'rtsp://c/'}}\n" for number in range(65))
    with pytest.raises(ConfigError, match="more than 64"):
        parse(lines)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cams.yaml"
    path.write_text("schema: other/1\ncameras: []\n")
    with pytest.raises(ConfigError, match="line 1, key 'schema'"):
        load_cameras(path, Defaults())
