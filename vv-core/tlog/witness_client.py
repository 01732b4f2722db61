"""Asking a witness to cosign a head (C2SP ``tlog-witness``), and believing only what its key has signed."""

from __future__ import annotations

import base64
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from vv_core.errors import UnavailableError
from vv_core.tlog.merkle import consistency_proof
from vv_core.tlog.note import NoteError, add_signature_line, open_note
from vv_core.tlog.own_log import LogContradiction, OwnLog
from vv_core.tlog.witness import SIZE_TYPE
from vv_core.tlog.witness_decision import encode_submission
from vv_core.tlog.witness_files import WitnessPeer

MAX_RESPONSE_BYTES = 64 * 1024
_MAX_TRIES = 3
_SAID = 200


class WitnessUnavailable(UnavailableError):
    """A witness does not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer over HTTP.

    Attributes:
        status: of HTTP.
        content_type: of the body, lower case, without parameters.
        body: at most `MAX_RESPONSE_BYTES`.
    """

    status: int
    content_type: str
    body: bytes


Post = Callable[[str, bytes, str], Response]
"""Sends a body with a content type to a URL; raises `WitnessUnavailable`."""


def submit_head(post: Post, peer: WitnessPeer, log: OwnLog, old_size: int) -> bytes:
    """Have a witness cosign the newest head of a log.

    Args:
        post: sends a request.
        peer: the witness.
        log: the log and its head.
        old_size: size of the head that the witness is believed to know; 0 if not known.

    Returns:
        The head with the witness's cosignature, which was verified.

    Raises:
        LogContradiction: the witness knows a head that this log does not continue.
        WitnessUnavailable: it does not answer, or not as it should.
    """
    old_size = min(old_size, log.head.size)
    for _ in range(_MAX_TRIES):
        response = post(f"{peer.url}/add-checkpoint", _body(log, old_size), "text/plain")
        if response.status == http.HTTPStatus.OK:
            return _accept(peer, log, response.body)
        if response.status != http.HTTPStatus.CONFLICT:
            raise _unexpected(peer, response)
        old_size = _known_size(peer, log, response)
    raise WitnessUnavailable(
        f"the witness {peer.name} changes its mind about the size it knows",
        advice="Does another box send heads of this log to it? Look at its log.",
    )


def _body(log: OwnLog, old_size: int) -> bytes:
    hashes = consistency_proof(old_size, log.head.size, log.reader.get_hash)
    lines = [base64.b64encode(each).decode("ascii") for each in hashes]
    return encode_submission(old_size, lines, log.note)


def _accept(peer: WitnessPeer, log: OwnLog, body: bytes) -> bytes:
    try:
        note = open_note(log.note + body, [log.verifier, peer.verifier])
        cosignature = next(each for each in note.verified if each.verifier == peer.verifier)
        return add_signature_line(log.note, cosignature)
    except (NoteError, StopIteration):
        raise WitnessUnavailable(
            f"the witness {peer.name} answered without its own cosignature of this head",
            advice="Compare its vkey in the file of VV_WITNESSES with what the witness prints.",
        ) from None


def _known_size(peer: WitnessPeer, log: OwnLog, response: Response) -> int:
    """Return the size that the witness says it knows."""
    raw_size = response.body.removesuffix(b"\n")
    is_size = raw_size.isdigit() and len(raw_size) < 20  # noqa: PLR2004 - digits of 2**63
    if response.content_type != SIZE_TYPE or not is_size:
        raise LogContradiction(
            f"the witness {peer.name} has cosigned another head of {log.head.size} lines of this log",
            advice="There are two histories. Stop, keep all files, and audit the log with the witness's "
            "head: logline_verifier --head.",
        )
    if int(raw_size) > log.head.size:
        raise LogContradiction(
            f"the witness {peer.name} has seen {int(raw_size)} lines, and this log has {log.head.size}",
            advice="An older backup was put back, or lines were cut off: vv-log repair tells the way out.",
        )
    return int(raw_size)


def _unexpected(peer: WitnessPeer, response: Response) -> Exception:
    said = response.body[:_SAID].decode("utf-8", "replace").strip()
    if response.status == http.HTTPStatus.UNPROCESSABLE_ENTITY:
        return LogContradiction(
            f"the witness {peer.name} finds that this log does not continue what it has seen: {said}",
            advice="Lines were changed, or it holds a head of another history. Keep all files, and audit "
            "the log with the witness's head: logline_verifier --head.",
        )
    advice: dict[int, str] = {
        http.HTTPStatus.NOT_FOUND: "Have the witness's operator add this log's vkey (vv-log status).",
        http.HTTPStatus.FORBIDDEN: "The witness has another key for this log: give its operator the vkey.",
    }
    return WitnessUnavailable(
        f"the witness {peer.name} answered {response.status}: {said}",
        advice=advice.get(
            response.status, "Look at the witness's own log; it is tried again by itself."
        ),
    )


def http_post(timeout_s: float) -> Post:
    """Return what sends requests over HTTP; one takes ``timeout_s`` seconds at most, all in all."""

    def post(url: str, body: bytes, content_type: str) -> Response:
        parts = urlsplit(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        try:
            connection.connect()
            with _deadline(connection.sock, timeout_s):
                connection.request("POST", path, body, {"Content-Type": content_type})
                return _read(connection.getresponse())
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise WitnessUnavailable(
                f"{parts.scheme}://{parts.hostname} does not answer: {exc or type(exc).__name__}",
                advice="Check that it runs and that the network lets it through; it is tried again by itself.",
            ) from exc
        finally:
            connection.close()

    return post


def _read(answer: http.client.HTTPResponse) -> Response:
    body = answer.read(MAX_RESPONSE_BYTES)
    content_type = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    return Response(answer.status, content_type, body)


@contextmanager
def _deadline(connected: socket.socket, seconds: float) -> Iterator[None]:
    """End a connection that takes too long.

    A time-out of the socket is for one read only: whoever sends a byte a second never meets it.

    Raises:
        TimeoutError: the connection was ended, whatever was read from it until then.
    """
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(seconds, cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
    if is_cut.is_set():
        raise TimeoutError("it took too long")
