"""The two lists that an operator writes: the witnesses of this box, and the logs that it witnesses.

::

    witnesses:
      - name: sala-2            # as in reports
        url: http://192.168.1.20:8461
        vkey: "vv-witness/sala-2+1a2b3c4d+BA…"

    logs:
      - vkey: "vv-log/vv-01-9f8e7d6c+5e6f7a8b+AZ…"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from vv_core.tlog.note import NoteError, SignatureKind, Verifier, parse_vkey
from vv_core.yaml_file import YamlFile

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WITNESSES = YamlFile(
    "the list of witnesses",
    "Correct the file that VV_WITNESSES names; docs/provable-log.md shows one.",
)
_LOGS = YamlFile(
    "the list of observed logs",
    "Correct the file that VV_WITNESS_LOGS names; docs/provable-log.md shows one.",
)


@dataclass(frozen=True, slots=True)
class WitnessPeer:
    """A witness that this box asks.

    Attributes:
        name: what to call it, and the name of its file in ``log/witness/``.
        url: where ``/add-checkpoint`` is appended to.
        verifier: its key.
    """

    name: str
    url: str
    verifier: Verifier


def read_witnesses(path: Path) -> tuple[WitnessPeer, ...]:
    """Return the witnesses that a file lists.

    Raises:
        ConfigError: the file cannot be read or is wrong; the message names line and key.
    """
    root = _WITNESSES.mapping(_WITNESSES.read(path), "", ["witnesses"])
    peers: list[WitnessPeer] = []
    for node in _WITNESSES.sequence(root["witnesses"], "witnesses"):
        peer = _parse_peer(node)
        if any(other.name == peer.name or other.verifier == peer.verifier for other in peers):
            raise _WITNESSES.wrong(node, "name", "a witness stands twice")
        peers.append(peer)
    return tuple(peers)


def _parse_peer(node: yaml.Node) -> WitnessPeer:
    fields = _WITNESSES.mapping(node, "witnesses", ["name", "url", "vkey"])
    name = _WITNESSES.text(fields["name"], "name")
    if not _NAME.fullmatch(name):
        raise _WITNESSES.wrong(fields["name"], "name", "letters, digits, dot, dash, at most 64")
    url = _WITNESSES.text(fields["url"], "url").rstrip("/")
    if not _is_http_url(url):
        raise _WITNESSES.wrong(
            fields["url"], "url", "must be http://… or https://…, without ? or #"
        )
    verifier = _parse_key(_WITNESSES, fields["vkey"])
    if verifier.kind is not SignatureKind.COSIGNATURE_V1:
        raise _WITNESSES.wrong(fields["vkey"], "vkey", "is the key of a log, not of a witness")
    return WitnessPeer(name, url, verifier)


def read_observed_logs(path: Path) -> dict[str, list[Verifier]]:
    """Return the keys of the logs that a file lists, by origin.

    Raises:
        ConfigError: the file cannot be read or is wrong; the message names line and key.
    """
    root = _LOGS.mapping(_LOGS.read(path), "", ["logs"])
    logs: dict[str, list[Verifier]] = {}
    for node in _LOGS.sequence(root["logs"], "logs"):
        fields = _LOGS.mapping(node, "logs", ["vkey"])
        verifier = _parse_key(_LOGS, fields["vkey"])
        if verifier.kind is not SignatureKind.ED25519:
            raise _LOGS.wrong(fields["vkey"], "vkey", "is the key of a witness, not of a log")
        logs.setdefault(verifier.name, []).append(verifier)
    return logs


def _parse_key(kind: YamlFile, node: yaml.Node) -> Verifier:
    try:
        return parse_vkey(kind.text(node, "vkey"))
    except NoteError as exc:
        raise kind.wrong(node, "vkey", exc.message) from None


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
            and not (parts.query or parts.fragment or parts.username or parts.password)
        )
    except ValueError:
        return False
