"""A compiled network is kept between starts, and never trusted beyond its hash."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.compiled_network import MAX_KEPT, SUFFIX, keep, load_compiled, read_kept
from scan_video.openvino_backend import OpenVinoNetwork
from scan_video.weights import find_weights

OPTIONS = {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}


def kept_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


@given(st.binary(max_size=200), st.integers(min_value=0))
def test_what_is_kept_comes_back_whole_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, position: int
) -> None:
    path = tmp_path_factory.mktemp("kept") / f"a{SUFFIX}"
    keep(path, data)
    assert read_kept(path) == data
    written = bytearray(path.read_bytes())
    written[position % len(written)] ^= 1 << position % 8
    path.write_bytes(written)
    assert read_kept(path) is None
    path.write_bytes(written[: position % len(written)])
    assert read_kept(path) is None


def test_nothing_is_kept_yet(tmp_path: Path) -> None:
    assert read_kept(tmp_path / f"a{SUFFIX}") is None


def test_a_folder_in_its_place_is_not_read(tmp_path: Path) -> None:
    assert read_kept(tmp_path) is None


def test_the_oldest_are_removed(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}{SUFFIX}" for number in range(MAX_KEPT + 2)]
    for number, path in enumerate(paths):
        keep(path, b"network")
        os.utime(path, ns=(number, number))
    keep(paths[-1], b"network")
    assert kept_files(tmp_path) == paths[2:]


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    keep(tmp_path / "file" / f"a{SUFFIX}", b"network")
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.integration
def test_a_kept_network_sees_the_same(weights: Path, tmp_path: Path) -> None:
    found = find_weights(weights)
    blob = np.random.default_rng(1).random((1, 3, 640, 640), dtype=np.float32)
    first = OpenVinoNetwork(found, found.digest(), 1, tmp_path)
    kept = kept_files(tmp_path)
    assert len(kept) == 1
    state = kept[0].stat()
    again = OpenVinoNetwork(found, found.digest(), 1, tmp_path)
    assert kept_files(tmp_path)[0].stat().st_mtime_ns == state.st_mtime_ns
    without = OpenVinoNetwork(found, found.digest(), 1)
    assert (again.input_height, again.input_width) == (640, 640)
    assert np.array_equal(first.infer(blob), again.infer(blob))
    assert np.array_equal(first.infer(blob), without.infer(blob))


@pytest.mark.integration
def test_a_damaged_or_foreign_one_is_made_anew(weights: Path, tmp_path: Path) -> None:
    found = find_weights(weights)
    load_compiled(found.path, found.digest(), (640, 640), OPTIONS, tmp_path)
    (path,) = kept_files(tmp_path)
    large = path.stat().st_size // 2
    assert stat.S_ISREG(path.stat().st_mode)
    for content in (b"", path.read_bytes()[:-9], b"x" * 4096):
        path.write_bytes(content)
        load_compiled(found.path, found.digest(), (640, 640), OPTIONS, tmp_path)
        assert path.stat().st_size > large
    keep(path, b"a hash that fits, and no network behind it")
    load_compiled(found.path, found.digest(), (640, 640), OPTIONS, tmp_path)
    assert path.stat().st_size > large


@pytest.mark.integration
def test_whatever_it_depends_on_makes_another(weights: Path, tmp_path: Path) -> None:
    found = find_weights(weights)
    load_compiled(found.path, found.digest(), (640, 640), OPTIONS, tmp_path)
    load_compiled(found.path, "another", (640, 640), OPTIONS, tmp_path)
    load_compiled(found.path, found.digest(), (640, 640), {**OPTIONS, "NUM_STREAMS": 2}, tmp_path)
    assert len(kept_files(tmp_path)) == 3


def test_neither_converter_nor_telemetry_is_imported() -> None:
    program = (
        "import sys, scan_video.openvino_backend\n"
        "print([name for name in sys.modules if 'telemetry' in name or name.endswith('ovc.convert')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert result.stdout.strip() == "[]"
