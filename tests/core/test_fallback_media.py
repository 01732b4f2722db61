"""What TVs show when there is nothing else: the shipped files, making them, putting them in place."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from vv_core.errors import TemporaryError, UnavailableError
from vv_core.fallback_media.command import main
from vv_core.fallback_media.making import LOOP_NAME, PLACEHOLDER_NAME, make_loop, make_placeholder
from vv_core.fallback_media.placing import (
    find_fallback_problems,
    find_mp4_problem,
    find_png_problem,
    place_fallback,
)

SHIPPED = ROOT / "fallback"
LOOP, PICTURE = SHIPPED / LOOP_NAME, SHIPPED / PLACEHOLDER_NAME


def probe(path: Path) -> dict[str, str]:
    """Return what ffprobe says about the only stream of a file, after decoding all of it."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    result = subprocess.run(command, check=True, timeout=60, capture_output=True)
    (stream,) = json.loads(result.stdout)["streams"]
    return {name: str(value) for name, value in stream.items()}


def check_loop(path: Path) -> None:
    """Check that every browser plays it, without sound and without a hiccup at the turn."""
    stream = probe(path)
    assert (stream["codec_name"], stream["profile"], stream["pix_fmt"]) == (
        "h264",
        "Main",
        "yuv420p",
    )
    assert (stream["width"], stream["height"], stream["nb_read_frames"]) == ("1280", "720", "250")
    assert float(stream["duration"]) == 10.0
    assert find_mp4_problem(path) == ""


def frame(path: Path, number: int) -> bytes:
    """Return one frame, small and grey."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf"]
    command += [f"select=eq(n\\,{number}),scale=160:90,format=gray", "-frames:v", "1"]
    command += ["-f", "rawvideo", "-"]
    return subprocess.run(command, check=True, timeout=60, capture_output=True).stdout


def difference(one: bytes, other: bytes) -> float:
    """Return the mean difference of two frames, 0 to 255."""
    assert len(one) == len(other) == 160 * 90
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


@pytest.mark.integration
def test_the_shipped_loop_plays_moves_and_closes() -> None:
    check_loop(LOOP)
    first, second, middle, last = (frame(LOOP, number) for number in (0, 1, 125, 249))
    assert difference(first, middle) > 1.0, "a viewer could think that the screen hangs"
    # The step from the last frame to the first is as small as any other.
    assert difference(last, first) < 2 * difference(first, second) + 0.3


@pytest.mark.integration
def test_the_shipped_picture_is_one_for_a_screen() -> None:
    stream = probe(PICTURE)
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("png", "1280", "720")


def test_what_is_shipped_is_whole_and_small() -> None:
    assert find_fallback_problems(SHIPPED) == []
    assert LOOP.stat().st_size + PICTURE.stat().st_size < 200_000


def test_the_picture_is_made_with_the_same_bytes_as_shipped(tmp_path: Path) -> None:
    make_placeholder(tmp_path / "again.png")
    assert find_png_problem(tmp_path / "again.png") == ""
    assert (tmp_path / "again.png").read_bytes() == PICTURE.read_bytes()


def test_the_shipped_files_are_copied_and_kept(tmp_path: Path) -> None:
    assert place_fallback(tmp_path, SHIPPED) == [LOOP_NAME, PLACEHOLDER_NAME]
    assert (tmp_path / LOOP_NAME).read_bytes() == LOOP.read_bytes()
    assert place_fallback(tmp_path, SHIPPED) == []


def test_an_operators_own_picture_stays(tmp_path: Path) -> None:
    own = PICTURE.read_bytes()[:-12] + PICTURE.read_bytes()[-12:]
    (tmp_path / PLACEHOLDER_NAME).write_bytes(own)
    place_fallback(tmp_path, SHIPPED)
    assert (tmp_path / PLACEHOLDER_NAME).read_bytes() == own


def swap_boxes(data: bytes) -> bytes:
    """Return an MP4 with its index last."""
    boxes, at = [], 0
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        boxes.append(data[at : at + length])
        at += length
    return b"".join(sorted(boxes, key=lambda box: box[4:8] == b"moov"))


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "cut loop": (LOOP_NAME, lambda data: data[:-1], "cut short"),
    "cut header": (LOOP_NAME, lambda data: data[:36], "cut short"),
    "empty loop": (LOOP_NAME, lambda data: b"", "no MP4"),
    "a page of a proxy": (LOOP_NAME, lambda data: b"<html>not here</html>", "no MP4"),
    "another box first": (LOOP_NAME, lambda data: data[4:8] * 4, "no MP4"),
    "only a head": (LOOP_NAME, lambda data: data[:32], "no video"),
    "index last": (LOOP_NAME, swap_boxes, "index comes last"),
    "not ftyp": (LOOP_NAME, lambda data: struct.pack(">I4s", 8, b"free"), "no MP4"),
    "cut picture": (PLACEHOLDER_NAME, lambda data: data[:-1], "cut short"),
    "no picture": (PLACEHOLDER_NAME, lambda data: b"GIF89a", "no PNG"),
}


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_a_damaged_file_is_named_and_replaced(tmp_path: Path, name: str) -> None:
    file, damage, reason = DAMAGES[name]
    place_fallback(tmp_path, SHIPPED)
    (tmp_path / file).write_bytes(damage((SHIPPED / file).read_bytes()))
    (problem,) = find_fallback_problems(tmp_path)
    assert problem.startswith(f"{file}: ")
    assert reason in problem
    assert place_fallback(tmp_path, SHIPPED) == [file]
    assert find_fallback_problems(tmp_path) == []


@pytest.mark.parametrize(("kind", "size"), [("long", 1), ("to the end", 0)])
def test_both_other_ways_to_give_a_length(tmp_path: Path, kind: str, size: int) -> None:
    head = struct.pack(">I4s", 8, b"ftyp") + struct.pack(">I4s", 8, b"moov")
    long = struct.pack(">I4sQ", size, b"mdat", 20)
    (tmp_path / "a.mp4").write_bytes(head + long + b"abcd")
    assert find_mp4_problem(tmp_path / "a.mp4") == ""


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"mine")
    (tmp_path / PLACEHOLDER_NAME).symlink_to("elsewhere")
    assert "no regular file" in find_fallback_problems(tmp_path)[1]
    place_fallback(tmp_path, SHIPPED)
    assert not (tmp_path / PLACEHOLDER_NAME).is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"


def test_without_ffmpeg_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError) as caught:
        make_loop(tmp_path / LOOP_NAME)
    assert "apt-get install ffmpeg" in caught.value.advice
    assert list(tmp_path.iterdir()) == []


def test_an_ffmpeg_that_cannot_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ffmpeg"
    fake.write_text("#!/bin/sh\necho 'Unknown encoder libx264' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UnavailableError, match="Unknown encoder libx264"):
        make_loop(tmp_path / LOOP_NAME)
    assert not (tmp_path / LOOP_NAME).exists()


def test_a_full_disk_leaves_nothing_half_written(
    small_disk: Path, fill_up: Callable[[Path], Path]
) -> None:
    fill_up(small_disk)
    with pytest.raises(TemporaryError, match="fallback file"):
        place_fallback(small_disk, SHIPPED)
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


@pytest.mark.integration
def test_the_command_makes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "new"
    assert main([str(target)]) == 66
    assert "Make it first" in capsys.readouterr().err
    target.mkdir()
    shutil.copy(PICTURE, target / LOOP_NAME)
    assert main([str(target)]) == 0
    assert capsys.readouterr().out.count(" bytes\n") == 2
    check_loop(target / LOOP_NAME)
    assert find_fallback_problems(target) == []


def test_a_box_without_the_shipped_files_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Stands for ffmpeg: it takes its time to encode, and another test waits for that already.
    fake = tmp_path / "ffmpeg"
    fake.write_text(f'#!/bin/sh\nfor last; do :; done\ncp {LOOP} "$last"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "own").mkdir()
    names = [LOOP_NAME, PLACEHOLDER_NAME]
    assert place_fallback(tmp_path / "own", tmp_path / "nothing") == names
    assert find_fallback_problems(tmp_path / "own") == []
