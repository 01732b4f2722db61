"""The witness as a service on loopback: C2SP's answers, and whatever the network may throw at it."""

from __future__ import annotations

import base64
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from tests.tlog_witness.boxes import (
    NAME,
    body_of,
    identity,
    read_all,
    request,
    serving,
    status_of,
    talk,
)
from tests.tlog_witness.logs import ORIGIN, Tree, head_of, key_of, plain_entries
from vv_core.errors import ConfigError, TemporaryError
from vv_core.tlog.merkle import consistency_proof
from vv_core.tlog.note import Signer, format_vkey, open_note
from vv_core.tlog.witness_decision import MAX_REQUEST_BYTES, encode_submission
from vv_core.tlog.witness_service import WitnessServer
from vv_core.tlog.witness_state import MAX_EVIDENCE, WitnessState, file_name_of

pytestmark = pytest.mark.integration


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WitnessServer]:
    with serving(tmp_path) as (running, _):
        yield running


def submission(old: int, new: int, fork_at: int | None = None) -> bytes:
    entries = plain_entries(new, fork_at)
    hashes = consistency_proof(min(old, new), new, Tree.of(entries).get_hash)
    lines = [base64.b64encode(each).decode() for each in hashes]
    return encode_submission(old, lines, head_of(entries))


def submit(server: WitnessServer, old: int, new: int, fork_at: int | None = None) -> bytes:
    return talk(server, request(submission(old, new, fork_at)))


def test_it_cosigns_what_continues(server: WitnessServer, tmp_path: Path) -> None:
    before = int(time.time())
    for old, new in [(0, 3), (3, 3), (3, 10)]:
        answer = submit(server, old, new)
        assert status_of(answer) == 200
        head = head_of(plain_entries(new))
        note = open_note(head + body_of(answer), [identity(tmp_path).verifier])
        (signature,) = note.verified
        assert signature.name == NAME
        assert signature.timestamp is not None
        assert before <= signature.timestamp <= time.time() + 1


def test_answers_of_c2sp(server: WitnessServer) -> None:
    submit(server, 0, 10)
    conflict = submit(server, 0, 12)
    assert status_of(conflict) == 409
    assert b"Content-Type: text/x.tlog.size\r\n" in conflict
    assert body_of(conflict) == b"10\n"
    assert status_of(submit(server, 10, 10, fork_at=4)) == 409
    assert b"text/x.tlog.size" not in submit(server, 10, 10, fork_at=4)
    assert status_of(submit(server, 10, 12, fork_at=4)) == 422
    assert status_of(submit(server, 12, 10)) == 400
    unknown = encode_submission(0, [], head_of(plain_entries(3), Signer("vv-log/x", key_of(1))))
    assert status_of(talk(server, request(unknown))) == 404
    forged = encode_submission(0, [], head_of(plain_entries(3), Signer(ORIGIN, key_of(3))))
    assert status_of(talk(server, request(forged))) == 403
    assert status_of(talk(server, request(b"hello"))) == 400


def test_it_says_who_it_is(server: WitnessServer, tmp_path: Path) -> None:
    answer = talk(server, request(b"", "/", "GET"))
    assert body_of(answer).decode().strip() == format_vkey(identity(tmp_path).verifier)
    assert status_of(talk(server, request(b"", "/other", "GET"))) == 404
    assert status_of(talk(server, request(b"", "/other"))) == 404
    assert status_of(talk(server, request(b"", "/", "DELETE"))) == 501


def test_one_connection_serves_many_requests(server: WitnessServer) -> None:
    body = submission(0, 3)
    keep = request(body).replace(b"Connection: close\r\n", b"")
    answers = talk(server, keep + request(submission(3, 5)))
    assert answers.count(b"HTTP/1.1 200") == 2


def test_it_remembers_over_restarts(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, _):
        assert status_of(submit(server, 0, 10)) == 200
    with serving(tmp_path) as (server, _):
        assert body_of(submit(server, 0, 12)) == b"10\n"
        assert status_of(submit(server, 10, 12)) == 200


def test_two_at_once_never_both_win(server: WitnessServer) -> None:
    """Many submit heads of two histories at the same moment; those cosigned are all of one."""
    submit(server, 0, 2)
    outcomes: list[tuple[bool, int]] = []

    def try_history(is_fork: bool) -> None:
        for new in range(3, 12):
            known = 2
            for _ in range(4):
                answer = submit(server, known, new, fork_at=2 if is_fork else None)
                if status_of(answer) == 200:
                    outcomes.append((is_fork, new))
                if status_of(answer) != 409 or not body_of(answer)[:-1].isdigit():
                    break
                known = int(body_of(answer))
                if known > new:
                    break

    threads = [threading.Thread(target=try_history, args=(number % 2 == 0,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes
    assert len({is_fork for is_fork, _ in outcomes}) == 1


HOSTILE: dict[str, tuple[bytes, set[int]]] = {
    "nothing": (b"", {0}),
    "junk": (b"\x00\xff" * 500 + b"\r\n\r\n", {0, 400}),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n", {0, 400}),
    "a line without end": (b"GET /" + b"a" * 200_000, {0, 414}),
    "many headers": (
        b"POST /add-checkpoint HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        {0, 431},
    ),
    "a huge header": (
        b"POST /add-checkpoint HTTP/1.1\r\nX: " + b"y" * 10**6 + b"\r\n\r\n",
        {0, 411, 431},
    ),
    "no length": (b"POST /add-checkpoint HTTP/1.1\r\nConnection: close\r\n\r\nold 0", {411}),
    "chunked": (
        b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {411},
    ),
    "chunked and a length": (
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        {411},
    ),
    "a negative length": (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", {400}),
    "other digits": ("POST / HTTP/1.1\r\nContent-Length: ٣\r\n\r\n".encode(), {400}),
    "an endless length": (
        b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        {400},
    ),
    "too large": (
        f"POST / HTTP/1.1\r\nContent-Length: {MAX_REQUEST_BYTES + 1}\r\n\r\n".encode(),
        {413},
    ),
    "shorter than announced": (b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nold", {400}),
    "an old protocol": (b"POST / HTTP/0.9\r\n\r\n", {400, 411, 505, 0}),
    "escape codes": (b"POST /\x1b[2J\x07 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", {400, 404}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_requests(server: WitnessServer, name: str) -> None:
    sent, statuses = HOSTILE[name]
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass
        assert status_of(read_all(connection)) in statuses
    assert status_of(submit(server, 0, 3)) == 200


def test_random_bytes_never_break_it(server: WitnessServer) -> None:
    source = random.Random(4)
    good = request(submission(0, 3))
    for _ in range(300):
        changed = bytearray(good)
        for _ in range(source.randrange(1, 6)):
            changed[source.randrange(len(changed))] = source.randrange(256)
        talk(server, bytes(changed[: source.randrange(1, len(changed) + 1)]))
    assert status_of(submit(server, 0, 4)) in {200, 409}


@pytest.mark.parametrize("sent", [b"", b"POST /add-checkpoint HTTP/1.1\r\nX: "])
def test_who_sends_slowly_is_cut_off(tmp_path: Path, sent: bytes) -> None:
    with serving(tmp_path, request_s=0.5) as (server, _):
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as slow:
            slow.sendall(sent)
            try:
                while time.monotonic() - begun < 60:
                    slow.sendall(b"x" if sent else b"")
                    slow.settimeout(0.1)
                    try:
                        if not slow.recv(100):
                            break
                    except TimeoutError:
                        continue
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert time.monotonic() - begun < 40
        assert status_of(submit(server, 0, 3)) == 200


def test_too_many_at_once_are_told_so(tmp_path: Path) -> None:
    with serving(tmp_path, request_s=2.0, max_concurrent=2) as (server, _):
        address = ("127.0.0.1", server.server_port)
        with ExitStack() as stack:
            held = [
                stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(2)
            ]
            # Connections are taken in the order in which they came.
            assert status_of(submit(server, 0, 3)) == 503
            for each in held:
                assert read_all(each) == b""
        # A place is free a moment after its connection has ended.
        wait_for(lambda: status_of(submit(server, 0, 3)) in {200, 409})
        assert body_of(submit(server, 0, 4)) == b"3\n"


def test_evidence_of_a_fork_is_kept_and_bounded(server: WitnessServer, tmp_path: Path) -> None:
    submit(server, 0, 10)
    submit(server, 10, 10, fork_at=4)
    submit(server, 10, 10, fork_at=4)
    folder = tmp_path / "witness" / "evidence"
    (kept,) = folder.iterdir()
    assert kept.read_bytes() == head_of(plain_entries(10, 4))
    for number in range(MAX_EVIDENCE + 5):
        signed = head_of([b"%d" % number, *plain_entries(9)])
        talk(server, request(encode_submission(10, [], signed)))
    assert len(list(folder.iterdir())) == MAX_EVIDENCE


def test_one_process_at_a_time(server: WitnessServer, tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="another witness"):
        WitnessState(tmp_path / "witness", identity(tmp_path)).__enter__()


def test_a_key_without_its_state_is_refused(tmp_path: Path) -> None:
    identity(tmp_path)
    (tmp_path / "witness" / "witness.json").unlink()
    with pytest.raises(ConfigError, match="its state") as caught:
        identity(tmp_path)
    assert "move the key away" in caught.value.advice


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-5],
    "empty": lambda data: b"",
    "of another size": lambda data: data.replace(b"\n10\n", b"\n9\n"),
    "without the witness's line": lambda data: head_of(plain_entries(9)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_state_is_never_believed(tmp_path: Path, name: str) -> None:
    with serving(tmp_path) as (server, _):
        submit(server, 0, 10)
    path = tmp_path / "witness" / "heads" / file_name_of(ORIGIN)
    path.write_bytes(DAMAGE[name](path.read_bytes()))
    with pytest.raises(ConfigError, match="cannot be used"), serving(tmp_path):
        pass


def test_a_full_disk_gives_no_cosignature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in place of the file: the rename fails, as on a file system that went read-only."""
    with serving(tmp_path) as (server, _):
        path = tmp_path / "witness" / "heads" / file_name_of(ORIGIN)
        submit(server, 0, 3)
        saved = path.read_bytes()
        heads = path.parent
        heads.rename(heads.with_name("away"))
        assert status_of(submit(server, 3, 5)) == 503
        heads.with_name("away").rename(heads)
        assert path.read_bytes() == saved
        assert body_of(submit(server, 0, 5)) == b"3\n"
        assert status_of(submit(server, 3, 5)) == 200
    assert list(heads.iterdir()) == [path]


def test_a_port_in_use(server: WitnessServer, tmp_path: Path) -> None:
    signer = identity(tmp_path)
    with pytest.raises(ConfigError, match="cannot listen"):
        WitnessServer(("127.0.0.1", server.server_port), server.witness, signer)
