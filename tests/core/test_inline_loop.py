"""The small loop that lies in the TV page: whole, small, and made by the project."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from tests.core.test_fallback_media import probe
from vv_core.errors import InputDataError, TemporaryError, VvError
from vv_core.fallback_media import inline
from vv_core.fallback_media.command import main
from vv_core.fallback_media.placing import find_mp4_problem

PAGE = ROOT / "tv_ui" / "tv.html"


def loop_of(page: Path, target: Path) -> Path:
    (found,) = re.findall(r"data:video/mp4;base64,([A-Za-z0-9+/=]*)", page.read_text("utf-8"))
    target.write_bytes(base64.b64decode(found, validate=True))
    return target


def check(loop: Path) -> None:
    assert loop.stat().st_size <= inline.MAX_BYTES
    assert find_mp4_problem(loop) == ""
    stream = probe(loop)
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
    assert (stream["width"], stream["height"], stream["nb_read_frames"]) == ("640", "360", "120")
    assert float(stream["duration"]) == 10.0


@pytest.mark.integration
def test_the_shipped_page_holds_a_whole_loop(tmp_path: Path) -> None:
    check(loop_of(PAGE, tmp_path / "shipped.mp4"))


@pytest.mark.integration
def test_it_is_made_anew_and_nothing_else_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    page = tmp_path / "page.html"
    page.write_text("<a>é<video src='data:video/mp4;base64,AAAA'></a>", "utf-8")
    assert main([str(tmp_path), "--page", str(page)]) == 0
    assert "a loop of" in capsys.readouterr().out
    check(loop_of(page, tmp_path / "made.mp4"))
    text = page.read_text("utf-8")
    assert text.startswith("<a>é<video src='data:video/mp4;base64,")
    assert text.endswith("'></a>")


@pytest.mark.parametrize("text", ["<p>", "data:video/mp4;base64,A data:video/mp4;base64,B"])
def test_a_page_without_one_place_is_refused(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(text)
    with pytest.raises(InputDataError, match="no single place"):
        inline.put_into_page(page)
    assert page.read_text() == text


def test_a_loop_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(_layers: list[Path], target: Path, **_options: object) -> None:
        target.write_bytes(b"x" * (inline.MAX_BYTES + 1))

    monkeypatch.setattr(inline, "encode_layers", encode)
    with pytest.raises(InputDataError, match="more than"):
        inline.make_small_loop()


def test_a_page_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(VvError) as told:
        inline.put_into_page(tmp_path / "none.html")
    assert not isinstance(told.value, TemporaryError)
