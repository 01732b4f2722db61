"""Readers: what becomes of cameras' streams, good and bad."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.tv_mirror_ui.mjpeg_camera import MjpegCamera, mjpeg_camera
from tests.tv_mirror_ui.pictures import make_jpeg, read_colour, read_size
from tests.tv_mirror_ui.reading import read_to_end, reading
from tests.tv_mirror_ui.test_jpeg import without_tables
from tv_mirror_ui import http_reader, outlet, reader, stream_reader
from tv_mirror_ui.jpeg import BadJpegError
from tv_mirror_ui.messages import Order, Trouble
from tv_mirror_ui.picture import Encoder, fit

ORDER = Order(kind="http", url="", frames_per_s=30, width=1280, height=720)


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    with mjpeg_camera() as camera:
        yield camera


def order_of(camera: MjpegCamera, **changes: object) -> Order:
    return replace(ORDER, url=camera.url, **changes)


def make_clip(path: Path, *options: str, size: str = "320x180", seconds: str = "1") -> Path:
    source = f"testsrc2=size={size}:rate=25:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *options, str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path


def test_a_jpeg_that_fits_is_passed_on_as_it_is(camera: MjpegCamera) -> None:
    before = time.monotonic()
    with reading(order_of(camera)) as result:
        said = result.picture()
    assert said.payload == camera.behaviour.frame(0)
    assert before <= said.moment <= time.monotonic()


def test_one_that_is_too_large_is_scaled(camera: MjpegCamera) -> None:
    camera.behaviour.frame = lambda _: make_jpeg(1920, 1440)
    with reading(order_of(camera)) as result:
        said = result.picture()
    assert read_size(said.payload) == (960, 720)
    assert read_colour(said.payload)[1] == pytest.approx(180, abs=4)


def test_one_without_tables_gets_them(camera: MjpegCamera) -> None:
    camera.behaviour.frame = lambda _: without_tables(make_jpeg())
    with reading(order_of(camera)) as result:
        said = result.picture()
    assert read_colour(said.payload)[1] == pytest.approx(180, abs=4)


def test_bad_ones_are_left_out_and_counted(camera: MjpegCamera) -> None:
    good = make_jpeg()
    camera.behaviour.frame = lambda number: (
        good[:-40] if number % 2 else good[:2] + b"junk" + good[-2:] if number % 4 else good
    )
    with reading(order_of(camera)) as result:
        assert [result.picture().payload for _ in range(3)] == [good] * 3
        camera.behaviour.frame = lambda _: good[:-40]
        time.sleep(0.5)
        assert result.count_bad() > 0


def test_no_more_a_second_than_asked_for(camera: MjpegCamera) -> None:
    camera.behaviour.fps = 50
    with reading(order_of(camera, frames_per_s=4)) as result:
        moments = [result.picture().moment for _ in range(6)]
    assert moments[-1] - moments[0] >= 5 / 4 - 0.1


@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_a_login_is_given_where_it_is_asked_for(camera: MjpegCamera, kind: str) -> None:
    camera.behaviour.login = ("adm", "p@ss", kind)
    with reading(order_of(camera, user="adm", password="p@ss")) as result:
        assert result.picture().payload
    assert camera.behaviour.requests[0] == "", "not before it is asked for"
    assert read_to_end(order_of(camera, user="adm", password="x")).trouble is Trouble.REFUSED
    assert read_to_end(order_of(camera)).trouble is Trouble.REFUSED


def test_a_login_follows_no_redirect(camera: MjpegCamera) -> None:
    with mjpeg_camera() as other:
        camera.behaviour.location = other.url
        result = read_to_end(order_of(camera, user="adm", password="p@ss"))
        assert result.trouble is Trouble.UNREADABLE
        assert other.behaviour.requests == []


def test_each_trouble_has_its_name(camera: MjpegCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_reader, "SILENCE_S", 0.5)
    camera.behaviour.most = 2
    assert read_to_end(order_of(camera)).trouble is Trouble.ENDED
    camera.behaviour.content_type = "text/html"
    assert read_to_end(order_of(camera)).trouble is Trouble.UNREADABLE
    camera.behaviour.content_type = "multipart/x-mixed-replace; boundary=frame"
    camera.behaviour.is_stalled = True
    assert read_to_end(order_of(camera)).trouble is Trouble.SILENT
    camera.switch_off()
    assert read_to_end(order_of(camera)).trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"nonsense\r\n\r\n", Trouble.UNREACHABLE),
        (b"", Trouble.UNREACHABLE),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/x; boundary=frame\r\n\r\n50\r\nabc",
            Trouble.ENDED,
        ),
        (None, Trouble.SILENT),
    ],
)
def test_servers_that_are_no_cameras_are_told(
    answer: bytes | None, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_reader, "SILENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with reading(replace(ORDER, url=url)) as result:
            connection = server.accept()[0]
            connection.settimeout(10)
            connection.recv(4000)
            if answer is None:
                time.sleep(1)
            else:
                connection.sendall(answer)
            connection.close()
    assert result.trouble is trouble


@pytest.mark.integration
def test_a_clip_is_shown_at_its_pace_and_again_and_again(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    with reading(replace(ORDER, kind="file", url=str(clip))) as result:
        pictures = [result.picture() for _ in range(60)]
    assert {read_size(each.payload) for each in pictures} == {(320, 180)}
    assert pictures[-1].moment - pictures[0].moment >= 2.0
    payloads = [each.payload for each in pictures]
    assert set(payloads[:20]) & set(payloads[25:]), "it began anew"


@pytest.mark.integration
def test_wide_pixels_are_made_square(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", "-vf", "setsar=2", "-c:v", "mpeg4", size="352x480")
    with reading(replace(ORDER, kind="file", url=str(clip), width=640)) as result:
        assert read_size(result.picture().payload) == (640, 436)


@pytest.mark.integration
def test_damage_in_a_clip_is_left_out(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", "-c:v", "mjpeg", "-q:v", "2", seconds="0.4")
    data = bytearray(clip.read_bytes())
    place = data.index(b"\xff\xd8", len(data) // 2)
    data[place : place + 300] = bytes(300)
    clip.write_bytes(data)
    with reading(replace(ORDER, kind="file", url=str(clip))) as result:
        for _ in range(12):
            result.picture()
        assert result.said.qsize() >= 0


@pytest.mark.integration
def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    sound = tmp_path / "sound.wav"
    tone = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(sound)]
    subprocess.run(tone, check=True, timeout=60)
    file = replace(ORDER, kind="file")
    assert read_to_end(replace(file, url=str(text))).trouble is Trouble.UNREADABLE
    assert read_to_end(replace(file, url=str(sound))).trouble is Trouble.UNREADABLE
    gone = replace(file, url=str(tmp_path / "gone.mp4"))
    assert read_to_end(gone).trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("raised", "trouble"),
    [
        (av.HTTPUnauthorizedError(1, "x"), Trouble.REFUSED),
        (av.ExitError(1, "x"), Trouble.SILENT),
        (av.EOFError(1, "x"), Trouble.ENDED),
        (OSError("rtsp://u:secret@c/"), Trouble.UNREACHABLE),
    ],
)
def test_what_ffmpeg_raises_is_told_without_the_address(
    raised: Exception, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(av, "open", fail)
    with pytest.raises(outlet.ReaderError) as caught:
        stream_reader.read_rtsp(replace(ORDER, url="rtsp://c/"), Encoder((1, 1)), outlet.Outlet(1))
    assert caught.value.trouble is trouble
    assert caught.value.__suppress_context__


def test_the_login_of_a_stream_is_written_so_that_nothing_breaks_it() -> None:
    order = replace(ORDER, url="rtsp://cam:554/x?a=b", user="a:b", password="p@s/s w")
    assert stream_reader.with_login(order) == "rtsp://a%3Ab:p%40s%2Fs%20w@cam:554/x?a=b"
    assert stream_reader.with_login(replace(order, user="")) == "rtsp://cam:554/x?a=b"


@pytest.mark.parametrize(
    ("size", "shape", "box", "fitted"),
    [
        ((1920, 1080), Fraction(1), (1280, 720), (1280, 720)),
        ((640, 480), Fraction(1), (1280, 720), (640, 480)),
        ((704, 480), Fraction(10, 11), (1280, 720), (640, 480)),
        ((2000, 20), Fraction(1), (1280, 720), (1280, 12)),
        ((3, 3000), Fraction(1), (1280, 720), (2, 720)),
        ((101, 57), Fraction(1), (99, 99), (98, 56)),
    ],
)
def test_a_picture_fits_and_keeps_its_shape(
    size: tuple[int, int], shape: Fraction, box: tuple[int, int], fitted: tuple[int, int]
) -> None:
    assert fit(*size, shape, box) == fitted


def test_a_picture_that_changes_its_size_is_encoded_all_the_same() -> None:
    encoder = Encoder((1280, 720))
    for size in ((64, 48), (128, 96), (64, 48)):
        frame = av.VideoFrame.from_image(Image.new("RGB", size, (200, 30, 30)))
        jpeg = encoder.encode(frame)
        assert read_size(jpeg) == size
        assert read_colour(jpeg)[0] == pytest.approx(200, abs=5)
    with pytest.raises(BadJpegError):
        encoder.encode(av.VideoFrame(1, 1, "gray"))


def test_black_and_white_stay_black_and_white() -> None:
    picture = Image.new("RGB", (64, 32), (0, 0, 0))
    picture.paste((255, 255, 255), (32, 0, 64, 32))
    frame = av.VideoFrame.from_image(picture).reformat(format="yuv420p")
    jpeg = Encoder((64, 32)).encode(frame)
    assert max(read_colour(jpeg, (4, 4))) < 6
    assert min(read_colour(jpeg, (60, 4))) > 249


@pytest.mark.parametrize(
    "body", [b"\xff\xda\x00\x02", b"\xff\xc0\x00\x08\x08\x00\x10\x00\x10\x01\xff\xda\x00\x02"]
)
def test_a_jpeg_that_cannot_be_decoded_is_bad(body: bytes) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1400, 800)).save(buffer, "JPEG")
    whole = buffer.getvalue()
    with pytest.raises(BadJpegError):
        Encoder((64, 48)).pass_on(b"\xff\xd8" + body + b"\xff\xd9")
    assert read_size(Encoder((64, 48)).pass_on(whole)) == (64, 36)


def test_a_picture_too_large_for_a_message_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "MAX_PAYLOAD", 10)
    written: list[bytes] = []
    monkeypatch.setattr("os.write", lambda _, data: written.append(bytes(data)) or len(data))
    outlet.Outlet(1).picture(0.0, b"x" * 11)
    assert written == [b"B" + bytes(12)]


def test_without_the_means_to_blur_nothing_is_shown(
    camera: MjpegCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.delitem(sys.modules, "tv_mirror_ui.blur", raising=False)
    result = read_to_end(order_of(camera, blur_faces=True))
    assert result.trouble is Trouble.NO_BLUR
    assert camera.behaviour.connections == 0
    assert result.said.empty()


def test_an_order_that_is_none_ends_the_reader() -> None:
    command = [sys.executable, "-m", "tv_mirror_ui.reader"]
    result = subprocess.run(command, input=b"[]\n", capture_output=True, timeout=60, check=False)
    assert result.returncode == 1
    assert b"Error" in result.stderr
    assert reader.read_camera.__doc__
