"""The routes of the API."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tv_ui.box_status import collect_box_status
from tv_ui.health import ALL_FILE, find_health_problems
from tv_ui.page import render_page
from vv_core.clock import Clock
from vv_core.errors import InputMissingError, VvError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.settings import Settings

_TV = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}

_logger = get_logger("tv_api")


def create_app(settings: Settings, clock: Clock) -> FastAPI:
    """Return the application. It reads, and writes nothing.

    Args:
        settings: of this box.
        clock: the time.
    """
    # No pages that list the routes: nobody needs them here but who looks for a way in.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # A page elsewhere must not reach the box through a browser beside it (DNS rebinding).
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.tv_api_hosts))
    app.middleware("http")(_add_headers)

    @app.get("/health")
    def health() -> JSONResponse:
        problems = find_health_problems(settings.storage, clock.now())
        body = {"status": "unhealthy" if problems else "ok", "problems": problems}
        return JSONResponse(body, 503 if problems else 200)

    @app.get("/status")
    def status() -> JSONResponse:
        return JSONResponse(collect_box_status(settings, clock.now()))

    @app.get("/playlists/{tv}")
    def playlist(tv: str, request: Request) -> Response:
        return _playlist(settings, tv, request)

    @app.get("/")
    def page() -> HTMLResponse:
        status = collect_box_status(settings, clock.now())
        return HTMLResponse(render_page(status, settings.language))

    return app


async def _add_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _playlist(settings: Settings, tv: str, request: Request) -> Response:
    if not _TV.fullmatch(tv):
        return JSONResponse({"detail": "no such TV"}, 404)
    path = settings.storage.playlists / (ALL_FILE if tv == "all" else f"{tv}.json")
    try:
        document = read_json(path)
    except InputMissingError:
        return JSONResponse({"detail": "no such TV"}, 404)
    except VvError as exc:
        _logger.error("%s", exc.message)
        return JSONResponse({"detail": "the playlist cannot be read now"}, 503)
    response = JSONResponse(document)
    # Of the items alone: a playlist that shows the same is the same.
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return response
