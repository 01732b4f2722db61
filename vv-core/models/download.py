"""Fetching a file over HTTP(S), so that an interruption costs only what was not yet there.

The bytes go to ``<file>.part``; ``<file>.part.json`` says of which answer they are. A later call goes on where
the last one ended. The caller gives the file its name once its hash is checked.
"""

from __future__ import annotations

import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from pathlib import Path
from typing import IO

from vv_core.atomic import write_json_atomic
from vv_core.errors import TemporaryError, UnavailableError, VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.models.redirects import Redirects, explain, is_final
from vv_core.models.transfer import (
    Answer,
    Expected,
    Part,
    judge_answer,
    parse_part,
    part_document,
    request_headers,
    usable_bytes,
    wait_before,
)

PART_SUFFIX = ".part"
STATE_SUFFIX = ".part.json"
_MAX_STATE_BYTES = 64 * 1024

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes that there will be, if that is known."""


@dataclass(frozen=True)
class Patience:
    """How long to keep trying.

    Attributes:
        answer_s: longest silence of the server, seconds.
        attempts: failures in a row, without a new byte, until it is given up.
        first_wait_s, longest_wait_s: the wait doubles from the one to the other.
        total_s: longest time for one call; the part is kept.
        reserve_bytes: space that must stay free on the disk.
        chunk_bytes: most that is read at once.
        sync_bytes: after so many the part is synced, so that a power cut costs no more.
    """

    answer_s: float = 30.0
    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    total_s: float = 12 * 3600.0
    reserve_bytes: int = 256 * 1024 * 1024
    chunk_bytes: int = 256 * 1024
    sync_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True)
class Surroundings:
    """Where waits and free space come from; tests pass their own."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free


class Download:
    """One file on its way."""

    def __init__(
        self,
        target: Path,
        expected: Expected,
        patience: Patience | None = None,
        surroundings: Surroundings | None = None,
        progress: Progress = lambda _done, _total: None,
    ) -> None:
        """Prepare, without asking anybody.

        Args:
            target: the name that the file will get; its folder exists.
            expected: what is known about it.
        """
        self.part_path = target.with_name(target.name + PART_SUFFIX)
        self.was_resumed = False
        self._state_path = target.with_name(target.name + STATE_SUFFIX)
        self._expected = expected
        self._patience = patience or Patience()
        self._world = surroundings or Surroundings()
        self._progress = progress
        self._part: Part | None = None
        self._opener = urllib.request.build_opener(Redirects(expected))

    def run(self) -> Path:
        """Fetch what is missing and return the complete part.

        Raises:
            UnavailableError: the server does not answer, or never with the whole file; the part is kept.
            TemporaryError: the disk has too little space, or it took too long.
            VvError: the disk cannot be written.
        """
        deadline = self._world.monotonic() + self._patience.total_s
        failures, most = 0, self._have()
        while True:
            answer = self._attempt(deadline)
            if answer.action == "complete":
                return self.part_path
            if answer.action == "refuse":
                raise self._unavailable(answer.reason)
            # Only more than there ever was is a success: a file may start anew again and again.
            failures = 0 if self._have() > most else failures + 1
            most = max(most, self._have())
            if failures >= self._patience.attempts:
                raise self._unavailable(f"{answer.reason} ({failures} times in a row)")
            if answer.action == "retry":
                self._wait(failures, answer, deadline)

    def discard(self) -> None:
        """Remove the part, for instance because its bytes are wrong."""
        for path in (self.part_path, self._state_path):
            path.unlink(missing_ok=True)
        self._part = None

    def finish(self) -> None:
        """Remove what is left when the part has become the file."""
        self._state_path.unlink(missing_ok=True)

    def _attempt(self, deadline: float) -> Answer:
        """Ask once; what fails is an answer too."""
        have = self._usable()
        headers = request_headers(self._part, have)
        request = urllib.request.Request(self._expected.url, headers=headers)  # noqa: S310 - http(s) only, see registry
        try:
            response = self._open(request)
        except (OSError, http.client.HTTPException) as exc:  # URLError is an OSError
            return Answer("refuse" if is_final(exc) else "retry", reason=explain(exc))
        with response:
            try:
                return self._take(response, have, deadline)
            except _Broken as exc:
                return Answer("retry", reason=str(exc))

    def _open(self, request: urllib.request.Request) -> HTTPResponse:
        try:
            response: HTTPResponse = self._opener.open(request, timeout=self._patience.answer_s)
        except urllib.error.HTTPError as exc:
            # An answer like any other; its body is not needed.
            return exc  # type: ignore[return-value]
        return response

    def _take(self, response: HTTPResponse, have: int, deadline: float) -> Answer:
        names = {name.lower(): value for name, value in response.headers.items()}
        promised = self._part.total if self._part is not None else None
        answer = judge_answer(response.status, names, have, self._expected, promised)
        if answer.action == "restart":
            self.discard()
            return Answer("retry", reason=answer.reason or "the file has changed there")
        if answer.action != "write" or answer.part is None:
            return answer
        self._check_space(answer)
        return self._write(response, answer.offset, answer.part, deadline)

    def _write(self, response: HTTPResponse, offset: int, part: Part, deadline: float) -> Answer:
        self.was_resumed = self.was_resumed or offset > 0
        if offset and part.validator is None and self._part is not None:
            # A partial answer to If-Range may leave Last-Modified out (RFC 9110, 15.3.7).
            part = replace(part, validator=self._part.validator)
        self._part = part
        try:
            with self.part_path.open("ab") as stream:
                # From here on the part is what this answer says, and nothing else.
                stream.truncate(offset)
                self._keep_state(stream, offset)
                have = self._copy(response, stream, offset, deadline)
        except OSError as exc:
            raise from_oserror(exc, "keep what was fetched", self.part_path) from exc
        if part.total is not None and have < part.total:
            return Answer("retry", reason=f"it ended after {have} of {part.total} bytes")
        expected = self._expected.size or part.total
        if expected is not None and have != expected:
            self.discard()
            return Answer("refuse", reason=f"it sent {have} bytes, {expected} were expected")
        return Answer("complete")

    def _copy(self, response: HTTPResponse, stream: IO[bytes], offset: int, deadline: float) -> int:
        """Append the body to the part and return its length."""
        have = synced = offset
        try:
            while chunk := _read(response, self._patience.chunk_bytes):
                self._check_progress(have + len(chunk), deadline)
                stream.write(chunk)
                have += len(chunk)
                self._progress(have, self._part.total if self._part else None)
                if have - synced >= self._patience.sync_bytes:
                    self._keep_state(stream, have)
                    synced = have
        finally:
            if self._part is not None:  # else the part was discarded
                self._keep_state(stream, have)
        return have

    def _keep_state(self, stream: IO[bytes], have: int) -> None:
        """Bring the part to the disk, then say how far it is."""
        stream.flush()
        os.fsync(stream.fileno())
        assert self._part is not None
        self._part = replace(self._part, synced=have)
        write_json_atomic(self._state_path, part_document(self._part))

    def _check_progress(self, have: int, deadline: float) -> None:
        if have > self._expected.max_bytes:
            self.discard()
            raise self._unavailable(f"it sends more than {self._expected.max_bytes} bytes")
        if self._world.monotonic() > deadline:
            raise TemporaryError(
                f"{self._expected.url} was not complete in time",
                advice="Run the same command again; it goes on from there.",
            )

    def _check_space(self, answer: Answer) -> None:
        total = answer.part.total if answer.part else None
        needed = (total or self._expected.size or 0) - answer.offset + self._patience.reserve_bytes
        free = self._world.free_bytes(self.part_path.parent)
        if free < needed:
            raise TemporaryError(
                f"{needed >> 20} MiB are needed in {str(self.part_path.parent)!r}, {free >> 20} MiB are free",
                advice="Free disk space (make status shows use), then run the same command again.",
            )

    def _wait(self, failures: int, answer: Answer, deadline: float) -> None:
        patience = self._patience
        wait_s = wait_before(
            failures, patience.first_wait_s, patience.longest_wait_s, answer.wait_s
        )
        get_logger("models").info(
            "%s: %s; again in %.0f s", self._expected.url, answer.reason, wait_s
        )
        if self._world.monotonic() + wait_s > deadline:
            raise self._unavailable(answer.reason)
        self._world.sleep(wait_s)

    def _have(self) -> int:
        try:
            return self.part_path.stat().st_size
        except FileNotFoundError:
            return 0

    def _usable(self) -> int:
        """Return how much of the part may be kept, and forget the rest."""
        if self._part is None and self._state_path.exists():
            with suppress(VvError):  # damaged: as if it were not there
                self._part = parse_part(read_json(self._state_path, max_bytes=_MAX_STATE_BYTES))
        have = usable_bytes(self._part, self._have(), self._expected)
        if have == 0:
            self.discard()
        return have

    def _unavailable(self, reason: str) -> VvError:
        return UnavailableError(
            f"{self._expected.url} cannot be fetched: {reason}",
            advice="Check the network and run the same command again; what is there is kept. "
            "Without a network: vv-models import FILE.",
        )


class _Broken(Exception):
    """The connection ended within an answer."""


def _read(response: HTTPResponse, count: int) -> bytes:
    """Return the next bytes of an answer; what fails here is the network, not the disk."""
    try:
        return response.read1(count)
    except (OSError, http.client.HTTPException) as exc:
        raise _Broken(explain(exc)) from exc
