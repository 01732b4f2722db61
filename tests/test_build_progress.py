"""What a person sees while llama.cpp is compiled."""

from __future__ import annotations

import subprocess
import sys

import pytest
from _build_progress import build_steps, run_with_progress

BUILD = """
import sys
print("Collecting llama_cpp_python")
for number in range(1, 41):
    print(f"  [{number}/40] /usr/bin/g++ -c part{number}.cpp")
print("a last word", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("  [3/193] /usr/bin/g++ -DX", [(3, 193)]),
        ("[193/193] Linking", [(193, 193)]),
        ("  Running command [1/2]", []),
        ("[0/0] nothing to do", []),
        ("[9/3] nonsense", []),
        ("", []),
    ],
)
def test_lines_that_count_steps(line: str, steps: list[tuple[int, int]]) -> None:
    assert list(build_steps([line])) == steps


def test_progress_is_told_in_tens(capsys: pytest.CaptureFixture[str]) -> None:
    code, last = run_with_progress([sys.executable, "-c", BUILD, "0"], "llama.cpp", 60)
    shown = capsys.readouterr().out.splitlines()
    assert code == 0
    assert shown[0] == "llama.cpp: 0 % (1/40)"
    assert shown[-1] == "llama.cpp: 100 % (40/40)"
    assert len(shown) == 11
    assert "a last word" in last


def test_a_build_that_fails_gives_its_code_and_last_lines() -> None:
    code, last = run_with_progress([sys.executable, "-c", BUILD, "3"], "llama.cpp", 60)
    assert code == 3
    assert any("[40/40]" in line for line in last)


def test_a_build_that_hangs_is_ended() -> None:
    hang = "import time; print('[1/2] g++', flush=True); time.sleep(600)"
    with pytest.raises(subprocess.TimeoutExpired):
        run_with_progress([sys.executable, "-c", hang], "llama.cpp", 1)
