"""Child processes: they end, all of them, and their last words are kept clean."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from vv_core.process import TAIL_LINE_CHARS, TAIL_LINES, ChildResult, run_child

LONG = 60.0


def sh(script: str, **options: object) -> ChildResult:
    """Run a shell script as a child."""
    arguments = {"timeout_s": LONG, **options}
    return run_child(["sh", "-c", script], **arguments)  # type: ignore[arg-type]


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("true", 0),
        ("exit 65", 65),
        ("exit 255", 255),
        ("kill -KILL $$", 137),
        ("kill -SEGV $$", 139),
        ("kill -TERM $$", 143),
    ],
)
def test_exit_codes_are_those_of_a_shell(script: str, code: int) -> None:
    result = sh(script)
    assert result.exit_code == code
    assert not result.timed_out
    assert result.stderr_tail == ()
    assert 0 < result.duration_s < LONG


def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_child([str(tmp_path / "gone")], timeout_s=1)


def test_a_broken_program_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "broken").chmod(0o755)
    with pytest.raises(OSError):
        run_child([str(tmp_path / "broken")], timeout_s=1)


def test_arguments_are_never_read_by_a_shell() -> None:
    argument = "a b; $(touch x) 'q' \"d\" \n * -n"
    result = run_child(["printf", "%s|", argument, "é"], timeout_s=LONG, keep_stdout=True)
    assert result.stdout_lines == ("a b; $(touch x) 'q' \"d\"", "* -n|é|")


def test_environment_and_folder_are_given(tmp_path: Path) -> None:
    result = sh('echo "$WHO"; pwd', env={"WHO": "me"}, cwd=tmp_path, keep_stdout=True)
    assert result.stdout_lines == ("me", str(tmp_path))


def test_the_environment_is_the_current_one_by_default() -> None:
    os.environ["WHO"] = "inherited"
    assert sh('echo "$WHO"', keep_stdout=True).stdout_lines == ("inherited",)


def test_stdin_is_empty_and_stdout_is_dropped_unless_asked_for() -> None:
    result = sh("cat; echo dropped")
    assert (result.exit_code, result.stdout_lines) == (0, ())


def test_the_child_has_a_session_of_its_own() -> None:
    result = sh('test "$(ps -o sid= -p $$ | tr -d " ")" = "$$"')
    assert result.exit_code == 0


STDERR = {
    "plain": ("echo one; echo two", ("one", "two")),
    "without newline": ("printf last", ("last",)),
    "empty lines": (r"printf '\n  \n\nx\n\n'", ("x",)),
    "escape sequences": (r"printf '\033[31mred\033[0m\007\n'", ("\\x1b[31mred\\x1b[0m\\x07",)),
    "carriage return": (r"printf '10%%\r20%%\n'", ("10%\\r20%",)),
    "not UTF-8": (r"printf 'a\377b\n'", ("a\ufffdb",)),
    "accents": ("echo ação", ("ação",)),
    "NUL": (r"printf 'a\000b\n'", ("a\\x00b",)),
}


@pytest.mark.parametrize("name", STDERR)
def test_last_words_are_clean(name: str) -> None:
    script, expected = STDERR[name]
    assert sh(f"({script}) >&2").stderr_tail == expected


def test_only_the_last_lines_are_kept() -> None:
    result = sh("seq 1 10000 >&2")
    assert result.stderr_tail == tuple(str(number) for number in range(9981, 10001))
    assert len(result.stderr_tail) == TAIL_LINES


def test_a_flood_without_newline_neither_blocks_nor_fills_the_memory() -> None:
    result = sh("head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 3")
    assert result.exit_code == 3
    assert len(result.stderr_tail) <= TAIL_LINES
    assert set(result.stderr_tail) <= {"x" * TAIL_LINE_CHARS}


def test_both_pipes_are_drained_at_once() -> None:
    result = sh("seq 1 30000; seq 1 30000 >&2", keep_stdout=True)
    assert result.stdout_lines[-1] == result.stderr_tail[-1] == "30000"


def test_a_time_out_ends_the_child() -> None:
    started = time.monotonic()
    result = sh("echo said >&2; sleep 60", timeout_s=0.3)
    assert result.timed_out
    assert result.exit_code == 143
    assert result.stderr_tail == ("said",)
    assert 0.3 <= time.monotonic() - started < 50


def test_term_comes_first_so_that_a_child_can_tidy_up(tmp_path: Path) -> None:
    script = f"trap 'echo tidy > {tmp_path}/note; exit 3' TERM; sleep 60 & wait"
    result = sh(script, timeout_s=0.3)
    assert (tmp_path / "note").read_text() == "tidy\n"
    assert (result.timed_out, result.exit_code) == (True, 3)


def test_a_child_that_ignores_term_is_killed_after_its_time() -> None:
    started = time.monotonic()
    result = sh("trap '' TERM; while :; do sleep 0.05; done", timeout_s=0.2, kill_after_s=0.3)
    assert (result.timed_out, result.exit_code) == (True, 137)
    assert 0.5 <= time.monotonic() - started < 50


def test_a_stopped_child_is_ended_too() -> None:
    result = sh("kill -STOP $$", timeout_s=0.2, kill_after_s=0.2)
    assert (result.timed_out, result.exit_code) == (True, 137)


def test_a_time_out_ends_the_whole_family(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = (
        f"(trap '' TERM; (sleep 60 & echo $! >> {pids}; wait) & echo $! >> {pids}; wait) & wait"
    )
    result = sh(script, timeout_s=0.5, kill_after_s=0.3)
    assert result.timed_out
    children = [int(line) for line in pids.read_text().split()]
    assert len(children) == 2
    wait_for(lambda: all(map(is_gone, children)))


def test_what_a_child_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    started = time.monotonic()
    result = sh(f"sleep 60 & echo $! > {tmp_path}/pid; exit 4")
    assert (result.exit_code, result.timed_out) == (4, False)
    assert time.monotonic() - started < 50
    wait_for(lambda: is_gone(int((tmp_path / "pid").read_text())))


@pytest.mark.skipif(shutil.which("setsid") is None, reason="there is no setsid command")
def test_one_that_got_away_and_goes_on_talking_is_not_waited_for(tmp_path: Path) -> None:
    script = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec yes talk >&2' & sleep 0.2"
    started = time.monotonic()
    try:
        result = sh(script)
    finally:
        with suppress(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert result.exit_code == 0
    assert set(result.stderr_tail) == {"talk"}
    assert time.monotonic() - started < 50


def test_a_stalled_child_is_ended_like_a_late_one() -> None:
    asked = []

    def is_stalled() -> bool:
        asked.append(time.monotonic())
        return len(asked) == 4

    result = sh("sleep 60", is_stalled=is_stalled)
    assert result.timed_out
    assert len(asked) == 4
    assert 0.25 < asked[-1] - asked[0] < 2


def test_a_child_that_is_never_stalled_ends_by_itself() -> None:
    result = sh("sleep 0.25; exit 5", is_stalled=lambda: False)
    assert (result.exit_code, result.timed_out) == (5, False)


def test_the_time_out_also_holds_for_a_child_that_is_never_stalled() -> None:
    assert sh("sleep 60", timeout_s=0.25, is_stalled=lambda: False).timed_out


class Interrupted(Exception):
    """Something that ends us."""


def test_an_error_of_ours_leaves_no_child_behind(tmp_path: Path) -> None:
    def fail() -> bool:
        raise Interrupted

    with pytest.raises(Interrupted):
        sh(f"echo $$ > {tmp_path}/pid; sleep 60", is_stalled=fail)
    assert is_gone(int((tmp_path / "pid").read_text()))


@contextmanager
def interruptions(first_s: float, interval_s: float = 0.0) -> Iterator[None]:
    """Raise `Interrupted` in this thread after some time, and again and again after the interval."""

    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, first_s, interval_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_our_own_end_ends_the_child(tmp_path: Path) -> None:
    with interruptions(0.3), pytest.raises(Interrupted):
        sh(f"echo $$ > {tmp_path}/pid; sleep 60")
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_an_impatient_end_kills_the_child_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    script = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.05; done"
    with interruptions(0.3, 0.3), pytest.raises(Interrupted):
        sh(script, kill_after_s=30.0)
    assert is_gone(int((tmp_path / "pid").read_text()))
    assert time.monotonic() - started < 25


def test_others_are_told_before_the_end(tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = f"trap 'echo term >> {order}; exit 0' TERM; sleep 60 & wait"

    def tell() -> None:
        order.write_text("told\n")

    assert sh(script, timeout_s=0.3, before_end=tell).timed_out
    assert order.read_text() == "told\nterm\n"


def test_others_are_told_nothing_of_a_normal_end() -> None:
    told: list[bool] = []
    sh("true", before_end=lambda: told.append(True))
    assert told == []


def test_the_child_is_ended_even_when_telling_fails(tmp_path: Path) -> None:
    def fail() -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        sh(f"echo $$ > {tmp_path}/pid; sleep 60", timeout_s=0.3, before_end=fail)
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_only_the_descriptors_that_are_passed_stay_open(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as shared, (tmp_path / "private").open("w") as private:
        script = f"readlink /proc/$$/fd/{shared.fileno()} /proc/$$/fd/{private.fileno()}"
        result = sh(script, pass_fds=[shared.fileno()], keep_stdout=True)
    assert result.stdout_lines == (str(tmp_path / "lock"),)
