"""What the API costs: TVs that ask all the time, and many readers of clips at once.

    python bench/tv_api.py [NGINX]

First a whole vv-tv-api process with 30 TVs in front of it for a while: each asks for its playlist every 5 s with the
tag of the one that it has, and says every 10 s how it is. Then 128 readers at once, each of which reads a clip in
parts and holds what it got against it; peers in the same run, with the same client and files: nginx where its program
is named (one worker, sendfile, nothing checked), Python's http.server (whole files, since it knows no parts), and, as
the floor, a bare asyncio server that does nothing but sendfile.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from measure import machine_line

from vv_core.atomic import write_json_atomic
from vv_schemas import example_path

TVS = 30
ITEMS = 300
POLL_S = 5.0
BEAT_S = 10.0
WATCH_S = 60.0
READERS = 128
CLIPS = 8
CLIP_BYTES = 8 * 1024 * 1024
PART_BYTES = 2 * 1024 * 1024
RUNS = 3
_TICKS = os.sysconf("SC_CLK_TCK")
_HEAD_BYTES = 64 * 1024
_OK = (200, 204, 206, 304)
FLOOR = """
import asyncio, pathlib, re, sys
async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode()
            path = pathlib.Path(sys.argv[1]) / head.split()[1].split("/")[-1]
            first, last = map(int, re.search(r"bytes=(\\d+)-(\\d+)", head).groups())
            size = last + 1 - first
            writer.write(f"HTTP/1.1 206 x\\r\\nContent-Length: {size}\\r\\n\\r\\n".encode())
            await writer.drain()
            with path.open("rb") as stream:
                await asyncio.get_running_loop().sendfile(writer.transport, stream, first, size)
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]), backlog=512)
    await server.serve_forever()
asyncio.run(main())
"""
# Started by root, its worker would be somebody who may not read the clips.
USER_LINE = "user root;" if os.geteuid() == 0 else ""
NGINX = """
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=512; location /media/ {{ alias {clips}/; }} }}
}}
"""


def main() -> None:
    """Print both tables."""
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    print(f"{machine_line('uvicorn', 'fastapi')}, load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
        root = Path(folder)
        clips = fill(root)
        watch_tvs(root)
        read_clips(root, clips, sys.argv[1] if len(sys.argv) > 1 else None)


def fill(root: Path) -> dict[str, bytes]:
    """Make a box with playlists and clips; return the clips by their hash."""
    for name in ("playlists", "tv_curado", "orchestrator_data/tvs", "orchestrator_data/services"):
        (root / name).mkdir(parents=True)
    document = json.loads(example_path("playlist").read_bytes())
    document["items"] = document["items"] * ITEMS
    for number in range(TVS):
        write_json_atomic(
            root / "playlists" / f"tv{number}.json", {**document, "tv": f"tv{number}"}
        )
    clips = {}
    for _ in range(CLIPS):
        data = os.urandom(CLIP_BYTES)
        sha = hashlib.sha256(data).hexdigest()
        (root / "tv_curado" / f"{sha}.mp4").write_bytes(data)
        clips[sha] = data
    return clips


@contextmanager
def running(argv: list[str], port: int, root: Path) -> Iterator[int]:
    """Run a server until it answers, and give its process number."""
    env = {
        **os.environ,
        "VV_HOME": str(root),
        "VIDEO_STORAGE_ROOT": str(root),
        "COVERAGE_PROCESS_START": "",
    }
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(f"{argv} does not answer") from None
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def api(port: int) -> list[str]:
    return [sys.executable, "-m", "tv_ui.tv_api", "--listen", f"127.0.0.1:{port}"]


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and of the children that it has waited for, seconds."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(_own_cpu_s(each) for each in (str(pid), *children))


def _own_cpu_s(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Return the largest resident size that a process has had, MiB."""
    line = next(
        each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in each
    )
    return int(line.split()[1]) / 1024


@dataclass
class Connection:
    """A connection that is kept."""

    port: int
    reader: asyncio.StreamReader = field(init=False)
    writer: asyncio.StreamWriter = field(init=False)

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, limit=2**20
        )

    async def ask(
        self, method: str, path: str, headers: str = "", body: bytes = b""
    ) -> tuple[int, str, bytes]:
        """Return status, head and body of an answer."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n".encode() + body
        )
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        size = next(
            (
                int(line[15:])
                for line in head.split("\r\n")
                if line.lower().startswith("content-length:")
            ),
            0,
        )
        return status, head, await self.reader.readexactly(size if status not in {204, 304} else 0)


def watch_tvs(root: Path) -> None:
    """Print what TVs cost that ask and tell, and what the server costs alone."""
    port = free_port()
    print(
        f"| vv-tv-api for {WATCH_S:.0f} s | CPU, % of a core | requests | failed | peak MiB |\n|---|---|---|---|---|"
    )
    with running(api(port), port, root) as pid:
        time.sleep(3)
        for tvs in (0, TVS):
            before, began = cpu_s(pid), time.monotonic()
            requests, failed = asyncio.run(tvs_ask(port, tvs))
            used = 100 * (cpu_s(pid) - before) / (time.monotonic() - began)
            print(f"| {tvs} TVs | {used:.2f} | {requests} | {failed} | {resident_mb(pid):.0f} |")
    print()


async def tvs_ask(port: int, tvs: int) -> tuple[int, int]:
    end = time.monotonic() + WATCH_S
    counts = await asyncio.gather(
        asyncio.sleep(WATCH_S), *(one_tv(port, number, end) for number in range(tvs))
    )
    told = [each for each in counts if each is not None]
    return sum(each[0] for each in told), sum(each[1] for each in told)


async def one_tv(port: int, number: int, end: float) -> tuple[int, int]:
    """Ask and tell as a TV does; return the number of requests and of those that failed."""
    await asyncio.sleep(number * POLL_S / TVS)
    connection = Connection(port)
    await connection.open()
    tag, requests, failed, turn = "", 0, 0, 0
    while time.monotonic() < end:
        known = f"If-None-Match: {tag}\r\n" if tag else ""
        status, head, _ = await connection.ask("GET", f"/playlists/tv{number}", known)
        tag = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("etag:"))
        requests, failed = requests + 1, failed + (status not in _OK)
        if turn % round(BEAT_S / POLL_S) == 0:
            status, _, _ = await connection.ask(
                "POST", f"/tv/tv{number}/heartbeat", body=heartbeat(turn)
            )
            requests, failed = requests + 1, failed + (status not in _OK)
        turn += 1
        await asyncio.sleep(POLL_S)
    return requests, failed


def heartbeat(turn: int) -> bytes:
    told = {
        "screen": "bench", "page_version": "0" * 16, "state": "clip", "decoder": "dual", "logline_id": None,
        "media": None, "frames": turn * 100, "last_frame_ms": 20, "uptime_s": turn, "offline_s": 0,
        "playlist_etag": None, "visible": True, "errors": [],
    }  # fmt: skip
    return json.dumps(told).encode()


def read_clips(root: Path, clips: dict[str, bytes], nginx: str | None) -> None:
    """Print what many readers at once get from each server."""
    folder = root / "tv_curado"
    total = READERS * CLIP_BYTES / 1e6
    print(
        f"| {READERS} readers at once, {total:,.0f} MB | MB/s, best of {RUNS} | CPU s | failed | peak MiB |"
    )
    print("|---|---|---|---|---|")
    results = {}
    for name, argv, port in servers(root, folder, nginx):
        part = CLIP_BYTES if name == "http.server" else PART_BYTES
        with running(argv, port, root) as pid:
            rows = [one_run(port, pid, clips, part) for _ in range(RUNS)]
            best = max(rows)
            results[name] = best[:2]
            failed = sum(each[2] for each in rows)
            print(
                f"| {name} | {best[0]:,.0f} | {best[1]:.2f} | {failed} | {resident_mb(pid):.0f} |"
            )
    rate, cpu = results.pop("vv-tv-api")
    told = [
        f"{rate / its[0]:.2f} of the rate and {cpu / its[1]:.1f}x the CPU of {name}"
        for name, its in results.items()
    ]
    print(f"\nvv-tv-api: {', '.join(told)}")


def servers(root: Path, folder: Path, nginx: str | None) -> Iterator[tuple[str, list[str], int]]:
    """Yield the servers in the order in which they are measured: name, command, port."""
    port = free_port()
    yield "vv-tv-api", api(port), port
    port = free_port()
    yield "floor: sendfile", [sys.executable, "-c", FLOOR, str(folder), str(port)], port
    port = free_port()
    (root / "media").symlink_to(folder)
    own = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(root)]
    yield "http.server", [*own, "--protocol", "HTTP/1.1", str(port)], port
    path = nginx or shutil.which("nginx")
    if path:
        port = free_port()
        config = root / "nginx.conf"
        config.write_text(NGINX.format(folder=root, port=port, clips=folder, user=USER_LINE))
        yield "nginx", [path, "-p", str(root), "-c", str(config)], port


def one_run(port: int, pid: int, clips: dict[str, bytes], part: int) -> tuple[float, float, int]:
    """Return MB/s, the server's CPU seconds, and how many requests failed."""
    before, began = cpu_s(pid), time.monotonic()
    failed = asyncio.run(readers(port, clips, part))
    wall = time.monotonic() - began
    return READERS * CLIP_BYTES / 1e6 / wall, cpu_s(pid) - before, failed


async def readers(port: int, clips: dict[str, bytes], part: int) -> int:
    names = sorted(clips)
    tasks = (one_reader(port, names[number % len(names)], clips, part) for number in range(READERS))
    return sum(await asyncio.gather(*tasks))


async def one_reader(port: int, sha: str, clips: dict[str, bytes], part: int) -> int:
    """Read a clip in parts; return how many were not as they should be."""
    connection = Connection(port)
    failed = 0
    try:
        await connection.open()
        for start in range(0, CLIP_BYTES, part):
            wanted = f"Range: bytes={start}-{start + part - 1}\r\n"
            status, _, body = await connection.ask("GET", f"/media/{sha}.mp4", wanted)
            failed += status not in _OK or body != clips[sha][start : start + part]
        connection.writer.close()
    except (OSError, asyncio.IncompleteReadError) as exc:
        print(f"a reader failed: {exc!r}", file=sys.stderr)
        failed += 1
    return failed


if __name__ == "__main__":
    main()
