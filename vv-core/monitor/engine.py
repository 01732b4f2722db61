"""The Docker engine, by its SDK: list, inspect, restart; every fault has a name.

Only calls that the restricted proxy lets through (deploy/docker_proxy), and names, never ids: the proxy knows a
project's containers by their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from vv_core.errors import UnavailableError
from vv_core.logs import get_logger
from vv_core.monitor.containers import ONE_OFF_LABEL, PROJECT_LABEL, Container, parse_container

if TYPE_CHECKING:
    from docker import APIClient

DEFAULT_URL = "unix:///var/run/docker.sock"
STOP_GRACE_S = 10
_NOT_FOUND, _FORBIDDEN, _SERVER_ERROR = 404, 403, 500
_MAX_TEXT = 300


class Outcome(StrEnum):
    """What came of a call to the engine."""

    RESTARTED = "restarted"
    VANISHED = "vanished"
    REFUSED = "refused"
    ENGINE_ERROR = "engine_error"
    TIMED_OUT = "timed_out"
    ENGINE_DOWN = "engine_down"
    NOT_UNDERSTOOD = "not_understood"


class EngineProblem(UnavailableError):
    """The engine did not do what it was asked.

    Attributes:
        outcome: which kind of fault.
    """

    def __init__(
        self, message: str, *, advice: str, outcome: Outcome = Outcome.ENGINE_ERROR
    ) -> None:
        super().__init__(message, advice=advice)
        self.outcome = outcome


class Engine(Protocol):
    """What the monitor needs of an engine."""

    def list_containers(self, project: str) -> list[Container]:
        """Return all containers of a project, those that do not run among them.

        Raises:
            EngineProblem: the engine does not say.
        """

    def restart(self, name: str) -> None:
        """Restart a container.

        Raises:
            EngineProblem: it was not restarted, or nobody knows.
        """


class DockerEngine:
    """The engine at a URL."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url or DEFAULT_URL
        self._timeout_s = timeout_s
        self._client: APIClient | None = None

    def list_containers(self, project: str) -> list[Container]:
        """Return all containers of a project; one that vanishes meanwhile is left out."""
        with self._named_faults("list the containers"):
            label = f"{PROJECT_LABEL}={project}"
            listed = self._api().containers(all=True, filters={"label": [label]})
            names = [name for entry in listed if (name := _name_to_inspect(entry))]
        return [found for name in names if (found := self._inspect(name)) is not None]

    def restart(self, name: str) -> None:
        """Restart a container."""
        with self._named_faults(f"restart {name}"):
            self._api().restart(name, timeout=STOP_GRACE_S)

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _inspect(self, name: str) -> Container | None:
        try:
            with self._named_faults(f"inspect {name}"):
                return parse_container(self._api().inspect_container(name))
        except EngineProblem as exc:
            if exc.outcome not in {Outcome.VANISHED, Outcome.REFUSED}:
                raise
            # Gone since it was listed; or named by hand, so that the proxy does not know whose it is.
            get_logger("monitor").info("%s is not looked at: %s", name, exc.outcome)
            return None

    def _api(self) -> APIClient:
        """Return the client; the first call asks the engine for its version."""
        if self._client is None:
            from docker import APIClient  # heavy, and only the monitor needs it

            # A restart takes as long as the container takes to stop.
            timeout_s = self._timeout_s + STOP_GRACE_S
            self._client = APIClient(base_url=self._url, version="auto", timeout=timeout_s)
        return self._client

    @contextmanager
    def _named_faults(self, doing: str) -> Iterator[None]:
        try:
            from docker.errors import DockerException
            from requests.exceptions import RequestException
        except ImportError as exc:
            raise UnavailableError(
                "the Docker SDK is not installed",
                advice="Run: python3 bootstrap.py --rooms monitor",
            ) from exc
        try:
            yield
        except (DockerException, RequestException) as exc:
            raise _problem(doing, self._url, exc) from exc
        except (ValueError, TypeError) as exc:
            raise EngineProblem(
                f"cannot {doing}: the answer is none of a Docker engine: {str(exc)[:_MAX_TEXT]}",
                advice=_ADVICE[Outcome.NOT_UNDERSTOOD].format(url=self._url),
                outcome=Outcome.NOT_UNDERSTOOD,
            ) from exc


def _name_to_inspect(entry: dict[str, Any]) -> str:
    """Return the name of a listed container, or "" for a one-off: of its names the one without a link's slash."""
    if str((entry.get("Labels") or {}).get(ONE_OFF_LABEL, "")).lower() == "true":
        return ""
    names = [str(name).removeprefix("/") for name in entry.get("Names") or []]
    return next((name for name in names if "/" not in name), "")


def _problem(doing: str, url: str, exc: Exception) -> EngineProblem:
    """Give a fault of the SDK its name."""
    outcome = outcome_of(exc)
    reason = str(getattr(exc, "explanation", "") or exc)[:_MAX_TEXT]
    return EngineProblem(
        f"cannot {doing}: {reason}", advice=_ADVICE[outcome].format(url=url), outcome=outcome
    )


def outcome_of(exc: Exception) -> Outcome:
    """Return which kind of fault an exception of the SDK or of its HTTP library is."""
    from docker.errors import APIError
    from requests.exceptions import JSONDecodeError, Timeout

    if isinstance(exc, JSONDecodeError):
        return Outcome.NOT_UNDERSTOOD
    if isinstance(exc, APIError):
        status = getattr(exc.response, "status_code", None) or 0
        if status == _NOT_FOUND:
            return Outcome.VANISHED
        return Outcome.REFUSED if status == _FORBIDDEN else Outcome.ENGINE_ERROR
    # A read that takes too long comes as either, and some are wrapped by the version's question.
    chain = _chain(exc)
    if any(isinstance(link, Timeout | TimeoutError) for link in chain):
        return Outcome.TIMED_OUT
    return Outcome.ENGINE_DOWN


def _chain(exc: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    current: BaseException | None = exc
    while current is not None and current not in links:
        links.append(current)
        current = current.__cause__ or current.__context__
    return links


_ADVICE = {
    Outcome.VANISHED: "Nothing to do: somebody removed or replaced it.",
    Outcome.REFUSED: "The proxy lets through only this project: check VV_COMPOSE_PROJECT.",
    Outcome.ENGINE_ERROR: "See why: docker inspect, docker logs, journalctl -u docker.",
    Outcome.TIMED_OUT: "The engine is slow or hangs: look at load and disk, then systemctl restart docker.",
    Outcome.NOT_UNDERSTOOD: "Check that DOCKER_HOST ({url}) names a Docker engine or the proxy.",
    Outcome.ENGINE_DOWN: "Check that the engine runs at {url}: systemctl status docker; and that this user "
    "may use it (group docker).",
}
