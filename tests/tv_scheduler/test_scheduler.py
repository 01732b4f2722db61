"""The command: once, and for as long as it may."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import timedelta

import pytest

from tests.tv_scheduler.conftest import TvBox
from tv_scheduler import tv_scheduler
from tv_scheduler.job import PlaylistJob
from tv_scheduler.loglines import LogLines
from vv_core.alerts import read_alerts
from vv_core.errors import ConfigError, TemporaryError, VvError
from vv_core.media_record import Clip, MediaRecord, MediaState, write_media_record


def never() -> bool:
    return False


def turn(box: TvBox, job: PlaylistJob | None = None) -> dict[str, object]:
    """Do a turn, a minute later, so that all is looked at and nothing is still being written."""
    box.log.clock.step(seconds=60)
    return (job or PlaylistJob(box.settings, box.log.clock))(never)


def items(box: TvBox, name: str) -> list[str]:
    document = json.loads((box.settings.storage.playlists / name).read_text("utf-8"))
    return [str(item["title"]) for item in document["items"]]


def test_playlists_are_made_from_what_verifies(box: TvBox) -> None:
    box.add("early", ago=timedelta(hours=3))
    box.add("late", "curado", ago=timedelta(hours=1))
    box.add("alarm", "alerta")
    box.add("old", ago=timedelta(hours=24))
    changed = box.add("changed")
    changed.write_bytes(changed.read_bytes().replace(b"confirmado", b"alerta"))
    figures = turn(box)
    assert items(box, "tv1.json") == ["early", "late"]
    assert items(box, "tv2.json") == ["alarm"]
    assert items(box, "tv3.json") == ["late"]
    assert items(box, "playlist.json") == ["early", "alarm", "late"]
    assert figures["refused"] == 1


def marks(box: TvBox) -> dict[str, tuple[int, int]]:
    """Return what changes when a playlist is written, not when it is read."""
    paths = box.settings.storage.playlists.glob("*.json")
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def test_what_has_not_changed_is_left_alone(box: TvBox) -> None:
    box.add("a")
    turn(box)
    before = marks(box)
    box.log.clock.step(minutes=5)
    turn(box)
    assert marks(box) == before
    box.add("b", "alerta")
    turn(box)
    changed = {name for name, mark in marks(box).items() if mark != before[name]}
    assert changed == {"tv2.json", "playlist.json"}


def test_an_item_leaves_when_its_time_is_over(box: TvBox) -> None:
    box.add("a", ago=timedelta(hours=23, minutes=58))
    job = PlaylistJob(box.settings, box.log.clock)
    turn(box, job)
    assert items(box, "tv1.json") == ["a"]
    box.log.clock.step(minutes=2)
    turn(box, job)
    assert items(box, "tv1.json") == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"items": []}', b"\xff"])
def test_a_damaged_playlist_is_made_again(box: TvBox, content: bytes) -> None:
    box.add("a")
    turn(box)
    path = box.settings.storage.playlists / "tv1.json"
    path.write_bytes(content)
    turn(box)
    assert items(box, "tv1.json") == ["a"]


def test_rules_of_ones_own_hold_and_the_lists_of_tvs_that_are_no_more_go(box: TvBox) -> None:
    turn(box)
    storage = box.settings.storage
    (storage.playlists / "notes.json").write_text("{}")
    (storage.root / "config").mkdir()
    (storage.root / "config/tvs.yaml").write_text(
        "schema: vv.tv-rules/1\ntvs: [{name: hall, statuses: [alerta], order: time, window_hours: 1}]\n"
    )
    box.log.environ["VV_PLAYLIST_RULES_FILE"] = "data/config/tvs.yaml"
    turn(box)
    names = {path.name for path in storage.playlists.glob("*.json")}
    assert [path.name for path in (storage.playlists / "explain").iterdir()] == ["hall.json"]
    assert names == {"hall.json", "playlist.json", "notes.json"}


def test_rules_that_are_wrong_change_nothing(box: TvBox) -> None:
    box.add("a")
    turn(box)
    (box.log.home / "tvs.yaml").write_text("schema: wrong\n")
    box.log.environ["VV_PLAYLIST_RULES_FILE"] = "tvs.yaml"
    with pytest.raises(ConfigError, match="line 1"):
        turn(box)
    assert items(box, "tv1.json") == ["a"]


def test_a_line_that_is_not_the_boxs_own_raises_an_alert_once(box: TvBox) -> None:
    path = box.add("a")
    path.write_bytes(path.read_bytes().replace(b"portaria", b"portarix"))
    job = PlaylistJob(box.settings, box.log.clock)
    box.settings.storage.services.mkdir()
    turn(box, job)
    turn(box, job)
    (alert,) = read_alerts(box.settings.storage.services / "alerts.jsonl")
    assert (alert["code"], alert["severity"]) == ("logline_refused", "CRITICAL")
    assert "a.logline.json" in str(alert["message"])


def test_a_folder_that_cannot_be_written_is_told_before_anything_changes(box: TvBox) -> None:
    turn(box)
    shutil.rmtree(box.settings.storage.playlists)
    with pytest.raises(VvError, match="write playlists"):
        turn(box)


def test_what_cannot_be_read_is_told_in_each_turn_until_it_can(box: TvBox) -> None:
    storage = box.settings.storage
    job = PlaylistJob(box.settings, box.log.clock)
    box.add("a")
    turn(box, job)
    storage.loglines.rename(storage.root / "away")
    with pytest.raises(VvError, match="list the LogLines"):
        turn(box, job)
    for _ in range(5):
        # Sooner than it is tried again by itself: something else was heard, or the usual pause is a short one.
        box.log.clock.step(seconds=0.1)
        with pytest.raises(VvError, match="list the LogLines"):
            job(never)
    (storage.root / "away").rename(storage.loglines)
    box.add("b", ago=timedelta(minutes=1))
    box.log.clock.step(seconds=10)
    job(never)
    assert items(box, "tv1.json") == ["a", "b"]


def test_an_alert_that_cannot_be_kept_is_told(box: TvBox) -> None:
    path = box.add("a")
    path.write_bytes(path.read_bytes().replace(b"portaria", b"portarix"))
    (box.settings.storage.services / "alerts.jsonl").mkdir(parents=True)
    with pytest.raises(TemporaryError, match="keep an alert"):
        turn(box)


def test_once_says_what_is_listed(
    box: TvBox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    box.add("a")
    monkeypatch.setenv("VV_HOME", str(box.log.home))
    assert tv_scheduler.main(["--once"]) == 0
    assert capsys.readouterr().out == "tv1: 1 itens\ntv2: 0 itens\ntv3: 0 itens\nall: 1 itens\n"
    monkeypatch.setenv("VV_PLAYLIST_RULES_FILE", "none.yaml")
    assert tv_scheduler.main(["--once"]) == 78
    assert "none.yaml" in capsys.readouterr().err


def test_in_portions_nothing_is_written_before_all_was_looked_at(
    box: TvBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add("a")
    monkeypatch.setattr("tv_scheduler.job.BUDGET_S", 0.0)
    job = PlaylistJob(box.settings, box.log.clock)
    assert turn(box, job) == {"looked_at": 0}
    assert not list(box.settings.storage.playlists.iterdir())
    monkeypatch.undo()
    turn(box, job)
    assert items(box, "tv1.json") == ["a"]


def test_a_clip_is_listed_while_it_is_there(box: TvBox) -> None:
    line = json.loads(box.add("a").read_bytes())
    storage = box.settings.storage
    storage.media.mkdir()
    sha256 = line["evidence"]["video_sha256"]
    clip = Clip(sha256, "processed", "gate/a.mp4", 5, 1500, 640, 360, "h264", "aac")
    write_media_record(storage, MediaRecord(sha256, box.now, clip, MediaState.AS_IS))
    job = PlaylistJob(box.settings, box.log.clock)

    def media() -> tuple[str | None, int | None, float]:
        turn(box, job)
        (item,) = json.loads((storage.playlists / "tv1.json").read_bytes())["items"]
        return item["media"], item["bytes"], item["duration_s"]

    assert media() == (None, None, 8.0)
    (storage.processed / "gate").mkdir()
    (storage.processed / "gate/a.mp4").write_bytes(b"12345")
    assert media() == (f"/media/{sha256}.mp4", 5, 1.5)
    (storage.processed / "gate/a.mp4").unlink()
    assert media() == (None, None, 8.0)


def test_the_last_right_rules_hold_and_the_problem_is_told(box: TvBox) -> None:
    rules = box.log.home / "tvs.yaml"
    right = "schema: vv.tv-rules/1\ntvs: [{name: hall, statuses: [alerta], order: time, window_hours: 1}]\n"
    rules.write_text(right)
    box.log.environ["VV_PLAYLIST_RULES_FILE"] = "tvs.yaml"
    job = PlaylistJob(box.settings, box.log.clock)
    turn(box, job)
    rules.write_text(right.replace("hall", "a b"))
    box.add("a", "alerta", ago=timedelta(0))
    with pytest.raises(ConfigError, match="line 2, key 'name'"):
        turn(box, job)
    assert items(box, "hall.json") == ["a"]
    rules.write_text(right.replace("hall", "gate"))
    turn(box, job)
    assert items(box, "gate.json") == ["a"]


def test_an_index_that_breaks_in_the_middle_is_mended_or_done_without(
    box: TvBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add("a")
    job = PlaylistJob(box.settings, box.log.clock)
    turn(box, job)
    real, errors = LogLines.work, [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL]

    def work(self: LogLines, reach_s: int, budget_s: float) -> None:
        if errors:
            error = sqlite3.DatabaseError("broken")
            error.sqlite_errorcode = errors.pop(0)
            raise error
        real(self, reach_s, budget_s)

    monkeypatch.setattr(LogLines, "work", work)
    box.add("b")
    assert turn(box, PlaylistJob(box.settings, box.log.clock))["index"] == "broken"
    assert items(box, "tv1.json") == ["a", "b"]
    box.add("c")
    assert turn(box, job)["index"] == ""
    assert items(box, "tv1.json") == ["a", "b", "c"]


def test_without_an_index_it_is_tried_again(box: TvBox) -> None:
    state = box.settings.storage.playlist_state
    state.write_text("in the way")
    box.add("a")
    job = PlaylistJob(box.settings, box.log.clock)
    assert turn(box, job)["index"]
    assert items(box, "tv1.json") == ["a"]
    state.unlink()
    assert turn(box, job)["index"] == ""
    assert (state / "index.sqlite").exists()
    job.close()


def test_same_inputs_give_the_same_bytes(box: TvBox) -> None:
    for number in range(5):
        box.add(f"n{number}", "curado", ago=timedelta(minutes=number))
    turn(box)
    folder = box.settings.storage.playlists
    first = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    for path in folder.glob("*.json"):
        path.unlink()
    shutil.rmtree(box.settings.storage.playlist_state)
    box.log.clock.step(seconds=-60)
    turn(box)
    assert {path.name: path.read_bytes() for path in folder.glob("*.json")} == first


def test_an_explanation_that_cannot_be_written_is_told(box: TvBox) -> None:
    turn(box)
    folder = box.settings.storage.playlists / "explain"
    (folder / "old.json").write_text("{}")
    (folder / "tv1.json").unlink()
    turn(box)
    assert sorted(path.name for path in folder.iterdir()) == ["tv1.json", "tv2.json", "tv3.json"]
    shutil.rmtree(folder)
    folder.write_text("in the way")
    with pytest.raises(VvError, match="write explanations"):
        turn(box)
