"""What browsers are told about the answers and pages of our services: to trust nothing but what we wrote."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
"""As ASGI 3 has them."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
_POLICY = "content-security-policy"
_INLINE = re.compile(r"<(script|style)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)


class StrictHeaders:
    """Adds the headers that an answer does not set itself; passes bodies through as they come."""

    def __init__(self, app: Application, policy: str) -> None:
        """Stand before an application.

        Args:
            app: what answers.
            policy: Content-Security-Policy of answers that have none of their own.
        """
        self._app = app
        headers = _HEADERS | {_POLICY: policy}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name.lower() for name, _ in own}
                message["headers"] = own + [each for each in self._headers if each[0] not in names]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def build_policy(html: str, *own: str) -> str:
    """Return the policy under which a page's own scripts and styles run, and no others (CSP level 2).

    Args:
        html: the page, as it is sent.
        own: what the page needs besides, as ``media-src blob:``.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _INLINE.findall(html):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        hashes[kind.lower()].append(f"'sha256-{digest}'")
    scripts, styles = (" ".join(hashes[kind]) or "'none'" for kind in ("script", "style"))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src {styles}",
            *own,
            "img-src 'self' blob: data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
