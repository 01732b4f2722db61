"""Asking the Docker engine by its own command, and saying why it does not answer.

Nothing here is decided by the words of a message: exit codes, events, and what the kernel says about the socket.
"""

from __future__ import annotations

import errno
import os
import pwd
import socket
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from vv_core.errors import ConfigError, UnavailableError, VvError
from vv_core.process import ChildResult, run_child

ANSWER_TIMEOUT_S = 60.0
_CONNECT_TIMEOUT_S = 5.0


def ask_docker(arguments: Sequence[str], env: Mapping[str, str]) -> ChildResult:
    """Run a docker command that answers soon; keep the last lines of what it says.

    Raises:
        UnavailableError: there is no docker command.
    """
    try:
        return run_child(
            ["docker", *arguments], timeout_s=ANSWER_TIMEOUT_S, env=env, keep_stdout=True
        )
    except OSError as exc:
        raise UnavailableError(
            f"docker cannot be started: {exc}",
            advice="Install docker with compose v2, or set ORCHESTRATOR_RUNNER=process.",
        ) from exc


def tell(arguments: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Run a docker command that has to work, and return its last lines of stdout.

    Raises:
        ConfigError: this user may not use the engine.
        UnavailableError: the engine does not answer, or refuses.
    """
    result = ask_docker(arguments, env)
    if result.exit_code == 0 and not result.timed_out:
        return list(result.stdout_lines)
    raise engine_fault(env) or UnavailableError(
        f"docker {arguments[0]} failed: {last_words(result)}",
        advice="Read the engine's log: journalctl -u docker.",
    )


def last_words(result: ChildResult) -> str:
    """Return the last line that a command wrote to stderr, or how it ended."""
    if result.timed_out:
        return "it did not end in time"
    return result.stderr_tail[-1] if result.stderr_tail else f"exit code {result.exit_code}"


def engine_fault(env: Mapping[str, str]) -> VvError | None:
    """Return why the engine cannot be used, or None when it answers.

    Raises:
        UnavailableError: there is no docker command.
    """
    result = ask_docker(["version", "--format", "{{.Server.Version}}"], env)
    if result.exit_code == 0 and not result.timed_out:
        return None
    inspected = ask_docker(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], env)
    endpoint = inspected.stdout_lines[-1] if inspected.stdout_lines else "unknown address"
    return explain_silence(endpoint, connect_error(endpoint), last_words(result))


def connect_error(endpoint: str) -> OSError | None:
    """Connect to an engine's socket; return what the kernel says against it, None for any other address."""
    url = urlsplit(endpoint)
    if url.scheme != "unix":
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_TIMEOUT_S)
        try:
            probe.connect(url.path)
        except OSError as exc:
            return exc
    return None


def explain_silence(endpoint: str, error: OSError | None, said: str) -> VvError:
    """Say why an engine does not answer, and what to do.

    Args:
        endpoint: its address.
        error: why its socket cannot be connected to, if that is so.
        said: the client's last words.
    """
    if error is not None and error.errno in {errno.EACCES, errno.EPERM}:
        user = _user_name()
        return ConfigError(
            f"the user {user} may not use the Docker engine ({endpoint}): {error.strerror}",
            advice=f"Run: sudo usermod -aG docker {user} – then log in again or restart the service.",
        )
    reason = error.strerror or str(error) if error is not None else said
    return UnavailableError(
        f"the Docker engine does not answer ({endpoint}): {reason}",
        advice="Run: sudo systemctl start docker – and read journalctl -u docker. "
        "Videos wait in input/; nothing else is to be done.",
    )


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def events_of(container: str, env: Mapping[str, str]) -> frozenset[str] | None:
    """Return what the engine remembers to have happened to a container, as names of actions.

    Works for a container that is gone. The engine remembers its last 256 events, which is plenty for the end of
    one that ended just now.

    Args:
        container: its name, never used before.
        env: of the command.

    Returns:
        Such as "start", "oom", "die"; None when the engine does not say.
    """
    # A duration ("0s") would be cut to whole seconds, and the newest events with it.
    now = f"{time.time():.9f}"
    arguments = ["events", "--since", "0", "--until", now, "--filter", f"container={container}"]
    result = ask_docker([*arguments, "--format", "{{.Action}}"], env)
    if result.exit_code != 0 or result.timed_out:
        return None
    return frozenset(result.stdout_lines)
