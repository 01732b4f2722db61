"""The cleanup on a real box: what goes, what stays, and what the provable log says about it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import ROOT, Stranger, fill_up, small_disk, stranger
from tests.pipeline.box import Box, new_box
from tests.tlog_verifying.box import audit
from vv_core.atomic import TEMP_PREFIX
from vv_core.audit.keys import read_key_store
from vv_core.pipeline.lock import CycleLock
from vv_core.pipeline.quarantine import Failure, meta_path, quarantine
from vv_core.retention.cleanup import Request, run_cleanup
from vv_core.retention.command import build_parser, main, parse_space, plan_policy, plan_targets
from vv_core.retention.decision import Plan, Reason, Removal
from vv_core.retention.looking import Places, Target, look_at, read_videos
from vv_core.retention.policy import load_policy
from vv_core.retention.removal_record import CHUNK, Record, RemovalRecord
from vv_core.retention.removing import apply_removals
from vv_core.tlog.log_files import VKEY
from vv_core.tlog.tiles import LogReader
from vv_core.utils import compute_sha256

__all__ = ["fill_up", "small_disk", "stranger"]

DAY_S = 86400


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """Return a box that has processed two videos; copied for each test."""
    with pytest.MonkeyPatch.context() as patch:
        box = new_box(tmp_path_factory.mktemp("worked"), patch)
        box.add("gate/a.mp4")
        box.add("b.mp4")
        assert box.cycle() == 0
        box.check_settled()
        return box


@pytest.fixture
def box(worked: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Return that box forty days later, by its clock."""
    shutil.copytree(worked.home, tmp_path / "box", symlinks=True)
    # Its log bears today's time, which is long ago by the box's clock.
    shutil.rmtree(tmp_path / "box" / "logs", ignore_errors=True)
    (tmp_path / "box" / "logs").mkdir()
    box = new_box(tmp_path / "box", monkeypatch)
    box.wait(40 * DAY_S)
    return box


def clean(box: Box, *arguments: str) -> int:
    """Run the cleanup with the box's clock, the log's real writer in a forked child."""
    settings, places = box.settings, Places.of(box.settings)
    parsed = build_parser().parse_args(arguments)
    policy = load_policy(settings.retention_file)
    targets = plan_targets(parsed, places, policy)
    request = Request(
        targets=targets,
        policy=plan_policy(parsed.days, policy, targets, places),
        space=parsed.min_free_space,
        exclude=tuple(parsed.exclude_patterns),
        is_dry=parsed.dry_run,
        is_json=parsed.json,
        log_file=parsed.log_file,
    )
    return run_cleanup(settings, places, request, box.clock, lambda _settings: box.runner)


def events(box: Box) -> list[dict[str, Any]]:
    """Return the removals that the log knows, after an audit that finds nothing wrong."""
    folder = box.folder("loglines")
    vkey = (folder / "log" / VKEY).read_text("utf-8").strip()
    assert audit(folder, vkeys=[vkey], keys=read_key_store(box.key_store).keys).problems == []
    size = int((folder / "log" / "checkpoint").read_text("utf-8").split("\n")[1])
    entries = (json.loads(each or b"{}") for each in LogReader(folder / "log").entries(0, size))
    return [each for each in entries if each.get("kind") == "file_removed"]


def put(box: Box, name: str, days: float = 100, text: str = "x") -> Path:
    """Put a file below the box's home, so many days old by the box's clock."""
    path = box.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    date(box, path, days)
    return path


def date(box: Box, path: Path, days: float) -> None:
    """Make a file so many days old by the box's clock."""
    moment = (box.clock.now() - timedelta(days=days)).timestamp()
    os.utime(path, (moment, moment))


@pytest.mark.integration
def test_old_videos_go_and_the_log_says_so(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    hashes = {line[0] for line in box.log_lines()}
    assert clean(box) == 0
    assert box.names("processed") == []
    assert {each["details"]["sha256"] for each in events(box)} == hashes
    assert {each["details"]["file"] for each in events(box)} == {
        "processed/gate/a.mp4",
        "processed/b.mp4",
    }
    assert {each["details"]["why"] for each in events(box)} == {"retention of 30 days"}
    assert "cleanup: 2 files removed" in capsys.readouterr().out
    record = box.folder("orchestrator_data") / "removals.jsonl"
    assert record.read_text() == ""
    assert len(box.loglines()) == 2, "LogLines are the log's to prune"
    # Again: nothing is left to do, and nothing is said twice.
    assert clean(box) == 0
    assert len(events(box)) == 2
    assert "cleanup: 0 files removed (0 B)" in capsys.readouterr().out


@pytest.mark.integration
def test_documents_of_a_video_are_evidence_too_and_its_pictures_are_not(box: Box) -> None:
    pictures = put(box, "data/analytic/b.pictures/person.jpg")
    box.wait(60 * DAY_S)
    assert clean(box) == 0
    assert not pictures.exists()
    assert box.names("analytic") == []
    assert len(box.names("summaries")) == 2
    kinds = sorted(each["details"]["file"].split("/")[0] for each in events(box))
    assert kinds == ["analytic", "analytic", "processed", "processed"]
    named = {
        line["evidence"]["analytic_sha256"] for lines in box.loglines().values() for line in lines
    }
    assert named <= {each["details"]["sha256"] for each in events(box)}


@pytest.mark.integration
def test_a_log_that_cannot_be_told_is_told_the_next_time(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    key = box.home / "secrets" / "log_signing_key.pem"
    key.rename(key.with_suffix(".away"))
    assert clean(box) == 0
    assert box.names("processed") == []
    assert ("removal_not_logged", "log") in box.alerts()
    assert "! 2: " in capsys.readouterr().err
    key.with_suffix(".away").rename(key)
    assert events(box) == []
    assert clean(box) == 0
    assert len(events(box)) == 2


@pytest.mark.integration
def test_a_crash_between_record_and_removal_tells_no_lie(box: Box) -> None:
    video = box.folder("processed") / "b.mp4"
    record = RemovalRecord(box.folder("orchestrator_data") / "removals.jsonl")
    status = video.stat()
    record.add(
        Record(
            "2026-01-01T00:00:00Z",
            "processed/b.mp4",
            os.fsencode(video).hex(),
            status.st_ino,
            "a" * 64,
            "x",
        )
    )
    gone = Record("2026-01-02T00:00:00Z", "processed/gone.mp4", b"/gone".hex(), 1, "b" * 64, "x")
    record.add(gone)
    with (box.folder("orchestrator_data") / "removals.jsonl").open("a") as stream:
        stream.write('{"when": "2026-01-0')
    assert clean(box, "--dirs", "logs", "--days", "9") == 0
    assert [each["details"]["file"] for each in events(box)] == ["processed/gone.mp4"]
    assert record.read() == []
    assert video.exists()


@pytest.mark.integration
def test_more_removals_than_one_list_holds(box: Box) -> None:
    record = RemovalRecord(box.folder("orchestrator_data") / "removals.jsonl")
    for number in range(CHUNK + 3):
        record.add(
            Record("2026-01-02T00:00:00Z", f"processed/{number}", b"/gone".hex(), 1, "b" * 64, "x")
        )
    assert clean(box, "--dirs", "logs", "--days", "9") == 0
    assert len(events(box)) == CHUNK + 3


def test_a_dry_run_changes_nothing(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    put(box, f"data/loglines/{TEMP_PREFIX}1")
    before = sorted((path, path.lstat().st_mtime_ns) for path in box.home.rglob("*"))
    assert clean(box, "--dry-run") == 0
    assert sorted((path, path.lstat().st_mtime_ns) for path in box.home.rglob("*")) == before
    out = capsys.readouterr().out
    assert f"  {box.folder('processed')}/gate/a.mp4 (" in out
    assert "dry run: 3 files would be removed (" in out


def test_in_portuguese(
    box: Box, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_LANGUAGE", "pt-BR")
    put(box, "logs/app.log.1", text="x" * 1500)
    assert clean(box, "--dirs", "logs", "--dry-run") == 0
    assert "simulação: 1 arquivo seria apagado (1,5 kB)" in capsys.readouterr().out
    assert clean(box, "--dirs", "logs") == 0
    assert "limpeza: 1 arquivo apagado (1,5 kB)" in capsys.readouterr().out


def test_for_programs_and_with_a_log_file(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    old = put(box, "logs/app.log.1")
    put(box, "logs/app.log.2", days=1)
    put(box, "logs/keep.important")
    log_file = box.home / "cleanup.log"
    arguments = ["--dirs", "logs", "--days", "9", "--exclude-patterns", "*.important,x_*", "--json"]
    assert clean(box, *arguments, "--log-file", str(log_file)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["removed"] == [{"file": str(old), "bytes": 1, "reason": "old", "limit": 9}]
    assert document["kept"]["excluded"] == 1
    assert document["kept"]["young"] >= 1
    assert document["dry_run"] is False
    (line,) = log_file.read_text().splitlines()
    assert line.endswith(f" removed {old} (1 B): retention of 9 days")
    assert box.names("../logs") == ["app.log.2", "keep.important"]


def test_what_waits_and_what_failed_stays(box: Box) -> None:
    kept = [
        put(box, "data/input/gate/wait.mp4"),
        put(box, "data/raw/cam/x.mp4"),
        put(box, "data/corrupted/bad.mp4"),
        put(box, "data/analytic/wait.analytic.json"),
        put(box, "data/processed/foreign.mp4"),
        put(box, "data/models/x.gguf"),
        put(box, "data/orchestrator_data/state.json"),
        put(box, "data/exports/x.vvproof"),
        put(box, "secrets/old.pem"),
        put(box, f"data/input/{TEMP_PREFIX}x"),
        put(box, f"data/analytic/{TEMP_PREFIX}young", days=0.5),
    ]
    assert clean(box) == 0
    assert [path for path in kept if not path.exists()] == []


@pytest.mark.integration
def test_quarantined_videos_go_in_the_end_and_the_log_says_so(box: Box) -> None:
    """Whenever they were recorded: their time counts from the quarantine, which the meta file dates."""
    video = put(box, "data/input/gate/bad.mp4", days=400, text="no video")
    sha256 = compute_sha256(video)
    failure = Failure(
        "scan_video", 65, False, "no video", "delete it", (), 1, "2026-01-01T00:00:00Z"
    )
    storage = box.settings.storage
    held = quarantine(storage, video, "gate/bad.mp4", sha256, failure)
    meta = meta_path(held)
    date(box, meta, days=179)
    assert clean(box) == 0
    assert held.exists()
    date(box, meta, days=180)
    foreign = put(box, "data/corrupted/gate/mine.mp4", days=999)
    assert clean(box, "--dirs", "corrupted") == 0
    assert [path for path in (held, meta) if path.exists()] == []
    assert foreign.exists()
    (event,) = [each for each in events(box) if each["details"]["sha256"] == sha256]
    assert event["details"]["file"] == "corrupted/gate/bad.mp4"
    assert event["details"]["why"] == "retention of 180 days"


def test_left_overs_go_everywhere_but_where_they_may_be_others(box: Box) -> None:
    folders = ["analytic", "loglines/log", "models", "orchestrator_data", "playlists", "corrupted"]
    old = [put(box, f"data/{folder}/{TEMP_PREFIX}x", days=2) for folder in folders]
    assert clean(box) == 0
    assert [path for path in old if path.exists()] == []


def playlist(box: Box, content: object) -> None:
    put(box, "data/playlists/tv1.json", text=json.dumps(content))


def test_what_a_tv_shows_stays(box: Box) -> None:
    (sha256,) = [line[0] for line in box.log_lines() if "gate" in line[3]]
    playlist(
        box,
        {"items": [{"media": f"/media/{sha256[:16]}/a.mp4", "poster": None, "logline_id": "x"}]},
    )
    assert clean(box, "--dirs", "processed") == 0
    assert box.names("processed") == ["gate/a.mp4"]
    playlist(box, {"items": [{"media": f"/media/{sha256}.mp4", "poster": None, "logline_id": "x"}]})
    assert clean(box, "--dirs", "processed") == 0
    assert box.names("processed") == ["gate/a.mp4"]
    playlist(
        box, {"items": [{"media": "/media/other", "logline_id": f"20260101T000000Z-{sha256[:12]}"}]}
    )
    assert clean(box, "--dirs", "processed") == 0
    assert box.names("processed") == ["gate/a.mp4"]
    playlist(box, {"items": []})
    assert clean(box, "--dirs", "processed") == 0
    assert box.names("processed") == []


def test_clips_that_were_made_go_and_what_people_put_beside_them_stays(box: Box) -> None:
    shown, old, young = (f"{digit * 64}.mp4" for digit in "abc")
    playlist(box, {"items": [{"media": f"/media/{shown}"}]})
    for name, days in ((shown, 50), (old, 50), (young, 7.5)):
        put(box, f"data/tv_curado/{name}", days)
    put(box, "data/tv_curado/advert.mp4")
    put(box, f"data/tv_curado/of-people/{old}")
    before = len(events(box))
    assert clean(box) == 0
    left = sorted(path.name for path in box.folder("tv_curado").rglob("*.mp4"))
    assert left == sorted([shown, young, "advert.mp4", old])
    assert not [event for event in events(box)[before:] if old in str(event)], "no evidence"
    assert clean(box, "--dirs", "tv_curado", "--days", "10") == 0
    assert sorted(path.name for path in box.folder("tv_curado").iterdir()) == sorted(
        [shown, young, "of-people"]
    )


@pytest.mark.parametrize("content", [[], {"items": {}}, {"items": [1]}, "cut"])
def test_a_playlist_that_cannot_be_read_is_named_and_videos_stay(
    box: Box, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    playlist(box, content)
    if content == "cut":
        (box.folder("playlists") / "tv1.json").write_text('{"items": [')
    assert clean(box) == 75
    assert len(box.names("processed")) == 2
    assert "tv1.json" in capsys.readouterr().err


def test_links_are_not_followed(box: Box, tmp_path: Path) -> None:
    mine = put(box, "elsewhere/mine.log")
    (box.home / "logs").mkdir(exist_ok=True)
    (box.home / "logs" / "link.log").symlink_to(mine)
    (box.home / "logs" / "folder").symlink_to(mine.parent)
    assert clean(box, "--dirs", "logs", "--days", "1") == 0
    assert mine.exists()
    assert (box.home / "logs" / "link.log").is_symlink()


def test_a_folder_that_is_a_link_is_named(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    away = box.home / "big-disk"
    box.folder("processed").rename(away)
    box.folder("processed").symlink_to(away)
    assert clean(box) == 75
    assert "symbolic link" in capsys.readouterr().err
    assert len(list(away.rglob("*.mp4"))) == 2


def test_a_folder_that_became_a_link_meanwhile_is_not_followed(box: Box) -> None:
    settings, places = box.settings, Places.of(box.settings)
    put(box, "logs/sub/old.log")
    mine = put(box, "elsewhere/old.log")
    targets = plan_targets(build_parser().parse_args(["--dirs", "logs"]), places, load_policy(None))
    facts = [fact for fact in look_at(targets, places).facts.values() if "sub" in fact.name]
    plan = Plan(tuple(Removal(fact, Reason.OLD, 9) for fact in facts), {})
    shutil.rmtree(box.home / "logs" / "sub")
    (box.home / "logs" / "sub").symlink_to(mine.parent)
    record = RemovalRecord(settings.storage.orchestrator_data / "removals.jsonl")
    outcome = apply_removals(plan.removals, record, box.clock, lambda _: "x")
    assert (len(outcome.removed), len(outcome.failed)) == (0, 1)
    assert mine.exists()


def test_a_file_that_changed_or_vanished_meanwhile(box: Box) -> None:
    settings, places = box.settings, Places.of(box.settings)
    changed, gone = put(box, "logs/changed.log"), put(box, "logs/gone.log")
    targets = plan_targets(build_parser().parse_args(["--dirs", "logs"]), places, load_policy(None))
    facts = [each for each in look_at(targets, places).facts.values() if each.changed < 2e9]
    removals = [
        Removal(fact, Reason.OLD, 9) for fact in facts if Path(fact.path) in {changed, gone}
    ]
    changed.write_text("new content")
    gone.unlink()
    record = RemovalRecord(settings.storage.orchestrator_data / "removals.jsonl")
    outcome = apply_removals(removals, record, box.clock, lambda _: "x")
    assert outcome.removed == []
    assert [path for path, _ in outcome.failed] == [str(changed)]
    assert changed.read_text() == "new content"


def test_what_may_not_be_removed_is_named_and_the_others_go(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, be_nobody = stranger
    box = new_box(home, monkeypatch)
    closed, free = put(box, "logs/closed/a.log"), put(box, "logs/b.log")
    (home / "logs").chmod(0o777)
    box.folder("orchestrator_data").chmod(0o777)
    (home / "secrets").chmod(0o755)
    with be_nobody():
        assert clean(box, "--dirs", "logs", "--days", "9") == 75
    assert closed.exists()
    assert not free.exists()
    assert f"! {closed}: Permission denied" in capsys.readouterr().err


def test_only_where_space_is_wanted(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = new_box(small_disk, monkeypatch)
    old = [put(box, f"logs/app.log.{days}", days, "x" * 8192) for days in (90, 80, 70)]
    assert clean(box, "--dirs", "logs", "--min-free-space", "0.001MB") == 0
    assert all(path.exists() for path in old)
    free = shutil.disk_usage(small_disk).free
    assert clean(box, "--dirs", "logs", "--min-free-space", f"{(free + 12000) / 1e6:.3f}MB") == 0
    assert [path.exists() for path in old] == [False, False, True]
    assert clean(box, "--dirs", "logs", "--min-free-space", "100%") == 0
    assert not old[2].exists()


def test_a_full_disk_still_gives_way(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, fill_up: Callable[[Path], Path]
) -> None:
    box = new_box(small_disk, monkeypatch)
    old = put(box, "logs/app.log.1", text="x" * 8192)
    (box.folder("orchestrator_data") / "cleanup.lock").touch()
    fill_up(small_disk)
    assert clean(box, "--dirs", "logs") == 0
    assert not old.exists()


def test_two_at_once(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    with CycleLock(box.folder("orchestrator_data") / "cleanup.lock"):
        assert clean(box) == 0
    assert "another cleanup is at work" in capsys.readouterr().out
    assert len(box.names("processed")) == 2


WRONG = {
    "input": (["--dirs", "data/input"], 64, "never cleaned"),
    "the log": (["--dirs", "data/loglines/log", "--days", "1"], 64, "never cleaned"),
    "the root": (["--dirs", "data", "--days", "1"], 64, "never cleaned"),
    "outside": (["--dirs", "/usr", "--days", "1"], 64, "--allow-outside"),
    "no rule": (["--dirs", "exports"], 64, "--days N"),
    "outside without days": (["--dirs", "/usr", "--allow-outside"], 64, "--days N"),
    "missing": (["--dirs", "data/processed/none"], 66, "does not exist"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_what_is_refused(
    name: str, box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code, message = WRONG[name]
    monkeypatch.chdir(box.home)
    assert main([*arguments, "--dry-run"]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--days", "0"], ["--days", "-1"], ["--days", "1.5"], ["--days", "99999"], ["--days", "x"]]
    + [["--min-free-space", text] for text in ("", "x", "-1", "101%", "10 apples", "1e9")],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 64


@pytest.mark.parametrize(
    ("text", "free", "percent"),
    [("10", 10**10, 0), ("1,5GB", 1_500_000_000, 0), ("2 tb", 2 * 10**12, 0), ("15%", 0, 15)],
)
def test_units_of_space(text: str, free: int, percent: float) -> None:
    limit = parse_space(text)
    assert (limit.least_bytes, limit.percent) == (free, percent)


def test_outside_with_the_flag(box: Box, tmp_path: Path) -> None:
    old, young = put(box, "elsewhere/old.txt"), put(box, "elsewhere/young.txt", 2)
    state = put(box, "elsewhere/x.sqlite")
    assert clean(box, "--dirs", str(old.parent), "--days", "9", "--allow-outside") == 0
    assert (old.exists(), young.exists(), state.exists()) == (False, True, True)
    assert len(box.names("processed")) == 2


def test_the_command_of_the_blueprint(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may stand among the folders; a video of today stays."""
    put(box, "logs/app.log", days=0)
    dirs = f"{box.folder('processed')},{box.home / 'logs' / 'app.log'}"
    assert main(["--days", "30", "--dirs", dirs]) == 0
    assert len(box.names("processed")) == 2
    assert (box.home / "logs" / "app.log").exists()


def test_own_rules(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = put(box, "data/config/retention.yaml")
    rules.write_text(
        "schema: vv.retention/1\nfolders:\n- {folder: logs, days: 9, exclude: ['k*']}\n"
    )
    monkeypatch.setenv("VV_RETENTION_FILE", str(rules))
    old, kept = put(box, "logs/a.log"), put(box, "logs/keep.log")
    assert clean(box) == 0
    assert (old.exists(), kept.exists(), len(box.names("processed"))) == (False, True, 2)


def test_a_box_without_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    assert main([]) == 78
    assert "make setup" in capsys.readouterr().err


def test_lines_of_processed_videos_that_are_none(tmp_path: Path) -> None:
    good = f'{"a" * 64}\t2026-01-01T00:00:00Z\t"a"\t"cam/a.mp4"\n'
    path = tmp_path / "processed_videos.log"
    bad = [
        "",
        "x\n",
        good.replace('"a"', "1"),
        good.replace("2026-", ""),
        good.replace('"a"', '"a'),
    ]
    path.write_text("".join([*(line + "\n" for line in bad), good, good[:-1]]))
    assert list(read_videos(path)) == ["cam/a.mp4"]
    assert read_videos(tmp_path / "none") == {}


@pytest.mark.integration
def test_the_script_on_a_box_whose_videos_are_old(box: Box) -> None:
    """With the machine's clock, the runner of the settings and the writer in a process of its own."""
    path = box.folder("orchestrator_data") / "processed_videos.log"
    path.write_text(re.sub(r"\t20\d\d-", "\t2020-", path.read_text()))
    for video in box.folder("processed").rglob("*.mp4"):
        os.utime(video, (1_600_000_000, 1_600_000_000))
    script = ROOT / "scripts" / "cleanup_old_files.py"
    command = [sys.executable, str(script), "--days", "30", "--dirs", "processed", "--json"]
    result = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert (len(document["removed"]), document["logged"], document["unlogged"]) == (2, 2, 0)
    assert box.names("processed") == []
    assert len(events(box)) == 2


def test_a_folder_that_may_not_be_listed_is_named(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, be_nobody = stranger
    box = new_box(home, monkeypatch)
    put(box, "logs/closed/a.log")
    (home / "logs" / "closed").chmod(0o700)
    (home / "data" / "processed").chmod(0o700)
    with be_nobody():
        targets = [Target(f"{home}/logs"), Target(f"{home}/data/processed/x")]
        look = look_at(targets, Places.of(box.settings))
    assert [(path, reason) for path, reason in look.problems] == [
        (f"{home}/logs/closed", "Permission denied"),
        (f"{home}/data/processed/x", "Permission denied"),
    ]
