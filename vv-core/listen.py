"""Where a service listens, as a person writes it."""

from __future__ import annotations

import socket

from vv_core.errors import ConfigError, from_oserror

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


def open_socket(
    text: str, setting: str, backlog: int, *options: tuple[int, int, int]
) -> socket.socket:
    """Return a socket that listens.

    Args:
        text: address and port.
        setting: where they come from, for advice.
        backlog: connections that may wait.
        options: level, name and value of socket options, which connections inherit.

    Raises:
        ConfigError: the text is no address, or it cannot be bound.
    """
    host, port = parse_listen(text)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # As socket.create_server: [::] is not every IPv4 address besides.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in options:
            # Before it listens: what a connection inherits of buffers is set by then.
            listening.setsockopt(*option)
        listening.bind((host, port))
        listening.listen(backlog)
    except OSError as exc:
        listening.close()
        message = from_oserror(exc, f"listen on {text}").message
        raise ConfigError(
            message, advice=f"Set {setting} to an address of this machine and a free port."
        ) from exc
    return listening
