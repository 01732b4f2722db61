"""Whether a service that answers over HTTP does its job: ``python -m vv_core.http_probe PORT [PATH]``.

The healthcheck of its container. Exit 0: healthy, 1: not, as Docker wants it; what is wrong goes to stdout, which
``docker inspect`` shows.
"""

from __future__ import annotations

import http.client
import sys
from collections.abc import Sequence
from http import HTTPStatus

_TIMEOUT_S = 5.0
_MAX_BYTES = 4000
_EX_USAGE = 64
_MOST_ARGUMENTS = 2


def probe(port: int, path: str = "/health", *, timeout_s: float = _TIMEOUT_S) -> str | None:
    """Ask a path and return what is wrong, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(_MAX_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as exc:
        return f"it does not answer: {exc or type(exc).__name__}"
    finally:
        connection.close()
    return None if response.status == HTTPStatus.OK else f"{response.status}: {body}"


def main(argv: Sequence[str] | None = None) -> int:
    """Ask once."""
    arguments = sys.argv[1:] if argv is None else argv
    port, path = (*arguments, "/health")[:2] if arguments else ("", "")
    is_right = port.isascii() and port.isdigit() and path.startswith("/")
    if not is_right or len(arguments) > _MOST_ARGUMENTS:
        sys.stderr.write("http_probe: a port is needed, and then perhaps a path\n")
        return _EX_USAGE
    problem = probe(int(port), path)
    if problem is not None:
        sys.stdout.write(f"{problem}\n")
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main())
