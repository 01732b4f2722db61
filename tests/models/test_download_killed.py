"""A download whose process is killed in the middle."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.model_server import Behaviour, serve
from tests.support.waiting import wait_for
from vv_core.models.download import Download, Patience
from vv_core.models.transfer import Expected

CHILD = """
import sys
from pathlib import Path
from vv_core.models.download import Download, Patience
from vv_core.models.transfer import Expected
url, target, has_hash = sys.argv[1:]
patience = Patience(reserve_bytes=0, chunk_bytes=4096, sync_bytes=300_000)
Download(Path(target), Expected(url, None, 10**8, has_hash == "True"), patience).run()
"""


@pytest.mark.integration
@pytest.mark.parametrize("has_hash", [True, False])
def test_a_kill_in_the_middle_loses_little(tmp_path: Path, has_hash: bool) -> None:
    data = random.Random(2).randbytes(40_000_000)
    told = Behaviour(data)
    part = tmp_path / "m.gguf.part"
    with serve(told) as url:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, url, str(tmp_path / "m.gguf"), str(has_hash)]
        )
        wait_for(lambda: part.exists() and part.stat().st_size >= 1_000_000, pause_s=0.002)
        os.kill(child.pid, signal.SIGKILL)
        child.wait(timeout=30)
        kept = part.stat().st_size
        expected = Expected(url, None, 10**8, has_hash)
        download = Download(tmp_path / "m.gguf", expected, Patience(reserve_bytes=0))
        assert download.run().read_bytes() == data
    asked = int(told.requests[-1]["range"].removeprefix("bytes=").removesuffix("-"))
    assert asked == kept if has_hash else kept - 400_000 <= asked <= kept
