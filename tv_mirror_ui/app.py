"""What the mirror answers over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tv_mirror_ui.hub import Channel, Hub, State
from tv_mirror_ui.page import load_page
from tv_mirror_ui.streaming import MirrorStream
from vv_core.web_safety import StrictHeaders

SNAPSHOT_S = 6.0
MAX_AT_ONCE = 16
_MAX_RATE = 30.0
_PLACEHOLDER = "placeholder.png"
_POLICY = "default-src 'none'; frame-ancestors 'none'"


def create_app(hub: Hub, hosts: tuple[str, ...], fallback: Path) -> Starlette:
    """Return the application.

    Args:
        hub: the cameras.
        hosts: names that browsers may call it by.
        fallback: folder of the placeholder's large version; the page bears a small one.
    """
    page = load_page()
    get = partial(Route, methods=["GET"])

    async def cameras(_: Request) -> Response:
        told = [
            {"name": channel.camera.name, "title": channel.camera.title}
            for channel in hub.channels.values()
        ]
        return JSONResponse({"cameras": told})

    async def state(_: Request) -> Response:
        now = time.monotonic()
        return JSONResponse({"cameras": [each.report(now) for each in hub.channels.values()]})

    async def health(_: Request) -> Response:
        problems = hub.problems()
        return JSONResponse({"status": "degraded" if problems else "ok", "problems": problems})

    async def stream(request: Request) -> Response:
        channels = _named(hub, request.path_params["names"])
        if not channels:
            return JSONResponse({"detail": "no such camera"}, 404)
        return MirrorStream(hub, channels, _rate(request.query_params.get("fps", "")))

    async def snapshot(request: Request) -> Response:
        channel = hub.channels.get(request.path_params["name"])
        if channel is None:
            return JSONResponse({"detail": "no such camera"}, 404)
        return await _snapshot(hub, channel)

    async def placeholder(_: Request) -> Response:
        try:
            data = await asyncio.to_thread((fallback / _PLACEHOLDER).read_bytes)
        except OSError:
            return JSONResponse({"detail": "there is none"}, 404)
        return Response(data, media_type="image/png")

    async def show_page(_: Request) -> Response:
        return HTMLResponse(page.html, headers={"Content-Security-Policy": page.policy})

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok", "page_version": page.version})

    return Starlette(
        routes=[
            get("/", show_page),
            get("/tv_mirror.html", show_page),
            get("/cameras", cameras),
            get("/state", state),
            get("/stream/{names}", stream),
            get("/snapshot/{name}.jpg", snapshot),
            get(f"/fallback/{_PLACEHOLDER}", placeholder),
            get("/healthz", alive),
            get("/health", health),
        ],
        middleware=[
            Middleware(StrictHeaders, policy=_POLICY),
            # A page elsewhere must not reach the cameras through a browser beside them (DNS rebinding).
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
        ],
        lifespan=partial(_lifespan, hub),
    )


@asynccontextmanager
async def _lifespan(hub: Hub, _: Starlette) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await hub.close()


def _named(hub: Hub, raw_names: str) -> list[Channel]:
    """Return the cameras of a list of names; none where one of them is wrong."""
    names = dict.fromkeys(raw_names.split(","))
    if len(names) > MAX_AT_ONCE or not names.keys() <= hub.channels.keys():
        return []
    return [hub.channels[name] for name in names]


def _rate(raw_rate: str) -> float | None:
    with suppress(ValueError):
        rate = float(raw_rate)
        if 0 < rate <= _MAX_RATE:
            return rate
    return None


async def _snapshot(hub: Hub, channel: Channel) -> Response:
    """Answer with a picture that is live, or with why there is none; never with an old one."""
    with hub.watch([channel]) as viewer:
        # Where there is no hope, an answer at once; the source goes on trying for the next who asks.
        is_starting = channel.state(time.monotonic()) is State.STARTING
        found = await viewer.next(SNAPSHOT_S if is_starting else 0.0)
    now = time.monotonic()
    if found is None:
        return JSONResponse(channel.report(now), 503, headers={"Retry-After": "2"})
    headers = {
        "X-Age-Ms": str(round((now - found[1].captured) * 1000)),
        "Cache-Control": "no-store",
    }
    return Response(found[1].jpeg, media_type="image/jpeg", headers=headers)
