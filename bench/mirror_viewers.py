"""Many viewers in one process for bench/mirror.py: they read their streams and count pictures.

    python bench/mirror_viewers.py PORT PATH COUNT SECONDS

Once all are there and a while has passed it prints "ready"; then, at the end, pictures received since, the fewest of
one viewer, and bytes.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time

_MARK = b"Content-Type: image/jpeg"
_WARM_UP_S = 6.0


def main() -> None:
    """Watch for a while."""
    port, path, count, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    selector = selectors.DefaultSelector()
    pictures = [0] * count
    for number in range(count):
        viewer = socket.create_connection(("127.0.0.1", port))
        viewer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        viewer.setblocking(False)
        selector.register(viewer, selectors.EVENT_READ, number)
    _read(selector, pictures, _WARM_UP_S)
    print("ready", flush=True)
    pictures[:] = [0] * count
    received = _read(selector, pictures, seconds)
    print(sum(pictures), min(pictures), received)


def _read(selector: selectors.DefaultSelector, pictures: list[int], seconds: float) -> int:
    until, received = time.monotonic() + seconds, 0
    buffer = bytearray(1 << 20)
    while time.monotonic() < until:
        for key, _ in selector.select(0.5):
            assert isinstance(key.fileobj, socket.socket)
            size = key.fileobj.recv_into(buffer)
            received += size
            pictures[key.data] += buffer.count(_MARK, 0, size)
    return received


if __name__ == "__main__":
    main()
