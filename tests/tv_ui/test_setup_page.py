"""The page that tells how to set up a TV."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tlog_writing.logs import LogBox
from tests.tv_ui import boxes
from tests.tv_ui.boxes import client, put_playlist
from tv_ui.setup_page import SetupFacts, draw_address, render_setup, tv_address


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    return boxes.new_box(tmp_path)


def test_a_box_that_answers_itself_alone_says_how_to_open_it(box: LogBox) -> None:
    with client(box) as api:
        page = api.get("/setup?lang=pt-BR").text
        assert "As TVs da rede ainda não alcançam esta caixa" in page
        assert "TV_API_BIND=0.0.0.0" in page
        assert "http://localhost:8000/tv.html?tv=tv1" in page
        assert "<script" not in page


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Set up a TV"), ("pt-BR", "Configurar uma TV")]
)
def test_it_names_the_box_as_tvs_reach_it(box: LogBox, language: str, word: str) -> None:
    storage = box.settings.storage
    for name in ("tv1", "tv2", "playlist"):
        put_playlist(storage, name)
    box.environ["VV_TV_API_HOSTS"] = "localhost,*.lan,192.168.1.20,box.lan"
    with client(box, "192.168.1.20:8080") as api:
        page = api.get(f"/setup?lang={language}").text
    assert word in page
    lang = "&amp;lang=en" if language == "en" else ""
    for tv in ("tv1", "tv2"):
        address = f"http://192.168.1.20:8080/tv.html?tv={tv}"
        assert f"<code>{address}{lang}</code>" in page
        assert draw_address(address + lang.replace("&amp;", "&")) in page
    assert "http://box.lan:8080/tv.html?tv=tv1" in page
    assert "tv=playlist" not in page
    assert "TV_API_BIND" not in page
    assert "kiosk/setup.sh http://192.168.1.20:8080 tv1" in page


def test_the_usual_port_is_not_told() -> None:
    assert tv_address("box.lan", 80, "tv1", "pt-BR") == "http://box.lan/tv.html?tv=tv1"
    assert "http://box.lan/tv.html?tv=tv1" in render_setup(SetupFacts(["box.lan"], 80, []), "pt-BR")


@pytest.mark.parametrize("host", ["localhost", "localhost:99999", "[::1]:8000"])
def test_whoever_asks_by_a_strange_port_is_answered(box: LogBox, host: str) -> None:
    with client(box) as api:
        assert "/tv.html?tv=tv1" in api.get("/setup", headers={"Host": host}).text


def test_it_stands_where_nothing_is_there_yet(box: LogBox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(Path, "glob", fail)
    with client(box) as api:
        monkeypatch.setattr(Path, "glob", fail)
        assert "tv=tv1" in api.get("/setup").text
