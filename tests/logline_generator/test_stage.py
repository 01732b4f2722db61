from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logline_generator import logline_generator
from logline_generator.logline_generator import make_stage, page_path
from logline_generator.rules import Rule, RuleSet
from tests.logline_generator.conftest import Box, FixedClock
from vv_core.audit.audit_folder import verify_file
from vv_core.audit.keys import create_key_store, read_key_store
from vv_core.audit.signing import sign_document
from vv_core.audit.verdict import Status
from vv_core.audit.verify import logline_bytes
from vv_core.errors import (
    ConfigError,
    ExitCode,
    InputDataError,
    InputMissingError,
    KeyAccessError,
    SoftwareError,
    TemporaryError,
    UsageError,
    VvError,
)
from vv_core.stage import StageItem, run_item
from vv_core.tlog.dirty_files import DirtyFiles
from vv_core.utils import compute_sha256


def no_progress(_part: float) -> None:
    pass


def snapshot(box: Box) -> tuple[bytes, bytes]:
    return box.item.output.read_bytes(), box.page.read_bytes()


def test_a_summary_becomes_a_signed_logline_and_a_page(box: Box) -> None:
    line = box.run()
    verdict = verify_file(box.item.output, read_key_store(box.key_store).keys)
    assert verdict.status is Status.VALID
    assert verdict.document == line
    assert line["evidence"]["summary_sha256"] == compute_sha256(box.item.input)
    assert line["status"] == "alerta"
    assert line["who"] == "Câmera portaria, equipamento vv-01"
    assert box.page.read_text().startswith("# Duas pessoas")
    assert line["signature_details"]["signature"] in box.page.read_text()
    assert {path.name for path in box.page.parent.iterdir()} == {"a.logline.json", "a.logline.md"}


def test_progress_reaches_the_end(box: Box) -> None:
    parts: list[float] = []
    box.stage().process(box.item, parts.append)
    assert parts == [1.0]


def test_an_output_of_the_same_summary_is_kept(box: Box) -> None:
    assert not box.stage().is_current(box.item)
    box.run()
    before = snapshot(box)
    box.clock.moment = datetime(2027, 1, 1, tzinfo=UTC)
    assert box.stage().is_current(box.item)
    assert run_item(box.stage(), box.item, no_progress)
    assert snapshot(box) == before


def test_a_missing_page_is_repaired(box: Box) -> None:
    box.run()
    before = snapshot(box)
    box.page.unlink()
    assert not box.stage().is_current(box.item)
    box.run()
    assert snapshot(box) == before


def test_a_crash_between_page_and_logline_is_repaired(box: Box) -> None:
    box.page.parent.mkdir()
    box.page.write_text("of a run that was killed")
    line = box.run()
    assert line["signature_details"]["signature"] in box.page.read_text()


def test_a_video_that_was_summarised_again_keeps_its_logline(
    box: Box, summary: dict[str, Any]
) -> None:
    box.run()
    before = snapshot(box)
    box.write_summary({**summary, "title": "Outro título"})
    assert not box.stage().is_current(box.item)
    box.run()
    assert snapshot(box) == before


def test_another_video_does_not_get_the_name(box: Box, summary: dict[str, Any]) -> None:
    box.run()
    before = snapshot(box)
    box.write_summary({**summary, "source_hash": "99" * 32})
    with pytest.raises(InputDataError, match="another video"):
        box.run()
    assert snapshot(box) == before


def change_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)


def replace_by(make: Callable[[Path], object]) -> Callable[[Box], None]:
    """Return damage that puts something else in the place of the LogLine."""

    def damage(box: Box) -> None:
        box.item.output.unlink()
        make(box.item.output)

    return damage


def change_key(box: Box) -> None:
    box.key_store.unlink()
    create_key_store(box.key_store)


def foreign_line(box: Box) -> None:
    """Put a line there that says to be of this log, signed with a key that is known nowhere."""
    line = json.loads(box.item.output.read_bytes())
    signed = sign_document({**line, "title": "x"}, "other", bytes(range(1, 33)))
    box.item.output.write_bytes(logline_bytes(signed))


def test_a_line_of_a_key_that_is_gone_is_known_by_the_log(box: Box) -> None:
    line = box.run()
    change_key(box)
    assert box.stage().is_current(box.item)
    assert box.run() == line


def test_a_line_of_this_log_that_does_not_stand_in_it_is_refused(box: Box) -> None:
    line = box.run()
    store = read_key_store(box.key_store)
    signed = sign_document({**line, "title": "x"}, store.active, store.active_secret)
    box.item.output.write_bytes(logline_bytes(signed))
    assert not box.stage().is_current(box.item)
    with pytest.raises(KeyAccessError, match="does not verify"):
        box.run()


DAMAGE: dict[str, Callable[[Box], object]] = {
    "a changed byte": lambda box: change_byte(box.item.output),
    "an added blank": lambda box: box.item.output.write_bytes(box.item.output.read_bytes() + b" "),
    "an empty file": replace_by(Path.touch),
    "a line of another box": foreign_line,
    "a link": replace_by(lambda path: path.symlink_to("x")),
    "a fifo": replace_by(os.mkfifo),
    "a folder": replace_by(Path.mkdir),
}


def unread(path: Path) -> tuple[int, int, int, int]:
    """Return what changes with a file, but not when it is only read."""
    status = os.lstat(path)
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_logline_that_does_not_verify_is_never_overwritten(box: Box, damage: Any) -> None:
    box.run()
    damage(box)
    before = unread(box.item.output)
    assert not box.stage().is_current(box.item)
    with pytest.raises(KeyAccessError, match="does not verify") as caught:
        box.run()
    assert caught.value.exit_code is ExitCode.NOPERM
    assert "logline_verifier" in caught.value.advice
    assert unread(box.item.output) == before


def test_a_logline_behind_a_file_cannot_be_read(box: Box) -> None:
    box.item.output.parent.write_text("a file where the folder should be")
    with pytest.raises(TemporaryError, match="cannot be read"):
        box.run()


@pytest.mark.parametrize("variable", [False, True])
def test_the_trial_key_signs_too(box: Box, variable: bool) -> None:
    if variable:
        box.environ["VV_HMAC_KEY"] = "a trial key of at least thirty-two bytes"
    key_id = box.run()["signature_details"]["key_id"]
    assert key_id.startswith("trial-") == variable


KEY_PROBLEMS = {
    "missing": lambda path: path.unlink(),
    "world-readable": lambda path: path.chmod(0o644),
    "broken": lambda path: path.write_text("{}"),
    "a link": lambda path: (path.rename(path.with_name("x")), path.symlink_to("x")),
}


@pytest.mark.parametrize("problem", KEY_PROBLEMS.values(), ids=KEY_PROBLEMS)
def test_without_a_safe_key_nothing_is_signed(box: Box, problem: Any) -> None:
    problem(box.key_store)
    for attempt in (lambda: box.stage().is_current(box.item), box.run):
        with pytest.raises(KeyAccessError) as caught:
            attempt()
        assert caught.value.advice
    assert not box.item.output.exists()
    assert not box.page.exists()


def test_keys_and_rules_are_read_once_a_process(box: Box, summary: dict[str, Any]) -> None:
    stage = box.stage()
    stage.process(box.item, no_progress)
    box.key_store.unlink()
    box.write_summary({**summary, "source_hash": "99" * 32})
    second = StageItem(box.item.input, box.item.output.with_name("b.logline.json"))
    stage.process(second, no_progress)
    assert second.output.exists()
    stage.close()


def test_own_rules_give_the_status(box: Box) -> None:
    rules = box.home / "my rules.yaml"
    rules.write_text("schema: vv.status-rules/1\nrules:\n- {name: tudo, status: curado}\n")
    box.environ["VV_STATUS_RULES_FILE"] = "my rules.yaml"
    line = box.run()
    assert (line["status"], line["status_rule"]) == ("curado", "tudo")
    assert line["evidence"]["rules_sha256"] == compute_sha256(rules)


def test_wrong_rules_are_a_config_error(box: Box) -> None:
    box.environ["VV_STATUS_RULES_FILE"] = "gone.yaml"
    with pytest.raises(ConfigError, match=r"gone\.yaml"):
        box.run()
    assert not box.item.output.exists()


SUMMARIES: dict[str, tuple[bytes, type[VvError]]] = {
    "empty": (b"", InputDataError),
    "not JSON": (b"hello", InputDataError),
    "not UTF-8": (b"\xff", InputDataError),
    "a list": (b"[]", InputDataError),
    "not a summary": (b"{}", InputDataError),
    "deep": (b"[" * 100_000, InputDataError),
    "huge": (b" " * (4 * 1024 * 1024 + 1), InputDataError),
}


@pytest.mark.parametrize(("data", "error"), SUMMARIES.values(), ids=SUMMARIES)
def test_a_bad_summary_is_named(box: Box, data: bytes, error: type[VvError]) -> None:
    box.item.input.write_bytes(data)
    with pytest.raises(error, match=r"a\.summary\.json") as caught:
        box.run()
    assert caught.value.advice


def test_a_missing_summary(box: Box) -> None:
    box.item.input.unlink()
    with pytest.raises(InputMissingError, match="read the summary"):
        box.run()


NUMBERS = {
    "infinite duration": ("duration_s", "1e999", "not a usable summary|finite"),
    "a duration beyond integers": ("duration_s", "1e300", "integer too large"),
    "bytes as a fraction": ("bytes", "5.0", "not an integer"),
    "too many bytes": ("bytes", "9007199254740993", "integer too large"),
}


@pytest.mark.parametrize(("key", "number", "why"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_no_logline_can_carry(
    box: Box, summary: dict[str, Any], key: str, number: str, why: str
) -> None:
    summary["source"][key] = "NUMBER"
    box.item.input.write_text(json.dumps(summary).replace('"NUMBER"', number))
    with pytest.raises(InputDataError, match=why):
        box.run()
    assert not box.item.output.exists()


def test_a_lone_surrogate_in_a_summary_is_replaced_or_refused(
    box: Box, summary: dict[str, Any]
) -> None:
    summary["source"]["file"] = "a\udcff.mp4"
    box.write_summary(summary)
    try:
        assert box.run()["source"] == "a\ufffd.mp4"
    except InputDataError:
        assert not box.item.output.exists()


def test_a_summary_too_large_for_a_logline(box: Box, summary: dict[str, Any]) -> None:
    fact = summary["facts"][0]
    summary["facts"] = [{**fact, "label": f"{number:03}{'é' * 117}"} for number in range(200)]
    summary["names"] = [f"{number:03}{'é' * 117}" for number in range(100)]
    box.write_summary(summary)
    with pytest.raises(InputDataError, match="too large"):
        box.run()


@pytest.mark.parametrize("name", ["a.json", "a.logline.json.x", "logline.json"])
def test_an_output_that_the_verifier_would_not_find(box: Box, name: str) -> None:
    item = StageItem(box.item.input, box.item.output.with_name(name))
    with pytest.raises(UsageError, match="does not end in"):
        box.stage().process(item, no_progress)


def test_names_of_every_kind(box: Box) -> None:
    for name in ('a b\'s "c"', "emoji \U0001f600", "-v", "new\nline", "a.b.c"):
        item = StageItem(box.item.input, box.item.output.with_name(f"{name}.logline.json"))
        box.stage().process(item, no_progress)
        assert page_path(item.output).name == f"{name}.logline.md"
        assert box.stage().is_current(item)


def test_a_full_disk_leaves_nothing_half_written(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    stage = box.stage()
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", fail)
        with pytest.raises(TemporaryError, match="No space left"):
            run_item(stage, box.item, no_progress)
    assert not box.item.output.exists()
    # The same stage goes on with its next item once there is space.
    run_item(stage, box.item, no_progress)
    box.close()
    assert box.item.output.exists()


def test_a_disk_that_lies_is_no_success(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(dirty: DirtyFiles, path: Path, data: bytes, mode: int = 0o644) -> None:
        is_line = path == box.item.output
        write(dirty, path, data[:-2] if is_line else data, mode)

    write = DirtyFiles.write
    monkeypatch.setattr(DirtyFiles, "write", lie)
    with pytest.raises(SoftwareError, match="does not verify as written"):
        box.run()


def test_a_logline_against_its_schema_is_not_written(box: Box) -> None:
    stage = box.stage()
    stage.__dict__["_rules"] = RuleSet((Rule("a name beyond all limits " * 9, "curado"),), "0" * 64)
    with pytest.raises(SoftwareError, match="schema_violation"):
        stage.process(box.item, no_progress)
    assert not box.item.output.exists()
    assert not box.page.exists()


@pytest.fixture
def environ(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Let the command find this box."""
    for name in [name for name in os.environ if name.startswith("VV_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VV_HOME", str(box.home))
    return box


def test_the_command(environ: Box, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(environ.item.input), str(environ.item.output)]
    assert logline_generator.main(arguments) == ExitCode.OK
    assert logline_generator.main(arguments) == ExitCode.OK
    assert environ.page.exists()
    assert capsys.readouterr().out == ""


def test_the_command_without_a_key_exits_77(
    environ: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    environ.key_store.unlink()
    arguments = [str(environ.item.input), str(environ.item.output)]
    assert logline_generator.main(arguments) == ExitCode.NOPERM
    assert "bootstrap.py" in capsys.readouterr().err


def test_a_batch_ends_with_the_first_key_problem(environ: Box) -> None:
    environ.key_store.chmod(0o604)
    second = StageItem(environ.item.input, environ.item.output.with_name("b.logline.json"))
    batch = environ.home / "batch"
    batch.write_text(f"{environ.item.to_json()}\n{second.to_json()}\n")
    assert logline_generator.main(["--batch", str(batch)]) == ExitCode.NOPERM
    assert len((environ.home / "batch.journal").read_text().splitlines()) == 2


def test_a_batch_goes_on_after_a_bad_summary(environ: Box) -> None:
    bad = environ.home / "summaries" / "bad.summary.json"
    bad.write_text("{}")
    items = [
        StageItem(bad, environ.item.output.with_name("bad.logline.json")),
        environ.item,
    ]
    batch = environ.home / "batch"
    batch.write_text("".join(f"{item.to_json()}\n" for item in items))
    assert logline_generator.main(["--batch", str(batch)]) == ExitCode.DATAERR
    assert environ.item.output.exists()


def test_making_a_stage_reads_nothing(box: Box) -> None:
    box.key_store.unlink()
    stage = make_stage(box.settings(), None)  # type: ignore[arg-type]
    assert stage.name == "logline_generator"
    assert isinstance(FixedClock().monotonic(), float)
