"""``vv-log witness …``: heads that leave the box, and this box as a witness of others."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from vv_core.alerts import split_urls
from vv_core.errors import ConfigError, ExitCode, from_oserror
from vv_core.listen import parse_listen
from vv_core.log_command.told import Box, Told, same
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.tlog.head_pictures import write_pictures
from vv_core.tlog.note import Signer, format_vkey
from vv_core.tlog.own_log import open_own_log
from vv_core.tlog.witness import Witness
from vv_core.tlog.witness_client import http_post
from vv_core.tlog.witness_files import read_observed_logs
from vv_core.tlog.witness_push import PushResult
from vv_core.tlog.witness_round import configured_witnesses, run_round
from vv_core.tlog.witness_service import WitnessServer
from vv_core.tlog.witness_state import WitnessState, file_name_of, open_identity
from vv_core.tlog.witness_usb import visit_usb
from vv_core.tlog.witness_webhook import send_head

_OUTCOMES = {
    "cosigned": ("assinou também", "cosigned"),
    "current": ("já conhece", "knows it already"),
    "waiting": ("espera a próxima tentativa", "waits for the next try"),
    "failed": ("não conseguiu", "failed"),
    "contradicted": ("CONTRADIZ", "CONTRADICTS"),
}


def push_heads(box: Box, arguments: argparse.Namespace) -> Told:
    """Send the newest head to every witness that is due."""
    if not configured_witnesses(box.settings):
        raise ConfigError(
            "no witness is set", advice="List them in a YAML file and name it in VV_WITNESSES."
        )
    results = run_round(box.settings, box.clock, ignores_waits=arguments.now)
    lines = [line for result in results for line in _push_lines(result)]
    document = {"witnesses": [asdict(result) for result in results]}
    return Told(document, tuple(lines), _push_code(results))


def _push_lines(result: PushResult) -> list[tuple[str, str]]:
    portuguese, english = _OUTCOMES[result.outcome]
    lines = [
        (
            f"{result.name}: {portuguese} ({result.size} linhas)",
            f"{result.name}: {english} ({result.size} lines)",
        )
    ]
    if result.error:
        lines.append(same(f"  {result.error}"))
    if result.advice:
        lines.append(same(f"  → {result.advice}"))
    return lines


def _push_code(results: Sequence[PushResult]) -> int:
    outcomes = {result.outcome for result in results}
    if "contradicted" in outcomes:
        return ExitCode.DATAERR
    return ExitCode.UNAVAILABLE if outcomes & {"failed", "waiting"} else ExitCode.OK


def draw_head(box: Box, arguments: argparse.Namespace) -> Told:
    """Draw the newest head as QR code, PNG and SVG."""
    log = open_own_log(box.settings.storage.log)
    base = arguments.out or box.settings.storage.exports / "log-head"
    paths = write_pictures(log.note, base)
    document = {"paths": [str(path) for path in paths], "size": log.head.size}
    return Told(document, tuple(same(str(path)) for path in paths))


def leave_on_usb(box: Box, arguments: argparse.Namespace) -> Told:
    """Compare the heads on a USB stick with the log, and leave the newest one there."""
    log = open_own_log(box.settings.storage.log)
    visit = visit_usb(log, arguments.folder, box.clock.now())
    document = {
        "path": str(visit.path),
        "new": visit.is_new,
        "known": visit.known,
        "last_size": visit.last_size,
        "size": log.head.size,
        "unreadable": list(visit.unreadable),
    }
    lines = [
        (
            f"{visit.known} cabeças antigas conferem, até a linha {visit.last_size}",
            f"{visit.known} older heads fit, up to line {visit.last_size}",
        ),
        (
            f"{'gravada' if visit.is_new else 'já estava lá'}: {visit.path}",
            f"{'written' if visit.is_new else 'there already'}: {visit.path}",
        ),
    ]
    lines += [
        (f"! não é uma cabeça deste registro: {name}", f"! not a head of this log: {name}")
        for name in visit.unreadable
    ]
    return Told(document, tuple(lines))


def send_webhook(box: Box, _arguments: argparse.Namespace) -> Told:
    """Send the newest head to the addresses of VV_HEAD_URLS."""
    settings = box.settings
    urls = split_urls(settings.head_urls.get_secret_value()) if settings.head_urls else []
    if not urls:
        raise ConfigError(
            "no address for heads is set", advice="Set VV_HEAD_URLS, as https://… or mailto://…"
        )
    log = open_own_log(settings.storage.log)
    sent = send_head(log, urls, http_post(settings.witness_timeout_s), box.clock.now())
    lines: list[tuple[str, str]] = []
    for each in sent:
        if each.error:
            lines += [same(f"! {each.error}"), same(f"  → {each.advice}")]
        else:
            lines.append((f"enviada: {each.target}", f"sent: {each.target}"))
    code = ExitCode.UNAVAILABLE if any(each.error for each in sent) else ExitCode.OK
    document = {"size": log.head.size, "sent": [asdict(each) for each in sent]}
    return Told(document, tuple(lines), code)


def show_key(box: Box, _arguments: argparse.Namespace) -> Told:
    """Show the key of this box as a witness; key and state are made where there are none."""
    vkey = format_vkey(_identity(box).verifier)
    return Told({"vkey": vkey}, (same(vkey),))


def serve(box: Box, arguments: argparse.Namespace) -> Told:
    """Run the witness until it is asked to end."""
    settings = box.settings
    logs = read_observed_logs(_observed_file(settings))
    signer = _identity(box)
    folder = _state_folder(settings)
    address = parse_listen(arguments.listen or settings.witness_listen)
    try:
        with WitnessState(folder, signer) as state:
            witness = Witness(logs, signer, state, box.clock)
            known = witness.load()
            with WitnessServer(address, witness, signer) as server:
                _announce(server, {origin: head.size for origin, head in known.items()})
                _serve_until_told(server)
    except OSError as exc:
        raise from_oserror(exc, "keep the witness's state", folder) from exc
    return Told({"ended": True}, (("encerrada", "ended"),))


def _announce(server: WitnessServer, known: dict[str, int]) -> None:
    host, port = server.server_address[:2]
    fields: dict[str, Any] = {"vkey": server.vkey, "known": known}
    get_logger("witness").info("listening on %s:%s", host, port, extra={"fields": fields})
    print(f"{server.vkey}\nhttp://{host!s}:{port}", flush=True)  # noqa: T201 - before it ends


def _serve_until_told(server: WitnessServer) -> None:
    with _ending_on_signals():
        try:
            server.serve_forever(poll_interval=0.5)
        except _Told:
            get_logger("witness").info("told to end")


class _Told(Exception):
    """A signal asked the service to end."""


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise _Told

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _identity(box: Box) -> Signer:
    settings = box.settings
    name = settings.witness_name or f"vv-witness/{file_name_of(settings.box)}"
    key_path = settings.resolve(settings.witness_key_file)
    try:
        return open_identity(name, key_path, _state_folder(settings), box.clock.now())
    except OSError as exc:
        raise from_oserror(exc, "make the witness's state", _state_folder(settings)) from exc


def _state_folder(settings: Settings) -> Path:
    return settings.storage.orchestrator_data / "witness"


def _observed_file(settings: Settings) -> Path:
    if settings.witness_logs_file is None:
        raise ConfigError(
            "no log to witness is set",
            advice="List the vkeys of the logs in a YAML file and name it in VV_WITNESS_LOGS.",
        )
    return settings.resolve(settings.witness_logs_file)
