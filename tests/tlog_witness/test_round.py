"""Witnessing as part of a box's life: rounds after a cycle, what an operator hears, what the screen says."""

from __future__ import annotations

import json
import socket
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.tlog_witness.boxes import StepClock, serving
from tests.tlog_witness.conftest import LoggedBox, Run
from tests.tlog_witness.logs import key_of, plain_entries, write_log
from vv_core.alerts import Severity, make_alerter, read_alerts
from vv_core.clock import SystemClock
from vv_core.settings import load_settings
from vv_core.tlog.events import Event, EventKind
from vv_core.tlog.exporting import LoggedLine, choose_head, prove_line
from vv_core.tlog.log_status import (
    collect_status,
    find_silent,
    plan_problems,
    read_events,
    witness_status,
)
from vv_core.tlog.log_writer import open_log
from vv_core.tlog.note import (
    SignatureKind,
    Signer,
    add_signature_line,
    format_vkey,
    open_note,
    parse_vkey,
    split_note,
)
from vv_core.tlog.own_log import open_own_log
from vv_core.tlog.proof import parse_proof
from vv_core.tlog.proof_file import AIM_BYTES
from vv_core.tlog.witness_push import PushResult
from vv_core.tlog.witness_receipts import Receipt
from vv_core.tlog.witness_records import PushRecord
from vv_core.tlog.witness_round import (
    ALERT_AFTER_FAILURES,
    plan_alerts,
    run_round,
    run_round_quietly,
)

pytestmark = pytest.mark.integration


def tell(box: LoggedBox, clock: StepClock) -> list[str]:
    """Run a round as the orchestrator does; return the codes of the alerts so far."""
    path = box.home / "alerts.jsonl"
    settings = load_settings()
    run_round_quietly(settings, clock, make_alerter(path, None, clock.now()))
    return [str(alert["code"]) for alert in read_alerts(path)]


def list_witness(box: LoggedBox, url: str, vkey: str) -> None:
    text = f"witnesses:\n  - name: sala-2\n    url: {url}\n    vkey: {vkey}\n"
    (box.home / "w.yaml").write_text(text)


def test_without_witnesses_a_round_does_nothing(box: LoggedBox) -> None:
    assert tell(box, StepClock()) == []


def test_a_round_after_a_cycle(
    box: LoggedBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = parse_vkey(box.vkey)
    monkeypatch.setattr("tests.tlog_witness.boxes.LOGS", {verifier.name: [verifier]})
    monkeypatch.setenv("VV_WITNESSES", "w.yaml")
    clock = StepClock()
    assert tell(box, clock) == ["witness_round"], "the list is missing: told, and nothing stops"
    with serving(tmp_path / "w") as (_, peer):
        list_witness(box, peer.url, format_vkey(peer.verifier))
        assert tell(box, clock) == ["witness_round"]
        log = open_own_log(box.settings.storage.log)
        assert len(open_note(log.note, [log.verifier, peer.verifier]).verified) == 2
    box.add("d.mp4")
    for _ in range(ALERT_AFTER_FAILURES):
        codes = tell(box, clock)
        clock.wait(hours=6)
    assert codes == ["witness_round", "witness_down"]


def test_a_witness_that_hangs_never_blocks_an_append(
    box: LoggedBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a witness takes a head and says nothing, lines go into the log."""
    signer = Signer("vv-witness/hangs", key_of(70), SignatureKind.COSIGNATURE_V1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        list_witness(
            box, f"http://127.0.0.1:{listening.getsockname()[1]}", format_vkey(signer.verifier)
        )
        monkeypatch.setenv("VV_WITNESSES", "w.yaml")
        monkeypatch.setenv("VV_WITNESS_TIMEOUT_SECONDS", "60")
        results: list[PushResult] = []
        settings = load_settings()
        pushing = threading.Thread(
            target=lambda: results.extend(run_round(settings, SystemClock()))
        )
        pushing.start()
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(65536)
            box.add("d.mp4")
            assert pushing.is_alive(), "the witness has not answered yet"
            assert open_own_log(box.settings.storage.log).head.size == 4
        pushing.join(30)
    assert [each.outcome for each in results] == ["failed"]


def test_what_an_operator_hears() -> None:
    results = [
        PushResult("a", "cosigned", 3),
        PushResult("b", "contradicted", 3, "two histories", "stop"),
        PushResult("c", "failed", 3, "down", "look"),
        PushResult("d", "failed", 3, "down", "look"),
    ]
    alerts = plan_alerts(results, {"c": ALERT_AFTER_FAILURES, "d": 1})
    assert [(each.severity, each.subject) for each in alerts] == [
        (Severity.CRITICAL, "b"),
        (Severity.WARNING, "c"),
    ]
    assert all(each.advice for each in alerts)


def receipt(name: str, size: int) -> Receipt:
    return Receipt(name, size, "2026-11-21T05:03:04Z", b"")


def test_what_the_screen_says_of_a_witness() -> None:
    assert witness_status("a", 5, None, None).state == "behind"
    assert witness_status("a", 5, receipt("a", 5), None).state == "current"
    assert witness_status("a", 5, receipt("a", 3), None).behind == 2
    failing = witness_status("a", 5, receipt("a", 3), PushRecord(failures=1, error="x"))
    assert (failing.state, failing.error) == ("failing", "x")
    against = PushRecord(failures=1, error="x", is_contradicted=True)
    worst = witness_status("a", 5, receipt("a", 5), against)
    assert worst.state == "contradicted"
    assert len(plan_problems([failing, worst], 1)) == 2
    assert plan_problems([witness_status("a", 5, receipt("a", 5), None)], 1) == []


def event(kind: str, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "details": details}


def test_which_cameras_are_silent() -> None:
    assert find_silent(
        [
            event("camera_silent", camera="a"),
            event("camera_silent", camera="b"),
            event("camera_back", camera="a"),
            event("camera_back", camera="c"),
        ]
    ) == ("b",)


def test_gaps_on_the_screen(run: Run, box: LoggedBox) -> None:
    since = "2026-11-21T05:03:04Z"
    with open_log(box.settings, SystemClock()) as log:
        log.append_event(
            Event(EventKind.CAMERA_SILENT, {"camera": "portaria\u202e", "since": since})
        )
        log.append_event(Event(EventKind.BOX_OFF, {"from": since, "to": since}))
    status = collect_status(box.settings)
    assert status.size == 5
    assert status.silent_cameras[0].startswith("portaria")
    assert [gap["kind"] for gap in status.gaps] == ["camera_silent", "box_off"]
    out = run("status")[1]
    assert "Câmera muda        portaria" in out
    assert out.count("Lacuna") == 2
    assert "\u202e" not in out
    assert json.loads(run("status", "--json")[1])["silent_cameras"]


def test_events_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    assert read_events(tmp_path / "gone") == []
    for name, data in {
        "0000000001-start.logevent.json": b"x",
        "0000000002-start.logevent.json": b"[" * 5000,
        "0000000003-start.logevent.json": b'{"kind":"start"}',
        "0000000004-start.logevent.json": b'{"kind":"start","details":{}}',
        "other.json": b"{}",
    }.items():
        (tmp_path / name).write_bytes(data)
    assert len(read_events(tmp_path)) == 1


def test_the_head_that_most_have_seen_proves_best(tmp_path: Path) -> None:
    old = write_log(tmp_path / "old", plain_entries(5))
    new = write_log(tmp_path / "new", plain_entries(9))
    signers = [
        Signer(f"vv-witness/{number}", key_of(60 + number), SignatureKind.COSIGNATURE_V1)
        for number in range(20)
    ]

    def seen(note: bytes, signer: Signer, size: int) -> Receipt:
        line = signer.sign(split_note(note)[0], 1_790_000_000)
        return Receipt(signer.name, size, "", add_signature_line(note, line))

    receipts = [seen(old.note, signers[0], 5), seen(old.note, signers[1], 5)]
    assert choose_head(new, [], 3) == new.note
    chosen = choose_head(new, receipts, 3)
    assert len(split_note(chosen)[1]) == 3
    assert split_note(chosen)[0] == split_note(old.note)[0]
    # A head that does not cover the line proves nothing about it.
    assert choose_head(new, receipts, 7) == new.note
    # So many witnesses that the file would grow: as many as fit, and one at least.
    many = [seen(new.note, signer, 9) for signer in signers]
    for hashes, fewest, most in [(1, 21, 21), (25, 3, 20), (200, 2, 2)]:
        line = "".join(sha256(bytes([each])).hexdigest() for each in range(hashes)).encode()
        proof = prove_line(new, many, LoggedLine(3, line))
        assert len(proof) <= AIM_BYTES or most == 2
        assert fewest <= len(split_note(parse_proof(proof).note)[1]) <= most
