"""The log's head for cameras, and why a TV shows what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tlog_writing.logs import LogBox
from tests.tv_ui import boxes
from tests.tv_ui.boxes import client
from tv_ui.explain import wants_html
from tv_ui.log_head import HeadPicture
from vv_core.tlog import head_pictures
from vv_core.tlog.own_log import open_own_log


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    return boxes.new_box(tmp_path)


def test_without_a_log_there_is_no_head(box: LogBox) -> None:
    with client(box) as api:
        assert api.get("/log/head").status_code == 404
        assert api.get("/log/head.svg").status_code == 404


def test_the_head_is_told_and_drawn(box: LogBox) -> None:
    box.append("a")
    with client(box) as api:
        head = api.get("/log/head").json()
        assert (head["size"], len(head["root"])) == (1, 64)
        picture = api.get("/log/head.svg")
        assert picture.headers["content-type"] == "image/svg+xml"
        note = open_own_log(box.settings.storage.log).note
        assert picture.content == head_pictures.draw_svg(note)
        tag = {"If-None-Match": picture.headers["etag"]}
        assert api.get("/log/head.svg", headers=tag).status_code == 304
        box.append("b")
        later = api.get("/log/head.svg", headers=tag)
        assert later.status_code == 200
        assert later.content != picture.content
        assert api.get("/log/head").json()["size"] == 2


def test_a_torn_head_is_not_told(box: LogBox) -> None:
    box.append("a")
    (box.folder / "checkpoint").write_text("torn")
    with client(box) as api:
        for path in ("/log/head", "/log/head.svg"):
            answer = api.get(path)
            assert answer.status_code == 503
            assert str(box.home) not in answer.text


def test_a_head_is_drawn_once(box: LogBox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.append("a")
    note = open_own_log(box.settings.storage.log).note
    picture = HeadPicture()
    first = picture.draw(note)
    monkeypatch.setattr("tv_ui.log_head.draw_svg", None)
    assert picture.draw(note) is first


def test_a_head_that_is_too_long_for_a_picture_is_not_drawn(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.append("a")
    monkeypatch.setattr(head_pictures, "MAX_QR_BYTES", 10)
    with client(box) as api:
        assert api.get("/log/head.svg").status_code == 503
        assert api.get("/log/head").status_code == 200


ENTRY = {
    "logline_id": "20261121T050304Z-a1a1a1a1a1a1",
    "when": "2026-11-21T05:03:04Z",
    "shown": False,
    "reason": "status",
    "text": {"pt-BR": "status <alerta> não é desta TV", "en": "status <alerta> is not of this TV"},
}


def put_explanation(box: LogBox, document: Any) -> None:
    path = box.settings.storage.playlists / "explain" / "tv1.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))


def explanation(*entries: Any) -> dict[str, Any]:
    return {
        "schema": "vv.explain/1",
        "tv": "tv1",
        "generated": "2026-11-21T05:15:00Z",
        "entries": [*entries],
    }


def test_a_tv_is_explained(box: LogBox) -> None:
    other = {**ENTRY, "logline_id": "other", "shown": True}
    put_explanation(box, explanation(ENTRY, other, "nonsense"))
    with client(box) as api:
        assert api.get("/tv/tv1/explain").json()["entries"] == [ENTRY, other]
        one = api.get("/tv/tv1/explain", params={"logline": "other"}).json()
        assert one["entries"] == [other]
        html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        page = api.get("/tv/tv1/explain", headers=html)
        assert page.headers["vary"] == "Accept"
        assert "status &lt;alerta&gt; is not of this TV" in page.text
        assert "✗" in page.text
        page = api.get("/tv/tv1/explain?lang=pt-BR&logline=none", headers=html)
        assert "Nada a explicar" in page.text
        assert 'lang="pt-BR"' in page.text


def test_a_text_that_is_missing_is_its_reason(box: LogBox) -> None:
    put_explanation(box, explanation({**ENTRY, "text": None}))
    with client(box) as api:
        page = api.get("/tv/tv1/explain", headers={"Accept": "text/html"})
        assert "<td>status</td>" in page.text


def test_what_is_not_explained_is_not_found(box: LogBox) -> None:
    with client(box) as api:
        for tv in ("tv1", "t.v", "..%2f..%2fx"):
            assert api.get(f"/tv/{tv}/explain").status_code == 404
        for torn in ([], {"schema": "other", "entries": []}):
            put_explanation(box, torn)
            answer = api.get("/tv/tv1/explain")
            assert answer.status_code == 503
            assert str(box.home) not in answer.text


@pytest.mark.parametrize(
    ("accept", "is_html"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("text/html, application/json", False),
        ("text/html;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0.1.2", False),
        ("TEXT/HTML ; q=1", True),
    ],
)
def test_who_wants_a_page_gets_one(accept: str | None, is_html: bool) -> None:
    assert wants_html(accept) == is_html
