"""Files that nobody should have written: a verdict for each, no traceback, no hang, no escape sequence."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.log_builder import LogBuilder
from tests.tlog_verifying.box import audit
from tests.tlog_verifying.mutations import change_bytes
from vv_core.audit.report import finding_json, format_finding
from vv_core.audit.verdict import Status

BATCH = 5000
TOKENS = [
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\u0000", b"\\ud800", b"1e999", b"-0", b"NaN",
    b"true", b"null", b"\xff", b"\xed\xa0\x80", b"\x00", b"\x1b[2J", b"9" * 400, b"[" * 3000,
    b'"log":{"origin":"', b'"seq":-1', b'"seq":9999999999999999999', b'"schema":"vv.logline/2"',
    b'"signature_details":{"algorithm":"HMAC-SHA256","key_id":"x","signature":"', b"\r\n", b" ",
]  # fmt: skip


@pytest.fixture
def box(tmp_path: Path) -> LogBuilder:
    built = LogBuilder(tmp_path / "loglines")
    built.add_event("start", version="0.1.0", manifest_sha256=None)
    built.add_lines(20)
    return built.write()


def fuzzed(box: LogBuilder, chance: random.Random) -> Iterator[bytes]:
    """Yield contents: changed lines, lines with changed values, tokens, noise."""
    while True:
        kind = chance.randrange(4)
        line = chance.choice(box.entries) + b"\n"
        if kind == 0:
            for _ in range(chance.randrange(1, 4)):
                line = change_bytes(line, chance)
            yield line
        elif kind == 1:
            yield changed_value(line, chance)
        elif kind == 2:
            yield b"".join(chance.choices(TOKENS, k=chance.randrange(60)))
        else:
            yield chance.randbytes(chance.choice([0, 1, 20, 3000, 70_000]))


def changed_value(line: bytes, chance: random.Random) -> bytes:
    """Return a line in canonical form with another value somewhere."""
    document = json.loads(line)
    part = document
    while True:
        key = chance.choice(list(part))
        if not isinstance(part[key], dict) or chance.random() < 0.3:
            break
        part = part[key]
    part[key] = chance.choice(
        [None, True, -1, 2**53, 1.5, "", "\x1b[31m", [], {}, [[]], "x" * 5000]
    )
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def check_fuzzed(box: LogBuilder, seed: int, count: int) -> None:
    """Write fuzzed files beside a log, audit them in every way, and remove them."""
    chance = random.Random(seed)
    contents = fuzzed(box, chance)
    paths = []
    for number in range(count):
        suffix = chance.choice([".logline.json", ".logevent.json"])
        path = box.folder / f"fuzz{number:06}{suffix}"
        path.write_bytes(next(contents))
        paths.append(path)
    known = {content: name for name, content in box.files.items()}
    for options in ({"keys": box.keys}, {}):
        result = audit(box.folder, vkeys=[box.signer.vkey], **options)  # type: ignore[arg-type]
        found = {Path(each.path).name: each for each in result.findings}
        for path in paths:
            finding = found[path.name]
            assert finding.verdict.status is not Status.VALID or path.read_bytes() in known
            texts = [*format_finding(finding, "en", True).split("\n"), finding_json(finding)]
            assert all(text.isprintable() for text in texts)
    for path in paths:
        path.unlink()


def test_fuzzed_files(box: LogBuilder) -> None:
    check_fuzzed(box, 1, 400)


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(2, 22))
def test_a_hundred_thousand_fuzzed_files(box: LogBuilder, seed: int) -> None:
    check_fuzzed(box, seed, BATCH)


def test_fuzzed_files_of_the_log_itself(box: LogBuilder) -> None:
    """Heads, tiles and bundles of noise: never a traceback, never VALID."""
    chance = random.Random(3)
    files = sorted(path for path in box.log.rglob("*") if path.is_file())
    for path in files:
        data = path.read_bytes()
        for content in [b"", b"\n", b"\0" * 9000, chance.randbytes(500), data[:-1], data * 2]:
            path.write_bytes(content)
            for where in (box.folder, box.log):
                assert audit(where, vkeys=[box.signer.vkey]).exit_code != 0, path
        path.write_bytes(data)


def test_as_a_program_with_every_kind_of_hostile_file(box: LogBuilder, tmp_path: Path) -> None:
    folder = box.folder
    (folder / "deep.logline.json").write_bytes(b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
    (folder / "twice.logline.json").write_bytes(b'{"a":1,"a":2}')
    (folder / "utf8.logline.json").write_bytes(b'{"a":"\xff"}')
    (folder / "\x1b]0;x\x07\udcff.logline.json").write_bytes(b"\x1b[2J")
    (folder / "huge.logline.json").touch()
    os.truncate(folder / "huge.logline.json", 1_000_000_000)
    os.mkfifo(folder / "fifo.logline.json")
    (folder / "device.logline.json").symlink_to("/dev/zero")
    (folder / "loop.logline.json").symlink_to("loop.logline.json")
    (folder / "around").symlink_to(folder)
    command = [sys.executable, "-m", "vv_core.audit.verifier_command", str(folder)]
    result = subprocess.run(
        [*command, "--vkey", box.signer.vkey], capture_output=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (3, b"")
    assert result.stdout.endswith("21 válidas, 8 malformadas, 1 ignorada\n".encode())
    assert all(char >= b" "[0] or char == b"\n"[0] for char in result.stdout)


@pytest.mark.parametrize("name", ["tile/entries/000.p/21", "checkpoint", "tile/0/000.p/21", "vkey"])
def test_huge_files_in_the_log_are_not_read(box: LogBuilder, name: str) -> None:
    os.truncate(box.log / name, 1_000_000_000)
    assert audit(box.folder, vkeys=[box.signer.vkey]).exit_code in {1, 3}


def test_a_head_that_claims_a_log_of_astronomic_size(box: LogBuilder) -> None:
    """Only who has the key of heads can do it; the audit must still end."""
    text = f"{box.origin}\n{2**40}\n{box.head_text().splitlines()[2]}\n"
    (box.log / "checkpoint").write_bytes(f"{text}\n{box.signer.line(text)}".encode())
    result = audit(box.folder, vkeys=[box.signer.vkey])
    assert result.exit_code == 1
