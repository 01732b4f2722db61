"""What a TV asks for besides clips: its page, its playlist, pictures, and whether the server answers."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from tv_ui.files import open_below
from tv_ui.health import PLAYLIST_SERVICE
from tv_ui.media import IMMUTABLE, is_sha256, is_tag_known, not_found
from tv_ui.playlist_store import PlaylistStore, is_tv
from tv_ui.posters import Posters
from tv_ui.tv_page import TvPageFile
from vv_core.clock import Clock, format_utc
from vv_core.errors import InputMissingError, VvError
from vv_core.fallback_media.making import LOOP_NAME, PLACEHOLDER_NAME
from vv_core.heartbeat import read_heartbeat
from vv_core.logs import get_logger
from vv_core.paths import Storage

_FALLBACK = {LOOP_NAME: "video/mp4", PLACEHOLDER_NAME: "image/png"}
_READ = ["GET", "HEAD"]

_logger = get_logger("tv_api")


def tv_router(
    storage: Storage,
    clock: Clock,
    page_file: TvPageFile,
    playlists: PlaylistStore,
    posters: Posters,
) -> APIRouter:
    """Return the routes of the TVs."""
    router = APIRouter()

    @router.api_route("/healthz", methods=_READ)
    def answers() -> JSONResponse:
        body = {
            "status": "ok",
            "page_version": _version(page_file),
            "server_time": format_utc(clock.now()),
        }
        return JSONResponse(body)

    @router.api_route("/tv.html", methods=_READ)
    @router.api_route("/tv", methods=_READ)
    def page(request: Request) -> Response:
        return _page(page_file, request)

    @router.api_route("/playlists/{tv}", methods=_READ)
    def playlist(tv: str, request: Request) -> Response:
        told = {
            "X-VV-Server-Time": format_utc(clock.now()),
            "X-VV-Playlist-Age": playlist_age(storage, clock.now()),
            "X-VV-Page-Version": _version(page_file),
        }
        return _playlist(playlists, tv, request, told)

    @router.api_route("/posters/{sha256}.jpg", methods=_READ)
    def poster(sha256: str, request: Request) -> Response:
        return _poster(posters, sha256, request)

    @router.api_route("/fallback/{name}", methods=_READ)
    def fallback(name: str) -> Response:
        return _fallback(storage, name)

    return router


def playlist_age(storage: Storage, now: datetime) -> str:
    """Return the whole seconds since playlist_manager last said that it works; "" if it has not."""
    try:
        heartbeat = read_heartbeat(storage.services / f"{PLAYLIST_SERVICE}.json")
    except VvError:
        return ""
    return str(max(0, int((now - heartbeat.time).total_seconds())))


def _version(page_file: TvPageFile) -> str:
    """Return the page's version; "" where there is no page, which no TV takes for a new one."""
    try:
        return page_file.get().version
    except VvError as exc:
        _logger.error("%s", exc.message)
        return ""


def _page(page_file: TvPageFile, request: Request) -> Response:
    try:
        page = page_file.get()
    except VvError as exc:
        _logger.error("%s", exc.message)
        return _not_now("page")
    tag = f'"{page.version}"'
    headers = {"ETag": tag, "Content-Security-Policy": page.policy}
    if is_tag_known(request.headers.get("if-none-match"), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(page.body, media_type="text/html; charset=utf-8", headers=headers)


def _playlist(
    playlists: PlaylistStore, tv: str, request: Request, told: dict[str, str]
) -> Response:
    if not is_tv(tv):
        return not_found("TV")
    try:
        playlist = playlists.get(tv)
    except InputMissingError:
        return not_found("TV")
    except VvError as exc:
        _logger.error("%s", exc.message)
        return _not_now("playlist")
    headers = {**told, "ETag": playlist.tag}
    if is_tag_known(request.headers.get("if-none-match"), playlist.tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(playlist.body, media_type="application/json", headers=headers)


def _poster(posters: Posters, sha256: str, request: Request) -> Response:
    data = posters.read(sha256) if is_sha256(sha256) else None
    if data is None:
        return not_found("picture")
    tag = f'"{sha256}"'
    headers = {"ETag": tag, "Cache-Control": IMMUTABLE}
    if is_tag_known(request.headers.get("if-none-match"), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, media_type="image/jpeg", headers=headers)


def _fallback(storage: Storage, name: str) -> Response:
    if name not in _FALLBACK:
        return not_found("file")
    try:
        open_below(storage.fallback, name).close()
    except OSError:
        return not_found("file")
    return FileResponse(storage.fallback / name, media_type=_FALLBACK[name])


def _not_now(what: str) -> JSONResponse:
    return JSONResponse(
        {"detail": f"the {what} cannot be read now"}, HTTPStatus.SERVICE_UNAVAILABLE
    )
