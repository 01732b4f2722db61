"""The routes of the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tv_ui.box_status import collect_box_status
from tv_ui.health import find_health_problems
from tv_ui.log_head import log_router
from tv_ui.media import media_router
from tv_ui.media_store import MediaStore
from tv_ui.page import render_page
from tv_ui.playlist_store import PlaylistStore
from tv_ui.posters import Posters
from tv_ui.refusals import refusal_teller
from tv_ui.screen_routes import screen_router
from tv_ui.screen_watch import ScreenWatch
from tv_ui.setup_routes import setup_router
from tv_ui.texts import speak
from tv_ui.tv_page import TvPageFile
from tv_ui.tv_routes import tv_router
from vv_core.clock import Clock
from vv_core.settings import Settings
from vv_core.web_safety import StrictHeaders

_PAGE = Path(__file__).with_name("tv.html")
_HEALTHCHECK_HOST = "127.0.0.1"
"""By which the box asks itself (`vv_core.http_probe`), whatever an installer allows others."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'"
_THREADS = 16
"""For answers that read files; a container may have few processes."""


def create_app(settings: Settings, clock: Clock, page: Path = _PAGE) -> FastAPI:
    """Return the application.

    Args:
        settings: of this box.
        clock: the time.
        page: what TVs load.
    """
    storage = settings.storage
    media = MediaStore(storage, refusal_teller(storage, clock, "clip"))
    watch = ScreenWatch(storage, clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        watching = asyncio.create_task(watch.run())
        try:
            yield
        finally:
            media.close()
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    # No pages that list the routes: nobody needs them here but who looks for a way in.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.watch = watch
    # A page elsewhere must not reach the box through a browser beside it (DNS rebinding).
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=[*settings.tv_api_hosts, _HEALTHCHECK_HOST]
    )
    app.add_middleware(StrictHeaders, policy=_POLICY)
    _add_operator_routes(app, settings, clock, watch)
    playlists = PlaylistStore(storage)
    app.include_router(setup_router(settings, playlists))
    posters = Posters(storage, playlists, refusal_teller(storage, clock, "picture"))
    app.include_router(tv_router(storage, clock, TvPageFile(page), playlists, posters))
    app.include_router(media_router(media))
    app.include_router(screen_router(settings, watch))
    app.include_router(log_router(storage))
    return app


def _add_operator_routes(
    app: FastAPI, settings: Settings, clock: Clock, watch: ScreenWatch
) -> None:
    def look_at_box() -> dict[str, Any]:
        screens = watch.view(speak(settings.language))
        return collect_box_status(settings, clock.now(), screens)

    @app.get("/health")
    def health() -> JSONResponse:
        problems = find_health_problems(settings.storage, clock.now())
        problems += [problem] if (problem := watch.find_problem()) else []
        body = {"status": "unhealthy" if problems else "ok", "problems": problems}
        return JSONResponse(body, 503 if problems else 200)

    @app.get("/status")
    def status() -> JSONResponse:
        return JSONResponse(look_at_box())

    @app.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(render_page(look_at_box(), settings.language))
