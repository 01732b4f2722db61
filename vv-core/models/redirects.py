"""Following redirects only to where a download may come from, and what failed on the way."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from email.message import Message
from typing import IO

from vv_core.models.registry import is_trustworthy
from vv_core.models.transfer import Expected


class UnsafeRedirect(urllib.error.URLError):
    """The server leads to where nobody should follow."""


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from a safe connection to an unsafe one without a hash to check."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected

    def redirect_request(  # noqa: PLR0917 - urllib's signature
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request to follow with; raises where that must not be."""
        if not newurl.lower().startswith(("http://", "https://")):
            raise UnsafeRedirect("it leads to something that is not HTTP")
        if not self._expected.has_hash and not is_trustworthy(newurl):
            raise UnsafeRedirect("it leads to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def is_final(exc: Exception) -> bool:
    """Tell whether asking again would end the same way."""
    reason = exc.reason if isinstance(exc, urllib.error.URLError) else None
    return isinstance(exc, UnsafeRedirect) or isinstance(reason, ssl.SSLCertVerificationError)


def explain(exc: Exception) -> str:
    """Return what failed, in a few words."""
    reason = exc.reason if isinstance(exc, urllib.error.URLError) else exc
    return str(reason) or type(exc).__name__
