"""``/media/<sha256>.mp4``: a clip by its content, in parts, and never a byte that is not the clip's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tv_ui.chunk_table import Piece
from tv_ui.media_store import MediaRefused, MediaStore, OpenClip
from tv_ui.ranges import OutOfRange, Span, choose_span

IMMUTABLE = "public, max-age=31536000, immutable"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_READERS = 256
"""Clips that are sent at a time: each holds a chunk, and some of it again in the socket's buffer."""
_PATIENCE_S = 10.0
_SEND_BYTES = 64 * 1024
"""What is handed to the socket at a time, so that a slow reader holds little."""


def is_sha256(raw_text: str) -> bool:
    """Tell whether a text is a SHA-256 in lower-case hexadecimal digits."""
    return _SHA256.fullmatch(raw_text) is not None


def not_found(what: str) -> JSONResponse:
    """Return 404: no word about why, or about what is where."""
    return JSONResponse({"detail": f"no such {what}"}, HTTPStatus.NOT_FOUND)


def media_router(store: MediaStore) -> APIRouter:
    """Return the route of the clips."""
    router = APIRouter()
    slots = asyncio.Semaphore(_MAX_READERS)

    @router.api_route("/media/{sha256}.mp4", methods=["GET", "HEAD"])
    async def media(sha256: str, request: Request) -> Response:
        if not is_sha256(sha256):
            return not_found("clip")
        try:
            await asyncio.wait_for(slots.acquire(), _PATIENCE_S)
        except TimeoutError:
            busy = {"detail": "too many clips are being sent"}
            return JSONResponse(busy, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})
        try:
            response = await _answer(store, sha256, request, slots)
        except BaseException:
            slots.release()
            raise
        if not isinstance(response, ClipResponse):
            slots.release()
        return response

    return router


async def _answer(
    store: MediaStore, sha256: str, request: Request, slots: asyncio.Semaphore
) -> Response:
    clip = await store.open(sha256)
    if clip is None:
        return not_found("clip")
    try:
        response = await _answer_with(clip, request, slots)
    except BaseException:
        clip.close()
        raise
    if not isinstance(response, ClipResponse):
        clip.close()
    return response


async def _answer_with(clip: OpenClip, request: Request, slots: asyncio.Semaphore) -> Response:
    size, tag = clip.table.size, f'"{clip.sha256}"'
    headers = {"ETag": tag, "Cache-Control": IMMUTABLE, "Accept-Ranges": "bytes"}
    asked = request.headers
    if is_tag_known(asked.get("if-none-match"), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        part = choose_span(asked.get("range"), asked.get("if-range"), tag, size)
    except OutOfRange:
        unsatisfied = {**headers, "Content-Range": f"bytes */{size}", "Cache-Control": "no-cache"}
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=unsatisfied)
    span = part or Span(0, size)
    headers["Content-Length"] = str(span.length)
    if part is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    pieces = clip.table.pieces(span)
    first = next(pieces, None)
    try:
        # Before the answer begins, so that the usual mishap is a 404 and not a cut.
        data = await clip.read(first) if first is not None else b""
    except MediaRefused:
        return not_found("clip")
    status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
    return ClipResponse(clip, data, pieces, status=status, headers=headers, slots=slots)


def is_tag_known(raw_if_none_match: str | None, tag: str) -> bool:
    """Tell whether a client has this content already (RFC 9110, 13.1.2: weak comparison)."""
    if raw_if_none_match is None:
        return False
    tags = {part.strip().removeprefix("W/") for part in raw_if_none_match.split(",")}
    return tag in tags or tags == {"*"}


class ClipResponse(Response):
    """Sends the parts of a clip, each when the one before has gone out; cuts off where one is wrong.

    Starlette's own would end a body that is too short with an error of ours and a traceback; here the server is
    left to close the connection, which tells the client that the rest is missing.
    """

    media_type = "video/mp4"

    def __init__(
        self,
        clip: OpenClip,
        first: bytes,
        rest: Iterator[Piece],
        *,
        status: HTTPStatus,
        headers: dict[str, str],
        slots: asyncio.Semaphore,
    ) -> None:
        """Take over the clip, which is closed after sending, and a slot, which is given back then."""
        super().__init__(status_code=status, headers=headers)
        self._clip = clip
        self._first = first
        self._rest = rest
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        gone = asyncio.ensure_future(_wait_until_gone(receive))
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            # A part that is wrong was told already; nothing more is sent, not even an end.
            with suppress(MediaRefused):
                await self._send_body(send, gone)
        finally:
            self._clip.close()
            self._slots.release()
            gone.cancel()

    async def _send_body(self, send: Send, gone: asyncio.Future[None]) -> None:
        await _send_slices(send, self._first)
        self._first = b""
        for piece in self._rest:
            if gone.done():
                return
            await _send_slices(send, await self._clip.read(piece))
        await send({"type": "http.response.body", "body": b""})


async def _send_slices(send: Send, data: bytes) -> None:
    view = memoryview(data)
    for start in range(0, len(data), _SEND_BYTES):
        body = bytes(view[start : start + _SEND_BYTES])
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
