"""What verifying a log costs, beside floors in the same run.

    python bench/log_verify.py [LINES...]

A synthetic log is written straight through tiles and bundles (no appends). Whole processes are measured: the
audit without secrets, from bundles, beside the bare leaf hashes and root; the audit with HMAC from single files,
beside reading, parsing and HMAC of each file; how both grow; and their memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from measure import Usage, machine_line, measure, median

from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.merkle import CompactRange, leaf_hash, root_hash
from vv_core.tlog.note import Signer, format_vkey, sign_note
from vv_core.tlog.tile_files import WIDTH, bundle_path, tile_path
from vv_schemas import example_path

RUNS = 3
SIZES = (100_000, 200_000, 400_000)
FILES = 50_000
ORIGIN = "vv-log/bench-00000000"
KEY_ID = "bench.0"
SECRET = bytes(range(32))
VERIFIER = [sys.executable, "-m", "vv_core.audit.verifier_command"]

HASH_FLOOR = """
import sys
from hashlib import sha256
from pathlib import Path
from vv_core.tlog.merkle import CompactRange, root_hash
from vv_core.tlog.tiles import LogReader
size = int(sys.argv[2])
reader, tree = LogReader(Path(sys.argv[1])), CompactRange()
for bundle in range(-(-size // 256)):
    leaves = [sha256(b"\\0" + entry).digest() for entry in reader.bundle(bundle)]
    if len(leaves) == 256:
        tree.append_subtree(8, root_hash(leaves))
    else:
        for leaf in leaves:
            tree.append(leaf)
tree.root()
"""

FILE_FLOOR = """
import hashlib, hmac, json, os, sys
folder, secret = sys.argv[1], bytes(range(32))
for name in sorted(os.listdir(folder)):
    if name.endswith(".logline.json"):
        with open(os.path.join(folder, name), "rb") as stream:
            data = stream.read()
        json.loads(data)
        hmac.digest(secret, data, "sha256")
"""


def main() -> None:
    """Print the tables."""
    print(machine_line("cryptography"), end="\n\n")
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    print("| lines | | wall s | CPU s | lines per CPU s | peak MiB |\n|---|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
            _measure_bundles(Path(folder), size)
    for count in (FILES // 2, FILES):
        with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
            _measure_files(Path(folder), count)


def _measure_bundles(root: Path, size: int) -> None:
    vkey = write_log(root / "log", size, None)
    floor = _median([sys.executable, "-c", HASH_FLOOR, str(root / "log"), str(size)])
    _row(size, "floor: leaf hashes and root", floor)
    keyless = _median([*VERIFIER, str(root / "log"), "--vkey", vkey])
    _row(size, "audit without secrets", keyless)
    _ratio(size, keyless, floor)
    keys = _write_keys(root)
    keyed = [*VERIFIER, str(root / "log"), "--vkey", vkey, "--key-file", str(keys)]
    _row(size, "audit with HMAC, from bundles", _median(keyed))


def _measure_files(root: Path, count: int) -> None:
    vkey = write_log(root / "loglines" / "log", count, root / "loglines")
    floor = _median([sys.executable, "-c", FILE_FLOOR, str(root / "loglines")])
    _row(count, "floor: read, parse, HMAC of each file", floor)
    keys = _write_keys(root)
    quiet = ["--quiet", "--key-file", str(keys)]
    audit = _median([*VERIFIER, str(root / "loglines"), "--vkey", vkey, *quiet])
    _row(count, "log and single files, with HMAC", audit)
    _ratio(count, audit, floor)


def _median(command: list[str]) -> Usage:
    measure(command)
    return median([measure(command) for _ in range(RUNS)])


def _row(lines: int, what: str, usage: Usage) -> None:
    speed = lines / usage.cpu_s
    figures = f"{usage.wall_s:.2f} | {usage.cpu_s:.2f} | {speed:,.0f} | {usage.peak_mb:.0f}"
    print(f"| {lines:,} | {what} | {figures} |")


def _ratio(lines: int, usage: Usage, floor: Usage) -> None:
    wall, cpu = usage.wall_s / floor.wall_s, usage.cpu_s / floor.cpu_s
    print(f"| {lines:,} | ratio | {wall:.2f} | {cpu:.2f} | | |")


def _write_keys(root: Path) -> Path:
    path = root / "keys.json"
    secret = base64.b64encode(SECRET).decode()
    key = {"secret": secret, "created": "2026-11-21T00:00:00Z"}
    store = {"schema": "vv.hmac-keys/1", "active": KEY_ID, "keys": {KEY_ID: key}}
    path.write_text(json.dumps(store))
    path.chmod(0o600)
    return path


def write_log(folder: Path, size: int, published: Path | None) -> str:
    """Write a log of so many lines, with its published files where wanted; return its public key."""
    tree = CompactRange()
    levels: list[list[bytes]] = [[]]
    bundle: list[bytes] = []
    for seq, entry in enumerate(_lines(size)):
        bundle.append(entry)
        leaf = leaf_hash(entry)
        tree.append(leaf)
        levels[0].append(leaf)
        if published is not None:
            path = published / f"clip{seq:08}.logline.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry + b"\n")
        if len(bundle) == WIDTH:
            _put(folder / bundle_path(seq // WIDTH), _pack(bundle))
            bundle.clear()
            _push(folder, levels, seq // WIDTH)
    if bundle:
        _put(folder / bundle_path(size // WIDTH, len(bundle)), _pack(bundle))
    for level, hashes in enumerate(levels):
        if hashes:
            index = (size >> (8 * level)) // WIDTH
            _put(folder / tile_path(level, index, len(hashes)), b"".join(hashes))
    signer = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(SECRET))
    head = Checkpoint(ORIGIN, size, tree.root())
    _put(folder / "checkpoint", sign_note(head.encode(), signer))
    return format_vkey(signer.verifier)


def _push(folder: Path, levels: list[list[bytes]], index: int) -> None:
    """Write the tile that is full, and go on with its root one level up."""
    level = 0
    while len(levels[level]) == WIDTH:
        _put(folder / tile_path(level, index), b"".join(levels[level]))
        if level + 1 == len(levels):
            levels.append([])
        levels[level + 1].append(root_hash(levels[level]))
        levels[level].clear()
        level, index = level + 1, index // WIDTH


def _pack(bundle: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in bundle)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _lines(size: int) -> Iterator[bytes]:
    """Yield signed lines; all alike but for place, name and signature."""
    document = json.loads(example_path("logline").read_bytes())
    document |= {"schema": "vv.logline/2", "source": "@source@.mp4", "log": "@log@"}
    document["signature_details"] = {"algorithm": "HMAC-SHA256", "key_id": KEY_ID}
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    before, _, rest = text.partition('"@log@"')
    middle, _, end = rest.partition("@source@")
    mark = f'"key_id":"{KEY_ID}"'
    head = f'{before}{{"origin":"{ORIGIN}","previous":'
    previous = "null"
    for seq in range(size):
        payload = f'{head}{previous},"seq":{seq}}}{middle}clip{seq:08}{end}'
        signature = hmac.digest(SECRET, payload.encode(), "sha256").hex()
        entry = payload.replace(mark, f'{mark},"signature":"{signature}"').encode()
        previous = f'"{hashlib.sha256(bytes(1) + entry).hexdigest()}"'
        yield entry


if __name__ == "__main__":
    main()
