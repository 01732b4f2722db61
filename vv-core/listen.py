"""Where a service listens, as a person writes it."""

from __future__ import annotations

from vv_core.errors import ConfigError

_MAX_PORT = 65535


def parse_listen(text: str) -> tuple[str, int]:
    """Return the address and port of ``HOST:PORT`` (``[::1]:8461`` for IPv6).

    Raises:
        ConfigError: it is something else.
    """
    host, _, raw_port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    is_port = raw_port.isascii() and raw_port.isdigit() and int(raw_port[:6]) <= _MAX_PORT
    if not host or not is_port or len(raw_port) > len(str(_MAX_PORT)):
        raise ConfigError(
            f"{text!r} is not an address and a port", advice="Write it as 0.0.0.0:8461."
        )
    return host, int(raw_port)
