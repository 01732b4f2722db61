"""The route of the page that tells how to set up a TV."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from tv_ui.playlist_store import PlaylistStore
from tv_ui.screen_routes import choose_language
from tv_ui.setup_page import SetupFacts, render_setup
from vv_core.errors import VvError
from vv_core.logs import get_logger
from vv_core.settings import Settings

_DEFAULT_PORT = 80


def setup_router(settings: Settings, playlists: PlaylistStore) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    @router.get("/setup")
    def setup(request: Request) -> HTMLResponse:
        try:
            tvs = playlists.names()
        except VvError as exc:
            get_logger("tv_api").error("%s", exc.message)
            tvs = []
        # The port that the reader came by: inside of a container it is another one.
        facts = SetupFacts(settings.tv_api_hosts, request.url.port or _DEFAULT_PORT, tvs)
        return HTMLResponse(render_setup(facts, choose_language(request, settings.language)))

    return router
