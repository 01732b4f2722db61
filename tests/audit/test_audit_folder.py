from __future__ import annotations

import os
import socket
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.audit.samples import KEYS, signed_bytes
from vv_core.audit import regular_file
from vv_core.audit.audit_folder import audit_paths, find_targets, verify_file
from vv_core.audit.verdict import Reason, Status

LINE = signed_bytes()


def audit(*paths: Path, portion: int = 50_000) -> list[tuple[str, Status, Reason]]:
    findings = audit_paths([str(path) for path in paths], KEYS, portion=portion)
    return [(f.path, f.verdict.status, f.verdict.reason) for f in findings]


def names(findings: list[tuple[str, Status, Reason]]) -> list[str]:
    return [Path(path).name for path, _status, _reason in findings]


def line_file(path: Path, data: bytes = LINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "loglines"
    path.mkdir()
    return path


def test_one_file(folder: Path) -> None:
    path = line_file(folder / "a.logline.json")
    assert audit(path) == [(str(path), Status.VALID, Reason.SIGNATURE_MATCHES)]


def test_a_file_that_is_named_is_verified_whatever_its_name(folder: Path) -> None:
    path = line_file(folder / "copy of a.json")
    assert audit(path) == [(str(path), Status.VALID, Reason.SIGNATURE_MATCHES)]


def test_every_bad_file_is_told_and_none_stops_the_walk(folder: Path) -> None:
    line_file(folder / "a.logline.json", LINE.replace(b"alerta", b"curado"))
    line_file(folder / "b.logline.json", b"{}")
    line_file(folder / "c.logline.json")
    line_file(folder / "cam2" / "d.logline.json", signed_bytes(x=1))
    line_file(folder / "e.logline.json", LINE + b" ")
    assert audit(folder) == [
        (f"{folder}/a.logline.json", Status.INVALID, Reason.SIGNATURE_MISMATCH),
        (f"{folder}/b.logline.json", Status.MALFORMED, Reason.NOT_A_LOGLINE),
        (f"{folder}/c.logline.json", Status.VALID, Reason.SIGNATURE_MATCHES),
        (f"{folder}/cam2/d.logline.json", Status.MALFORMED, Reason.SCHEMA_VIOLATION),
        (f"{folder}/e.logline.json", Status.INVALID, Reason.BYTES_CHANGED),
    ]


def test_other_files_are_left_alone(folder: Path) -> None:
    line_file(folder / "a.logline.json")
    for name in ("a.logline.md", "a.logline.json.bak", ".vv-tmp-0011.json", "notes.txt"):
        line_file(folder / name, b"anything")
    assert names(audit(folder)) == ["a.logline.json"]


@pytest.mark.parametrize("portion", [1, 2, 3, 4, 100])
def test_the_order_is_that_of_the_names_in_any_portions(folder: Path, portion: int) -> None:
    for name in ("b", "a", "d/z", "d/y", "c", "é", "Z", "d.x"):
        line_file(folder / f"{name}.logline.json")
    found = [path.removeprefix(f"{folder}/") for path, *_ in audit(folder, portion=portion)]
    expected = ["Z", "a", "b", "c", "d/y", "d/z", "d.x", "é"]
    assert found == [f"{name}.logline.json" for name in expected]


def test_memory_does_not_grow_with_the_folder(folder: Path) -> None:
    for number in range(3000):
        (folder / f"{number:05}.logline.json").touch()

    def peak(portion: int) -> int:
        tracemalloc.start()
        count = sum(1 for _ in find_targets([str(folder)], portion))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 3000
        return used

    assert peak(100) < peak(50_000) / 4


def test_an_empty_folder_is_told(folder: Path) -> None:
    line_file(folder / "notes.txt", b"")
    (folder / "cam1").mkdir()
    assert audit(folder) == [(str(folder), Status.NOT_READ, Reason.NO_LOGLINES)]


def test_a_folder_with_links_only_is_empty(folder: Path, tmp_path: Path) -> None:
    (folder / "cam1").symlink_to(tmp_path)
    assert [reason for _, _, reason in audit(folder)] == [Reason.SYMBOLIC_LINK, Reason.NO_LOGLINES]


def test_a_missing_path_is_told_and_the_next_is_audited(folder: Path) -> None:
    path = line_file(folder / "a.logline.json")
    assert audit(folder / "gone", path) == [
        (f"{folder}/gone", Status.NOT_READ, Reason.NOT_FOUND),
        (str(path), Status.VALID, Reason.SIGNATURE_MATCHES),
    ]


def test_a_link_under_the_name_of_a_logline_is_not_one(folder: Path, tmp_path: Path) -> None:
    outside = line_file(tmp_path / "outside.logline.json")
    (folder / "a.logline.json").symlink_to(outside)
    (folder / "b.logline.json").symlink_to("b.logline.json")
    assert audit(folder) == [
        (f"{folder}/a.logline.json", Status.MALFORMED, Reason.SYMBOLIC_LINK),
        (f"{folder}/b.logline.json", Status.MALFORMED, Reason.SYMBOLIC_LINK),
    ]


def test_links_to_folders_are_told_and_not_followed(folder: Path, tmp_path: Path) -> None:
    line_file(tmp_path / "other" / "x.logline.json")
    line_file(folder / "a.logline.json")
    (folder / "loop").symlink_to(folder)
    (folder / "other").symlink_to(tmp_path / "other")
    assert audit(folder) == [
        (f"{folder}/a.logline.json", Status.VALID, Reason.SIGNATURE_MATCHES),
        (f"{folder}/loop", Status.SKIPPED, Reason.SYMBOLIC_LINK),
        (f"{folder}/other", Status.SKIPPED, Reason.SYMBOLIC_LINK),
    ]


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_a_path_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path, end: str) -> None:
    line_file(folder / "a.logline.json")
    link = tmp_path / "link"
    link.symlink_to(folder)
    findings = list(audit_paths([f"{link}{end}"], KEYS))
    assert [(f.path, f.verdict.reason) for f in findings] == [(str(link), Reason.SYMBOLIC_LINK)]
    assert findings[0].verdict.status is Status.NOT_READ


def test_fifos_sockets_and_folders_under_the_name_of_a_logline(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "a.logline.json")
    os.mkfifo(folder / "other fifo")
    line_file(folder / "b.logline.json" / "inner.logline.json")
    monkeypatch.chdir(folder)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("c.logline.json")
        assert audit(folder) == [
            (f"{folder}/a.logline.json", Status.MALFORMED, Reason.NOT_A_REGULAR_FILE),
            (f"{folder}/b.logline.json", Status.MALFORMED, Reason.NOT_A_REGULAR_FILE),
            (f"{folder}/b.logline.json/inner.logline.json", Status.VALID, Reason.SIGNATURE_MATCHES),
            (f"{folder}/c.logline.json", Status.MALFORMED, Reason.NOT_A_REGULAR_FILE),
        ]


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_opened(device: str) -> None:
    assert audit(Path(device)) == [(device, Status.MALFORMED, Reason.NOT_A_REGULAR_FILE)]


def test_a_huge_file_is_not_read(folder: Path) -> None:
    path = line_file(folder / "a.logline.json")
    os.truncate(path, 1_000_000_000)
    assert audit(path) == [(str(path), Status.MALFORMED, Reason.TOO_LARGE)]


HOSTILE = {
    "deep JSON": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, Reason.TOO_DEEP),
    "duplicate keys": (b'{"schema":"vv.logline/1","schema":"vv.logline/1"}', Reason.DUPLICATE_KEY),
    "not UTF-8": (b"\xff\xfe\x00", Reason.NOT_UTF8),
    "empty": (b"", Reason.NOT_JSON),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_content(folder: Path, data: bytes, reason: Reason) -> None:
    path = line_file(folder / "a.logline.json", data)
    assert audit(folder) == [(str(path), Status.MALFORMED, reason)]


STRANGE_NAMES = [
    b"line\nbreak",
    b"\x1b[31mred",
    b"not utf-8 \xff",
    "right to left \u202e".encode(),
    b"-rf",
    b"quote'\"",
    "emoji \U0001f468\u200d\U0001f469".encode(),
]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_are_audited(folder: Path, name: bytes) -> None:
    path = line_file(folder / os.fsdecode(name + b".logline.json"))
    assert audit(folder) == [(str(path), Status.VALID, Reason.SIGNATURE_MATCHES)]


@contextmanager
def nested_folders(root: Path, name: str, depth: int) -> Iterator[None]:
    """Nest folders step by step, as no path may reach so deep; put a LogLine in the last."""
    descriptors = [os.open(root, os.O_RDONLY)]
    try:
        for _ in range(depth):
            os.mkdir(name, dir_fd=descriptors[-1])
            descriptors.append(os.open(name, os.O_RDONLY, dir_fd=descriptors[-1]))
        last = os.open("z.logline.json", os.O_WRONLY | os.O_CREAT, dir_fd=descriptors[-1])
        os.write(last, LINE)
        os.close(last)
        yield
        os.unlink("z.logline.json", dir_fd=descriptors[-1])
    finally:
        while len(descriptors) > 1:
            os.close(descriptors.pop())
            os.rmdir(name, dir_fd=descriptors[-1])
        os.close(descriptors[0])


def test_folders_nested_deeper_than_calls_may_be(folder: Path) -> None:
    with nested_folders(folder, "d", 900):
        sys_limit = sys.getrecursionlimit()
        sys.setrecursionlimit(400)
        try:
            assert names(audit(folder)) == ["z.logline.json"]
        finally:
            sys.setrecursionlimit(sys_limit)


def test_folders_deeper_than_a_path_may_be_are_told(folder: Path) -> None:
    line_file(folder / "z.logline.json")
    with nested_folders(folder, "d" * 200, 30):
        findings = audit(folder)
    assert [(status, reason) for _, status, reason in findings] == [
        (Status.NOT_READ, Reason.UNREADABLE),
        (Status.VALID, Reason.SIGNATURE_MATCHES),
    ]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be a user whom file modes bind; root, who may read everything, becomes somebody else."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_unreadable_things_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line_file(folder / "a.logline.json").chmod(0)
    line_file(folder / "cam" / "b.logline.json")
    # Read now, so that the schema is loaded by a user who may.
    audit(line_file(folder / "z.logline.json"))
    (folder / "cam").chmod(0)
    folder.chmod(0o755)
    monkeypatch.chdir(folder)  # the way to it may be closed to somebody else
    try:
        with unprivileged():
            findings = audit(Path())
    finally:
        (folder / "cam").chmod(0o700)
    assert [(path, status, reason) for path, status, reason in findings] == [
        ("./a.logline.json", Status.NOT_READ, Reason.UNREADABLE),
        ("./cam", Status.NOT_READ, Reason.UNREADABLE),
        ("./z.logline.json", Status.VALID, Reason.SIGNATURE_MATCHES),
    ]


def test_a_disk_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = line_file(folder / "a.logline.json")

    def fail(_path: object, _max_bytes: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(regular_file, "read_regular_file", fail)
    verdict = verify_file(path, KEYS)
    assert (verdict.status, verdict.reason) == (Status.NOT_READ, Reason.UNREADABLE)
    assert verdict.detail == "Input/output error"


def test_a_folder_that_vanishes(folder: Path) -> None:
    line_file(folder / "a.logline.json")
    (folder / "b").mkdir()
    line_file(folder / "c.logline.json")
    targets = find_targets([str(folder)])
    assert next(targets).path.endswith("a.logline.json")
    (folder / "b").rmdir()
    rest = list(targets)
    assert rest[0].verdict is not None
    assert rest[0].verdict.reason is Reason.NOT_FOUND
    assert rest[1].path.endswith("c.logline.json")
