"""Reading cameras that send JPEGs over HTTP (``multipart/x-mixed-replace``)."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from functools import partial
from http import HTTPStatus
from typing import Any

from tv_mirror_ui.messages import Order, Trouble
from tv_mirror_ui.multipart import MultipartParser, find_boundary
from tv_mirror_ui.outlet import Outlet, ReaderError
from tv_mirror_ui.pace import RateGate
from tv_mirror_ui.passing import pass_on
from tv_mirror_ui.picture import Encoder

SILENCE_S = 5.0
_PIECE = 256 * 1024
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Elsewhere the login is nobody's business."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def read_http(order: Order, encoder: Encoder, outlet: Outlet) -> None:
    """Pass pictures of a camera on until it ends.

    Raises:
        ReaderError: always; it says why there are no more.
    """
    gate = RateGate(order.frames_per_s)
    try:
        with _opener(order).open(order.url, timeout=SILENCE_S) as response:
            boundary = find_boundary(response.headers.get("Content-Type", ""))
            if boundary is None:
                raise ReaderError(Trouble.UNREADABLE)
            parser = MultipartParser(boundary)
            told = 0
            while piece := response.read1(_PIECE):
                parts = parser.feed(piece)
                for _ in range(parser.bad - told):
                    outlet.bad()
                told = parser.bad
                now = time.monotonic()
                if parts and gate.is_open(now):
                    # All but the last are old already.
                    pass_on(partial(encoder.pass_on, parts[-1]), now, gate, outlet)
    except urllib.error.HTTPError as exc:
        exc.close()
        is_refused = exc.code in _REFUSED
        raise ReaderError(Trouble.REFUSED if is_refused else Trouble.UNREADABLE) from None
    except TimeoutError:
        raise ReaderError(Trouble.SILENT) from None
    except urllib.error.URLError as exc:
        is_silent = isinstance(exc.reason, TimeoutError)
        raise ReaderError(Trouble.SILENT if is_silent else Trouble.UNREACHABLE) from None
    except http.client.IncompleteRead:
        raise ReaderError(Trouble.ENDED) from None
    except (OSError, http.client.HTTPException, ValueError):
        raise ReaderError(Trouble.UNREACHABLE) from None
    raise ReaderError(Trouble.ENDED)


def _opener(order: Order) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoRedirects()]
    if order.user:
        logins = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        logins.add_password(None, order.url, order.user, order.password)
        handlers += [
            urllib.request.HTTPDigestAuthHandler(logins),
            urllib.request.HTTPBasicAuthHandler(logins),
        ]
    return urllib.request.build_opener(*handlers)
