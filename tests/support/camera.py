"""Pictures of a page of Chromium, over a connection of their own to its DevTools."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import websocket

_PICTURE_S = 4.0
_TRIES = 10


def connect(address: str, page: str, timeout_s: float) -> websocket.WebSocket:
    """Connect to a page, named as chromedriver names its window, in the browser whose DevTools listen at HOST:PORT."""
    url = f"ws://{address}/devtools/page/{page}"
    # With an origin Chromium would have to be told that it may come from there.
    return websocket.create_connection(url, timeout=timeout_s, suppress_origin=True)


class Camera:
    """Takes pictures of pages.

    Chromium sometimes never answers when it is asked for a picture while a page goes to another. Asked through
    chromedriver, all of its later commands wait for that one; here, another connection asks again.

    Attributes:
        address: HOST:PORT where the browser's DevTools listen.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._page = ""
        self._connection: websocket.WebSocket | None = None
        self._numbers = itertools.count(1)

    def take(self, page: str) -> bytes:
        """Return a PNG of a page, named as chromedriver names its window.

        Raises:
            AssertionError: no answer, however often it was asked.
        """
        for _ in range(_TRIES):
            try:
                return base64.b64decode(self._ask(page)["data"])
            except (OSError, ValueError, websocket.WebSocketException):
                self.close()
        raise AssertionError(f"no picture within {_TRIES} times {_PICTURE_S} s")

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.shutdown()
        self._connection = None

    def _ask(self, page: str) -> dict[str, Any]:
        connection = self._connect(page)
        number = next(self._numbers)
        parameters = {"format": "png", "optimizeForSpeed": True}
        question = {"id": number, "method": "Page.captureScreenshot", "params": parameters}
        connection.send(json.dumps(question))
        while (answer := json.loads(connection.recv())).get("id") != number:
            pass
        if "result" not in answer:
            raise websocket.WebSocketException(answer)
        result: dict[str, Any] = answer["result"]
        return result

    def _connect(self, page: str) -> websocket.WebSocket:
        if self._connection is None or page != self._page:
            self.close()
            self._connection = connect(self.address, page, _PICTURE_S)
            self._page = page
        return self._connection
