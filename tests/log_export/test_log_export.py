"""Packing a day's logs: which lines, which bytes, what is said about what could not be read."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import Stranger, fill_up, small_disk, stranger
from vv_core.errors import InputDataError, TemporaryError
from vv_core.log_export.command import main
from vv_core.log_export.containers import sort_lines
from vv_core.log_export.exporting import Export, export_day
from vv_core.log_export.manifest import read_manifest
from vv_core.log_export.selection import (
    Day,
    LogFile,
    is_expired,
    is_log_name,
    plan_reading,
    select_lines,
    split_name,
)
from vv_core.settings import OWN_PREFIXES, load_settings

__all__ = ["fill_up", "small_disk", "stranger"]

ZONE = ZoneInfo("America/Sao_Paulo")
DAY = Day.of(date(2026, 11, 20), ZONE)


class Noon:
    """A clock that stands at noon of the day after."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a box with nothing set."""
    for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    monkeypatch.setenv("VV_LANGUAGE", "en")
    (tmp_path / "logs").mkdir()
    return tmp_path


def record(moment: str, message: str = "x") -> bytes:
    return json.dumps({"time": moment, "level": "INFO", "message": message}).encode() + b"\n"


YESTERDAY, TODAY, TOMORROW = (record(f"2026-11-{day}T15:00:00.123Z") for day in (19, 20, 21))


def write(path: Path, data: bytes, moment: str = "2026-11-21T04:00:00") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    stamp = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    os.utime(path, (stamp, stamp))
    return path


def export(**options: bool) -> Export:
    return export_day(load_settings(), DAY, Noon(), **{"with_containers": False, **options})


def archive(home: Path) -> Path:
    return home / "data" / "exports" / "logs" / "vv_ai_logs_20261120.tar.gz"


def manifest(home: Path) -> Path:
    return archive(home).with_name("vv_ai_logs_20261120.manifest.json")


def content(home: Path) -> dict[str, bytes]:
    """Return the files of the archive, read by GNU tar."""
    names = subprocess.run(
        ["tar", "-tzf", str(archive(home))], check=True, timeout=60, capture_output=True, text=True
    ).stdout.split("\n")[:-1]
    found = {}
    with tarfile.open(archive(home)) as opened:
        for name in names:
            member = opened.extractfile(name)
            assert member is not None
            found[name] = member.read()
    return found


def test_the_lines_of_the_day_are_packed_and_named(home: Path) -> None:
    log = write(home / "logs" / "app.log", YESTERDAY + TODAY + TOMORROW)
    result = export()
    assert result.action == "written"
    assert content(home) == {"logs/app.log": TODAY}
    document = json.loads(manifest(home).read_text())
    assert document == result.manifest
    assert document["archive"] == archive(home).name
    assert document["archive_sha256"] == hashlib.sha256(archive(home).read_bytes()).hexdigest()
    assert document["archive_bytes"] == archive(home).stat().st_size
    assert document["exported"] == "2026-11-21T12:00:00Z"
    assert (document["from"], document["to"]) == ("2026-11-20T03:00:00Z", "2026-11-21T03:00:00Z")
    (file,) = document["files"]
    assert file == {
        "name": "logs/app.log",
        "bytes": len(TODAY),
        "sha256": hashlib.sha256(TODAY).hexdigest(),
        "sources": [str(log)],
        "redactions": 0,
    }
    assert archive(home).stat().st_mode & 0o777 == 0o640


def test_rotated_and_packed_logs_are_read_in_order(home: Path) -> None:
    lines = [record(f"2026-11-20T{hour}:00:00Z", str(hour)) for hour in range(10, 16)]
    logs = home / "logs"
    write(logs / "app.log", lines[5] + TOMORROW)
    write(logs / "app.log.1", lines[4], "2026-11-20T14:30:00")
    write(logs / "app.log.2.gz", gzip.compress(lines[3]), "2026-11-20T13:30:00")
    write(logs / "app.log-20261120.xz", lzma.compress(lines[2]), "2026-11-20T12:30:00")
    write(logs / "app.log.4.bz2", bz2.compress(lines[1]), "2026-11-20T11:30:00")
    write(logs / "app.log.5", lines[0][:-1], "2026-11-20T10:30:00")
    write(logs / "app.log.6", TODAY, "2026-11-19T10:30:00")
    export()
    assert content(home) == {"logs/app.log": b"".join(lines)}


def test_the_same_day_again_gives_the_same_bytes_however_it_was_rotated(home: Path) -> None:
    log = write(home / "logs" / "app.log", YESTERDAY + TODAY + TOMORROW)
    write(home / "logs" / "other.log", TODAY)
    export()
    first = (archive(home).read_bytes(), manifest(home).read_bytes())
    assert export().action == "unchanged"
    packed = write(home / "logs" / "app.log.1.gz", gzip.compress(log.read_bytes()))
    log.unlink()
    assert export().action == "unchanged"
    assert (archive(home).read_bytes(), manifest(home).read_bytes()) == first
    shutil.rmtree(archive(home).parent)
    export()
    assert archive(home).read_bytes() == first[0]
    assert packed.exists()


def test_an_export_is_never_replaced_by_one_that_holds_less(home: Path) -> None:
    log = write(home / "logs" / "app.log", TODAY + TODAY)
    export()
    before = archive(home).read_bytes()
    for less in (TODAY, YESTERDAY):
        write(log, less)
        assert export().action == "kept"
    log.unlink()
    assert export().action == "kept"
    assert archive(home).read_bytes() == before
    write(log, TODAY + TODAY + TODAY)
    assert export().action == "written"
    assert content(home) == {"logs/app.log": 3 * TODAY}


def test_a_line_without_a_time_belongs_to_the_one_before(home: Path) -> None:
    trace = b"Traceback (most recent call last):\n  ...\n"
    write(home / "logs" / "app.log", YESTERDAY + b"old\n" + TODAY + trace + TOMORROW + b"new\n")
    write(home / "logs" / "cron.log", b"no time at all\n")
    write(home / "logs" / "silent.log", b"not touched that day\n", "2026-11-19T12:00:00")
    write(
        home / "logs" / "cleanup.log", b"2026-11-20T05:00:00Z removed x\n2026-11-21T05:00:00Z no\n"
    )
    export()
    assert content(home) == {
        "logs/app.log": TODAY + trace,
        "logs/cleanup.log": b"2026-11-20T05:00:00Z removed x\n",
        "logs/cron.log": b"no time at all\n",
    }


def test_only_logs_are_packed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when somebody names the whole installation as a folder of logs."""
    write(home / "secrets" / "hmac_keys.json", b"TOPSECRET")
    write(home / "secrets" / "keys.log", b"TOPSECRET")
    write(home / ".env", b"#TOPSECRET\n")
    write(home / "logs" / ".hidden.log", b"TOPSECRET")
    write(home / "logs" / "key.pem", b"TOPSECRET")
    (home / "logs" / "link.log").symlink_to(home / "secrets" / "hmac_keys.json")
    os.mkfifo(home / "logs" / "fifo.log")
    write(home / "logs" / "sub" / "app.log", TODAY)
    monkeypatch.setenv("LOG_SOURCE_DIRECTORIES", f"{home}, logs/sub, {home}/logs/sub/app.log")
    export()
    found = content(home)
    assert sorted(found) == [f"{home.name}/logs/sub/app.log"]
    assert b"TOPSECRET" not in b"".join(found.values())


def test_a_secret_of_the_settings_that_got_into_a_log_is_taken_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_ALERT_URLS", "tgram://token-of-mine/chat, mailto://u:pw@example.org")
    monkeypatch.setenv("VV_HMAC_KEY", "a trial key of at least thirty-two bytes")
    bad = record(
        "2026-11-20T15:00:00Z",
        "sent tgram://token-of-mine/chat with a trial key of at least thirty-two bytes",
    )
    write(home / "logs" / "app.log", bad + TODAY)
    (file,) = export().manifest["files"]
    assert file["redactions"] == 1
    (packed,) = content(home).values()
    assert b"sent [removed] with [removed]" in packed
    assert b"token-of-mine" not in packed


def test_what_cannot_be_read_is_named_and_the_rest_is_packed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home / "logs" / "app.log", TODAY)
    write(home / "logs" / "bad.log.1.gz", b"no gzip")
    write(home / "logs" / "cut.log.1.gz", gzip.compress(TODAY * 10)[:-4])
    write(home / "logs" / "bad.log.2.xz", b"no xz")
    assert main(["--date", "2026-11-20"]) == 75
    assert "logs/app.log" in content(home)
    names = [entry["file"] for entry in json.loads(manifest(home).read_text())["unreadable"]]
    assert sorted(Path(name).name for name in names) == [
        "bad.log.1.gz",
        "bad.log.2.xz",
        "cut.log.1.gz",
    ]
    assert "bad.log.1.gz" in capsys.readouterr().err


def test_what_may_not_be_read_is_named(stranger: Stranger, monkeypatch: pytest.MonkeyPatch) -> None:
    place, be_nobody = stranger
    monkeypatch.setenv("VV_HOME", str(place))
    write(place / "logs" / "app.log", TODAY)
    write(place / "logs" / "root.log", TODAY).chmod(0o600)
    (place / "data" / "exports" / "logs").mkdir(parents=True)
    (place / "data" / "exports" / "logs").chmod(0o777)
    with be_nobody():
        result = export()
    assert [(Path(path).name, reason) for path, reason in result.problems] == [
        ("root.log", "Permission denied")
    ]
    assert list(content(place)) == ["logs/app.log"]


def test_a_missing_folder_of_logs_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_SOURCE_DIRECTORIES", "none")
    result = export()
    assert result.action == "nothing"
    assert [path for path, _ in result.problems] == [str(home / "none")]


def test_a_day_without_logs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "logs" / "app.log").unlink(missing_ok=True)
    assert main(["--date", "20200101"]) == 0
    assert "2020-01-01: no logs of that day" in capsys.readouterr().out
    assert list((home / "data" / "exports" / "logs").iterdir()) == []


def test_a_dry_run_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home / "logs" / "app.log", TODAY)
    assert main(["--date", "2026-11-20", "--dry-run"]) == 0
    assert "2026-11-20: dry run\n  logs/app.log (" in capsys.readouterr().out
    assert not (home / "data").exists()


def test_for_programs_and_in_portuguese(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home / "logs" / "app.log", TODAY * 20)
    assert main(["--date", "2026-11-20", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["action"], len(document["manifest"]["files"])) == ("written", 1)
    monkeypatch.setenv("VV_LANGUAGE", "pt-BR")
    assert main(["--date", "2026-11-20"]) == 0
    out = capsys.readouterr().out
    assert "2026-11-20: já exportado, sem mudança" in out
    assert "  logs/app.log (1,4 kB)" in out
    assert main(["--verify", str(manifest(home))]) == 0
    assert "íntegro: vv_ai_logs_20261120.tar.gz, 1 arquivo\n" in capsys.readouterr().out


def test_old_exports_go_and_nothing_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = archive(home).parent
    names = ["vv_ai_logs_20261020", "vv_ai_logs_20261021", "vv_ai_logs_20261199", "vv_ai_logs_x"]
    for name in names:
        write(folder / f"{name}.tar.gz", b"")
        write(folder / f"{name}.manifest.json", b"")
    write(folder / "vv_ai_logs_20200101.zip", b"")
    (folder / "vv_ai_logs_20200102.tar.gz").mkdir()
    monkeypatch.setenv("RETENTION_DAYS_EXPORTED_LOGS", "31")
    assert export().pruned == ["vv_ai_logs_20261020.manifest.json", "vv_ai_logs_20261020.tar.gz"]
    assert len(list(folder.iterdir())) == 8
    assert export().pruned == []
    monkeypatch.setenv("RETENTION_DAYS_EXPORTED_LOGS", "0")
    write(folder / "vv_ai_logs_20200101.tar.gz", b"")
    assert export().pruned == []


def rewrite(home: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(manifest(home).read_text())
    change(document)
    manifest(home).write_text(json.dumps(document))


def repack(home: Path, names: list[str]) -> None:
    """Put other files into the archive, and its new hash into the manifest."""
    with tarfile.open(archive(home), "w:gz") as opened:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.SYMTYPE if name == "link" else tarfile.REGTYPE
            opened.addfile(entry)
    digest = hashlib.sha256(archive(home).read_bytes()).hexdigest()
    rewrite(home, lambda document: document.update(archive_sha256=digest))


def append_byte(home: Path) -> None:
    archive(home).write_bytes(archive(home).read_bytes() + b"x")


def cut(home: Path) -> None:
    archive(home).write_bytes(archive(home).read_bytes()[:60])
    digest = hashlib.sha256(archive(home).read_bytes()).hexdigest()
    rewrite(home, lambda document: document.update(archive_sha256=digest))


TAMPERED: dict[str, tuple[Callable[[Path], object], int]] = {
    "a byte more": (append_byte, 65),
    "cut, hash renewed": (cut, 65),
    "archive gone": (lambda home: archive(home).unlink(), 66),
    "manifest gone": (lambda home: manifest(home).unlink(), 66),
    "a file exchanged": (lambda home: repack(home, ["logs/app.log"]), 65),
    "a file removed": (lambda home: repack(home, []), 65),
    "a file added": (lambda home: repack(home, ["logs/app.log", "more"]), 65),
    "a file twice": (lambda home: repack(home, ["x", "x"]), 65),
    "a link": (lambda home: repack(home, ["link"]), 65),
    "a hash in the manifest": (
        lambda home: rewrite(home, lambda d: d["files"][0].update(sha256="0" * 64)),
        65,
    ),
    "another archive": (lambda home: rewrite(home, lambda d: d.update(archive="../x")), 65),
    "another schema": (lambda home: rewrite(home, lambda d: d.update(schema="x")), 65),
    "files are no list": (lambda home: rewrite(home, lambda d: d.update(files={})), 65),
    "no hash": (lambda home: rewrite(home, lambda d: d.pop("archive_sha256")), 65),
    "no JSON": (lambda home: manifest(home).write_text("{"), 65),
}


@pytest.mark.parametrize("name", sorted(TAMPERED))
def test_tampering_is_found_and_a_new_export_heals(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home / "logs" / "app.log", TODAY)
    export()
    assert main(["--verify", str(manifest(home))]) == 0
    tamper, code = TAMPERED[name]
    tamper(home)
    assert main(["--verify", str(manifest(home))]) == code
    assert "→ " in capsys.readouterr().err
    assert export().action == "written"
    assert main(["--verify", str(manifest(home))]) == 0


def test_a_full_disk_leaves_the_old_export(
    small_disk: Path, fill_up: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("LOG_EXPORT_DESTINATION", str(small_disk))
    log = write(home / "logs" / "app.log", TODAY)
    export()
    before = sorted((path.name, path.read_bytes()) for path in small_disk.iterdir())
    fill_up(small_disk).stat()
    write(log, TODAY + os.urandom(300_000) + b"\n")
    with pytest.raises(TemporaryError, match="export the logs"):
        export()
    (small_disk / "ballast").unlink()
    assert sorted((path.name, path.read_bytes()) for path in small_disk.iterdir()) == before


@pytest.mark.parametrize("argument", ["2026-13-01", "yesterday", "", "2999-01-01"])
def test_a_wrong_day(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(["--date", argument])
    except SystemExit as exc:
        code = exc.code
    assert code == 64


def test_names() -> None:
    assert [
        split_name(name)
        for name in ("app.log", "app.log.1", "app.log.12.gz", "app.log-20261120.xz", "a.jsonl.1")
    ] == [("app.log", ""), ("app.log", ""), ("app.log", "gz"), ("app.log", "xz"), ("a.jsonl", "")]
    assert all(is_log_name(name) for name in ("a.log", "a.log.1", "a.log.2.gz", "x.jsonl"))
    assert not any(
        is_log_name(name) for name in (".a.log", "key.pem", ".vv-tmp-1.log", "log", ".env")
    )


def found(path: str, mtime: float, inode: int, packed: str = "") -> LogFile:
    return LogFile(path, "logs/app.log", packed, mtime, (1, inode))


def test_a_file_that_logrotate_is_packing_is_read_once() -> None:
    late = DAY.end.timestamp()
    plain, copy = found("/l/app.log.1", late, 1), found("/l/app.log.1.gz", late, 2, "gz")
    again = found("/m/app.log.1", late, 1)
    assert plan_reading([copy, plain, again], DAY) == {"logs/app.log": [plain]}
    assert plan_reading([copy], DAY) == {"logs/app.log": [copy]}


def test_a_day_may_have_23_or_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = [
        (Day.of(day, berlin).end - Day.of(day, berlin).start).total_seconds() / 3600
        for day in (date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25))
    ]
    assert hours == [23, 24, 25]


FIRST = datetime(2026, 11, 18, tzinfo=UTC)
MOMENTS = st.integers(0, 5 * 86_400_000).map(
    lambda milliseconds: FIRST + timedelta(milliseconds=milliseconds)
)


@given(st.lists(MOMENTS, max_size=20))
def test_every_line_is_of_exactly_one_day(moments: list[datetime]) -> None:
    lines = [record(moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z") for moment in moments]
    days = [Day.of(date(2026, 11, number), ZONE) for number in range(17, 25)]
    chosen = [list(select_lines(lines, day, take_undated=False)) for day in days]
    assert sorted(line for part in chosen for line in part) == sorted(lines)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 500))
def test_an_export_expires_after_its_days(today: date, days: int) -> None:
    for age in (days - 1, days, days + 1):
        name = f"vv_ai_logs_{date.fromordinal(today.toordinal() - age):%Y%m%d}.tar.gz"
        assert is_expired(name, today, days) is (0 < days < age)


def test_lines_of_several_containers_are_put_in_order() -> None:
    lines = [
        b"2026-11-20T01:00:00.5Z b\n",
        b"2026-11-20T01:00:00.25Z a\n",
        b"2026-11-20T00:59:59Z z\n",
    ]
    assert sort_lines(lines) == [lines[2], lines[1], lines[0]]
    assert sort_lines([b"no time\n", lines[2]])[0] == b"no time\n"


FAKE_DOCKER = """#!/bin/sh
case "$*" in
*" ps "*) echo tv_api; echo tv_api; echo '../x';;
*" logs "*) echo "2026-11-20T10:00:01Z late"; echo "2026-11-20T10:00:00.5Z early";;
esac
"""


def use_docker(home: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    fake = home / "bin" / "docker"
    fake.parent.mkdir()
    fake.write_text(script)
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")


def test_what_containers_said_is_packed_by_service(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_docker(home, monkeypatch, FAKE_DOCKER)
    result = export(with_containers=True)
    assert result.problems == []
    assert content(home) == {
        "containers/tv_api.log": b"2026-11-20T10:00:00.5Z early\n2026-11-20T10:00:01Z late\n"
    }


@pytest.mark.parametrize(
    ("script", "reason"),
    [("#!/bin/sh\necho no engine >&2; exit 1\n", "no engine"), ("", "docker cannot be started")],
)
def test_without_an_engine_the_files_are_packed_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    use_docker(home, monkeypatch, script)
    if not script:
        (home / "bin" / "docker").unlink()
        monkeypatch.setenv("PATH", str(home / "bin"))
    write(home / "logs" / "app.log", TODAY)
    result = export(with_containers=True)
    ((what, why),) = result.problems
    assert what == "docker compose logs"
    assert reason in why
    assert result.action == "written"


def test_a_service_that_cannot_be_asked_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        '#!/bin/sh\ncase "$*" in *" ps "*) echo a; echo b;; *" a") exit 3;; *) echo "x";; esac\n'
    )
    use_docker(home, monkeypatch, script)
    result = export(with_containers=True)
    assert result.problems == [("docker compose logs a", "docker compose logs failed: exit code 3")]
    assert list(content(home)) == ["containers/b.log"]


def test_a_manifest_that_is_none(home: Path) -> None:
    path = write(home / "x.json", b"[]")
    with pytest.raises(InputDataError):
        read_manifest(path)
