"""What TVs ask for: page, playlist, pictures, fallback, and whether the server answers."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.tlog_writing.logs import LogBox
from tests.tv_ui import boxes
from tests.tv_ui.boxes import alerts_of, beat, client, put_playlist, sha_of
from tv_ui import posters, tv_page
from tv_ui.playlist_store import PlaylistStore, build_playlist
from tv_ui.posters import find_videos
from tv_ui.tv_page import TvPageFile, build_page
from vv_core.clock import format_utc
from vv_core.errors import InputDataError, VvError
from vv_core.pipeline.processed_log import ProcessedLog
from vv_core.processed_video import ProcessedVideo, parse_line
from vv_schemas import example_path

PICTURE = b"\xff\xd8 a picture"
PICTURE_SHA = sha_of(PICTURE)
VIDEO_SHA = "a1" * 32
LOGLINE_ID = "20261121T050304Z-a1a1a1a1a1a1"


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    return boxes.new_box(tmp_path)


def test_the_server_answers_where_nothing_is_there_yet(box: LogBox) -> None:
    shutil.rmtree(box.settings.storage.root)
    with client(box) as api:
        answer = api.get("/healthz")
        assert answer.status_code == 200
        version = build_page((box.home / "tv.html").read_bytes()).version
        now = format_utc(box.clock.now())
        assert answer.json() == {"status": "ok", "page_version": version, "server_time": now}
        assert api.get("/playlists/tv1").status_code == 404
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404


def test_the_page_knows_its_version_and_runs_itself_alone(box: LogBox) -> None:
    with client(box) as api:
        answer = api.get("/tv.html?tv=tv1&lang=en")
        assert api.get("/tv?tv=x").content == answer.content
        version = api.get("/healthz").json()["page_version"]
        assert len(version) == 16
        assert f"v='{version}'" in answer.text
        assert "__PAGE_VERSION__" not in answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"].split("; ")
        for kind, content in (("script", f"let v='{version}';"), ("style", "a{}")):
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy
        assert {"default-src 'none'", "connect-src 'self'", "media-src 'self' blob: data:"} <= set(
            policy
        )
        assert "unsafe" not in answer.headers["content-security-policy"]
        tag = answer.headers["etag"]
        assert api.get("/tv.html", headers={"If-None-Match": tag}).status_code == 304
        (box.home / "tv.html").write_text(f"{boxes.PAGE} ")
        assert api.get("/healthz").json()["page_version"] != version
        assert api.get("/tv.html", headers={"If-None-Match": tag}).status_code == 200


def test_a_page_without_scripts_may_run_none() -> None:
    policy = build_page(b"<p>x").policy
    assert "script-src 'none'" in policy
    assert "style-src 'none'" in policy


def test_ends_of_line_are_those_that_a_browser_hashes() -> None:
    crlf, lf = (build_page(f"<script>a{end}b</script>".encode()) for end in ("\r\n", "\n"))
    assert crlf.policy == lf.policy


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_without_its_page_the_server_still_answers(box: LogBox, content: bytes | None) -> None:
    path = box.home / "tv.html"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with client(box) as api:
        assert api.get("/healthz").json()["page_version"] == ""
        answer = api.get("/tv.html")
        assert answer.status_code == 503
        assert str(box.home) not in answer.text
    with pytest.raises(VvError, match=r"tv\.html"):
        TvPageFile(path).get()


def test_a_playlist_is_sent_once(box: LogBox) -> None:
    storage = box.settings.storage
    document = put_playlist(storage, "tv2")
    put_playlist(storage, "playlist")
    with client(box) as api:
        first = api.get("/playlists/tv2")
        assert first.json() == document
        assert first.headers["x-vv-playlist-age"] == ""
        tag = first.headers["etag"]
        beat(box)
        box.clock.step(seconds=7)
        again = api.get("/playlists/tv2", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["x-vv-playlist-age"] == "7"
        assert again.headers["x-vv-server-time"] == format_utc(box.clock.now())
        assert again.headers["x-vv-page-version"] == api.get("/healthz").json()["page_version"]
        assert api.get("/playlists/all").json()["items"] == first.json()["items"]
        box.clock.step(seconds=-60)
        assert api.get("/playlists/tv2").headers["x-vv-playlist-age"] == "0"


def test_the_tag_is_that_of_what_is_shown() -> None:
    document = json.loads(example_path("playlist").read_bytes())
    tag = build_playlist(document).tag
    later = {**document, "generated": "2027-01-01T00:00:00Z", "window": {}}
    assert build_playlist(later).tag == tag
    assert build_playlist({**document, "valid_s": 1}).tag != tag
    assert build_playlist({**document, "items": []}).tag != tag


@pytest.mark.parametrize(
    "name", ["tv9", "..%2f..%2fsecrets", "%2e%2e", "tv2.json", "a" * 65, "tv2%00"]
)
def test_there_is_no_other_playlist(box: LogBox, name: str) -> None:
    put_playlist(box.settings.storage, "tv2")
    with client(box) as api:
        assert api.get(f"/playlists/{name}").status_code == 404


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"items": 1}', '{"items": [], "x": "\\ud800"}']
)
def test_a_torn_playlist_is_not_sent_and_a_whole_one_is_again(box: LogBox, content: str) -> None:
    storage = box.settings.storage
    put_playlist(storage, "tv2")
    with client(box) as api:
        assert api.get("/playlists/tv2").status_code == 200
        (storage.playlists / "tv2.json").write_text(content)
        answer = api.get("/playlists/tv2")
        assert answer.status_code == 503
        assert str(box.home) not in answer.text
        put_playlist(storage, "tv2")
        assert api.get("/playlists/tv2").status_code == 200


def test_playlists_in_memory_have_a_limit(box: LogBox, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = box.settings.storage
    monkeypatch.setattr("tv_ui.playlist_store._MAX_CACHED_BYTES", 1500)
    store = PlaylistStore(storage)
    for name in ("a", "b", "c"):
        put_playlist(storage, name)
        store.get(name)
    assert sum(len(each.body) for _, each in store._known.values()) <= 1500
    assert store.names() == ["a", "b", "c"]
    first = store.get("c")
    assert store.get("c") is first, "not read again"


def put_picture(
    box: LogBox, video_sha: str = VIDEO_SHA, place: str = "x.pictures/best.jpg"
) -> Path:
    """Put a picture where a LogLine names it, and list it."""
    storage = box.settings.storage
    path = storage.analytic / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PICTURE)
    line = json.loads(example_path("logline").read_bytes())
    line["media"] |= {"picture": place, "picture_sha256": PICTURE_SHA}
    (storage.loglines / "x.logline.json").write_text(json.dumps(line))
    video = ProcessedVideo(video_sha, "2026-11-21T05:10:30Z", "x", "x.mp4")
    ProcessedLog(storage.orchestrator_data / "processed_videos.log").append(video)
    put_playlist(storage, poster=f"/posters/{PICTURE_SHA}.jpg")
    return path


def test_a_picture_is_sent_by_its_content(box: LogBox) -> None:
    put_picture(box)
    with client(box) as api:
        for _ in range(2):
            answer = api.get(f"/posters/{PICTURE_SHA}.jpg")
            assert (answer.status_code, answer.content) == (200, PICTURE)
        assert answer.headers["content-type"] == "image/jpeg"
        assert "immutable" in answer.headers["cache-control"]
        tag = {"If-None-Match": answer.headers["etag"]}
        assert api.get(f"/posters/{PICTURE_SHA}.jpg", headers=tag).status_code == 304
        assert api.head(f"/posters/{PICTURE_SHA}.jpg").status_code == 200
        (box.settings.storage.playlists / "tv1.json").unlink()
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 200, "a TV may still show it"


def test_a_picture_that_was_changed_is_not_sent(box: LogBox) -> None:
    path = put_picture(box)
    with client(box) as api:
        for content in (PICTURE[:-1], PICTURE + b"x", b"", b"\xfe" + PICTURE[1:]):
            path.write_bytes(content)
            assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404
        assert alerts_of(box) == [("media_refused", PICTURE_SHA)]
        path.unlink()
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404
        path.symlink_to(box.home / "tv.html")
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404


def test_a_picture_comes_only_from_its_logline_and_below_its_folder(box: LogBox) -> None:
    secret = box.settings.storage.root / "secret"
    secret.write_bytes(PICTURE)
    put_picture(box, place="../secret")
    with client(box) as api:
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404
    put_picture(box)
    line = box.settings.storage.loglines / "x.logline.json"
    for content in ("{", "[]", line.read_text().replace(PICTURE_SHA, "0" * 64)):
        line.write_text(content)
        with client(box) as api:
            assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404


def test_a_picture_that_no_playlist_names_is_not_looked_for(box: LogBox) -> None:
    put_picture(box)
    storage = box.settings.storage
    put_playlist(storage, poster=None)
    (storage.playlists / "torn.json").write_text("{")
    with client(box) as api:
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404
        put_playlist(storage, poster=f"/posters/{PICTURE_SHA}.jpg", logline_id="none")
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404


def test_a_picture_whose_video_is_not_told_yet_comes_when_it_is(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_picture(box)
    log = box.settings.storage.orchestrator_data / "processed_videos.log"
    line = log.read_bytes()
    with client(box) as api:
        for content in (
            None,
            b"",
            line[:-1],
            line.replace(b'"x"', b"x"),
            line.replace(b'"x"', b"1"),
        ):
            log.unlink() if content is None else log.write_bytes(content)
            assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404
        monkeypatch.setattr(
            posters, "find_picture", lambda *_: (_ for _ in ()).throw(OSError(5, "x"))
        )
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 404
        monkeypatch.undo()
        log.write_bytes(line)
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 200


def test_videos_are_found_from_the_end_by_the_first_digits_of_their_hash(tmp_path: Path) -> None:
    path = tmp_path / "processed_videos.log"
    log = ProcessedLog(path)
    shas = ["a1" * 32, "b2" * 32, "a1" * 6 + "0" * 52, "ffa1a1a1a1a1a1" + "0" * 50]
    for number, sha in enumerate(shas):
        log.append(ProcessedVideo(sha, "t", f"s{number}", "a1a1a1a1a1a1"))
    assert [video.stem for video in find_videos(path, "a1" * 6)] == ["s2", "s0"]
    assert [video.stem for video in find_videos(path, "b2" * 6)] == ["s1"]
    assert list(find_videos(path, "c3" * 6)) == []


def test_places_in_memory_have_a_limit(box: LogBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posters, "_MAX_KNOWN", 0)
    put_picture(box)
    with client(box) as api:
        assert api.get(f"/posters/{PICTURE_SHA}.jpg").status_code == 200


@pytest.mark.parametrize("name", ["0" * 64, "x", f"..%2f{PICTURE_SHA}", PICTURE_SHA.upper()])
def test_there_is_no_other_picture(box: LogBox, name: str) -> None:
    put_picture(box)
    with client(box) as api:
        assert api.get(f"/posters/{name}.jpg").status_code == 404


def test_tvs_get_what_they_fall_back_on_and_nothing_beside_it(box: LogBox) -> None:
    folder = box.settings.storage.fallback
    (folder / "loop_silencioso.mp4").write_bytes(b"0123456789")
    (folder / "other").write_bytes(b"x")
    (folder / "placeholder.png").symlink_to(box.home / "tv.html")
    with client(box) as api:
        part = api.get("/fallback/loop_silencioso.mp4", headers={"Range": "bytes=2-3"})
        assert (part.status_code, part.content) == (206, b"23")
        assert part.headers["content-type"] == "video/mp4"
        assert api.get("/fallback/loop_silencioso.mp4").headers["cache-control"] == "no-cache"
        for name in ("placeholder.png", "other", "..%2fx", "%2e%2e"):
            assert api.get(f"/fallback/{name}").status_code == 404


def test_a_line_of_the_processed_videos_is_read_as_it_was_written() -> None:
    video = ProcessedVideo("a" * 64, "2026-11-21T05:10:30Z", "ação", "c\udcff/\n.mp4")
    line = f"{video.to_line()}\n".encode()
    assert parse_line(line + b"next") == video
    for torn in (line[:-1], b"", b"\n", b"\xff\n", b"a\tb\tc\n", b'a\tb\t1\t"x"\n'):
        assert parse_line(torn) is None


def test_the_page_is_read_once(box: LogBox, monkeypatch: pytest.MonkeyPatch) -> None:
    file = TvPageFile(box.home / "tv.html")
    page = file.get()
    monkeypatch.setattr(tv_page, "build_page", None)
    assert file.get() is page


def test_what_is_no_playlist_says_so(box: LogBox) -> None:
    (box.settings.storage.playlists / "a.json").write_text("{}")
    with pytest.raises(InputDataError, match="not a playlist"):
        PlaylistStore(box.settings.storage).get("a")
