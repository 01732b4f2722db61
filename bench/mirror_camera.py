"""An HTTP camera for bench/mirror.py: pictures of 1280x720 at a steady rate, made beforehand.

    python bench/mirror_camera.py FPS FOLDER_OF_JPEGS

It prints its port. Each JPEG is sent as it is, so that what is measured is the mirror, not the making of pictures.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path


def main() -> None:
    """Serve until ended."""
    fps, folder = float(sys.argv[1]), Path(sys.argv[2])
    pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection = server.accept()[0]
            threading.Thread(target=_serve, args=(connection, fps, pictures), daemon=True).start()


def _serve(connection: socket.socket, fps: float, pictures: list[bytes]) -> None:
    with connection:
        connection.recv(4096)
        connection.sendall(
            b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n"
        )
        began = time.monotonic()
        for number in range(10**9):
            body = pictures[number % len(pictures)]
            try:
                connection.sendall(
                    b"--f\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"\r\n"
                )
            except OSError:
                return
            time.sleep(max(0.0, began + (number + 1) / fps - time.monotonic()))


if __name__ == "__main__":
    main()
