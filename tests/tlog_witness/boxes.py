"""A second box that witnesses, in a process or a thread of its own, and what speaks HTTP with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.tlog_witness.logs import LOG_SIGNER, ORIGIN
from vv_core.clock import SystemClock
from vv_core.tlog.note import Signer
from vv_core.tlog.witness import Witness
from vv_core.tlog.witness_files import WitnessPeer
from vv_core.tlog.witness_service import WitnessServer
from vv_core.tlog.witness_state import WitnessState, open_identity

NAME = "vv-witness/sala-2"
LOGS = {ORIGIN: [LOG_SIGNER.verifier]}
START = datetime(2026, 11, 21, 5, 3, 4, tzinfo=UTC)


class StepClock:
    """A clock that a test moves."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    def wait(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


def identity(home: Path) -> Signer:
    """Return the witness's key; key and state are made where there are none."""
    return open_identity(NAME, home / "secrets" / "witness.pem", home / "witness", START)


@contextmanager
def serving(
    home: Path, *, request_s: float = 5.0, max_concurrent: int = 16
) -> Iterator[tuple[WitnessServer, WitnessPeer]]:
    """Run a witness on a free port; yield it and how a log knows it."""
    signer = identity(home)
    with WitnessState(home / "witness", signer) as state:
        witness = Witness(LOGS, signer, state, SystemClock())
        witness.load()
        server = WitnessServer(
            ("127.0.0.1", 0),
            witness,
            signer,
            request_s=request_s,
            max_concurrent=max_concurrent,
        )
        with server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            url = f"http://127.0.0.1:{server.server_port}"
            try:
                yield server, WitnessPeer("sala-2", url, signer.verifier)
            finally:
                server.shutdown()
                thread.join()


def talk(server: WitnessServer, sent: bytes, *, ends: bool = True) -> bytes:
    """Send bytes to the witness and return all that comes back."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(sent)
        if ends:
            # The other side may have answered and gone before it read all.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side ends."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def request(body: bytes, path: str = "/add-checkpoint", method: str = "POST") -> bytes:
    """Return an HTTP request that ends its connection."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    """Return the status of an HTTP answer, 0 when there is none."""
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.") else 0


def body_of(answer: bytes) -> bytes:
    """Return the body of an HTTP answer."""
    return answer.partition(b"\r\n\r\n")[2]
