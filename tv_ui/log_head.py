"""``/log/head`` and its QR code: what is photographed beside a TV is a witness of the log."""

from __future__ import annotations

import hashlib
import threading
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from tv_ui.media import is_tag_known, not_found
from vv_core.errors import InputMissingError, VvError
from vv_core.logs import get_logger
from vv_core.paths import Storage
from vv_core.tlog.head_pictures import draw_svg
from vv_core.tlog.own_log import OwnLog, open_own_log

_logger = get_logger("tv_api")


class HeadPicture:
    """The QR code of the newest head, drawn once for each; may be used by several threads."""

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        self._lock = threading.Lock()
        self._known: tuple[bytes, bytes] | None = None

    def draw(self, note: bytes) -> bytes:
        """Return an SVG file of the QR code of a note.

        Raises:
            VvError: it cannot be drawn.
        """
        with self._lock:
            if self._known is None or self._known[0] != note:
                self._known = (note, draw_svg(note))
            return self._known[1]


def log_router(storage: Storage) -> APIRouter:
    """Return the routes of the log's head."""
    router = APIRouter()
    picture = HeadPicture()

    @router.api_route("/log/head", methods=["GET", "HEAD"])
    def head() -> Response:
        log = _open(storage)
        if isinstance(log, Response):
            return log
        told = {"origin": log.head.origin, "size": log.head.size, "root": log.head.root.hex()}
        return JSONResponse(told)

    @router.api_route("/log/head.svg", methods=["GET", "HEAD"])
    def head_picture(request: Request) -> Response:
        log = _open(storage)
        return log if isinstance(log, Response) else _picture(picture, log, request)

    return router


def _open(storage: Storage) -> OwnLog | Response:
    try:
        return open_own_log(storage.log)
    except InputMissingError:
        return not_found("log")
    except VvError as exc:
        return _not_now(exc)


def _picture(picture: HeadPicture, log: OwnLog, request: Request) -> Response:
    headers = {"ETag": f'"{hashlib.sha256(log.note).hexdigest()[:32]}"'}
    if is_tag_known(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        svg = picture.draw(log.note)
    except VvError as exc:
        return _not_now(exc)
    return Response(svg, media_type="image/svg+xml", headers=headers)


def _not_now(exc: VvError) -> Response:
    _logger.error("%s", exc.message)
    detail = {"detail": "the log cannot be read now"}
    return JSONResponse(detail, HTTPStatus.SERVICE_UNAVAILABLE)
