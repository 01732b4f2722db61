"""What screens say, and what people ask about them: heartbeats, ``/tvs``, ``/tv/<tv>/explain``."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from tv_ui.explain import read_explanation, render_explanation, wants_html
from tv_ui.media import not_found
from tv_ui.playlist_store import is_tv
from tv_ui.screen_report import MAX_BYTES, parse_report
from tv_ui.screen_watch import ScreenWatch
from tv_ui.texts import speak
from vv_core.errors import InputMissingError, VvError
from vv_core.logs import get_logger
from vv_core.settings import Settings

LANGUAGES = ("pt-BR", "en")
_PATIENCE_S = 10.0
"""For a heartbeat of a few hundred bytes, on whatever network."""

_logger = get_logger("tv_api")


def screen_router(settings: Settings, watch: ScreenWatch) -> APIRouter:
    """Return the routes of the screens."""
    router = APIRouter()

    @router.post("/tv/{tv}/heartbeat")
    async def heartbeat(tv: str, request: Request) -> Response:
        return await _heartbeat(watch, tv, request)

    @router.get("/tvs")
    def screens(tv: str | None = None, screen: str | None = None) -> JSONResponse:
        told = watch.view(speak(settings.language))
        wanted = [
            each for each in told if tv in {None, each["tv"]} and screen in {None, each["screen"]}
        ]
        return JSONResponse({"tvs": wanted})

    @router.get("/tv/{tv}/explain")
    def explain(tv: str, request: Request) -> Response:
        return _explain(settings, tv, request)

    return router


def choose_language(request: Request, default: str) -> str:
    """Return the language that ``?lang=`` asks for, else the box's."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else default


async def _heartbeat(watch: ScreenWatch, tv: str, request: Request) -> Response:
    if not is_tv(tv):
        return not_found("TV")
    if not _is_own_page(request):
        return _refuse(HTTPStatus.FORBIDDEN, "not from a page of this box")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            body = await _read_body(request)
    except TimeoutError:
        return _refuse(HTTPStatus.REQUEST_TIMEOUT, "the rest did not come")
    if body is None:
        return _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BYTES} bytes")
    return _note(watch, tv, body)


def _note(watch: ScreenWatch, tv: str, body: bytes) -> Response:
    try:
        report = parse_report(body)
    except ValueError as exc:
        return _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc))
    if not watch.hear(tv, report):
        return _refuse(HTTPStatus.TOO_MANY_REQUESTS, "one every ten seconds is enough")
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _is_own_page(request: Request) -> bool:
    """Tell whether no browser says that another site's page is asking."""
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


async def _read_body(request: Request) -> bytes | None:
    """Return the body, or None as soon as it is too large."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            return None
    return body


def _refuse(status: HTTPStatus, why: str) -> JSONResponse:
    return JSONResponse({"detail": why}, status)


def _explain(settings: Settings, tv: str, request: Request) -> Response:
    if not is_tv(tv):
        return not_found("TV")
    try:
        document = read_explanation(settings.storage, tv, request.query_params.get("logline"))
    except InputMissingError:
        return not_found("TV")
    except VvError as exc:
        _logger.error("%s", exc.message)
        return _refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the explanation cannot be read now")
    if not wants_html(request.headers.get("accept")):
        return JSONResponse(document, headers={"Vary": "Accept"})
    page = render_explanation(document, tv, choose_language(request, settings.language))
    return HTMLResponse(page, headers={"Vary": "Accept"})
