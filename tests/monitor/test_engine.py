"""Every fault of the engine has a name: a partner that answers wrongly, late or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vv_core.monitor.containers import parse_container
from vv_core.monitor.engine import DockerEngine, EngineProblem, Outcome

GOOD = {
    "Id": "abc",
    "Name": "/p-api-1",
    "Config": {
        "Labels": {"com.docker.compose.project": "p", "com.docker.compose.service": "api",
                   "com.docker.compose.oneoff": "False"}
    },
    "State": {"Status": "running", "ExitCode": 0, "OOMKilled": False, "Error": "",
              "Health": {"Status": "unhealthy", "Log": [{"Output": "no\n  answer"}]}},
    "RestartCount": 2,
}  # fmt: skip

VERSION = (200, json.dumps({"ApiVersion": "1.45"}))
LISTED = (200, json.dumps([{"Names": ["/other/alias", "/p-api-1"]}]))

Answer = tuple[int, str] | None


@contextmanager
def partner(answers: dict[str, Answer]) -> Iterator[str]:
    """Serve answers by the last part of the path; None never answers."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            part = next((key for key in answers if path.endswith(key)), "")
            answer = answers.get(part, (404, json.dumps({"message": f"no {path}"})))
            if answer is None:
                released.wait(20)
                return
            status, text = answer
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_containers_are_listed_and_looked_at_by_name() -> None:
    answers: dict[str, Answer] = {
        "/version": VERSION, "/containers/json": LISTED, "/p-api-1/json": (200, json.dumps(GOOD)),
    }  # fmt: skip
    with partner(answers) as url, closing(DockerEngine(url, 5)) as engine:
        (seen,) = engine.list_containers("p")
    assert (seen.name, seen.service, seen.health, seen.is_one_off) == (
        "p-api-1",
        "api",
        "unhealthy",
        False,
    )
    assert (seen.restart_count, seen.note) == (2, "no answer")


def test_what_vanishes_between_list_and_look_is_left_out() -> None:
    with (
        partner({"/version": VERSION, "/containers/json": LISTED}) as url,
        closing(DockerEngine(url, 5)) as engine,
    ):
        assert engine.list_containers("p") == []


WRONG = json.dumps({"message": "told to fail"})


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"/containers/json": (500, WRONG)}, Outcome.ENGINE_ERROR),
        ({"/containers/json": (403, WRONG)}, Outcome.REFUSED),
        ({"/containers/json": (200, "<html>")}, Outcome.NOT_UNDERSTOOD),
        ({"/containers/json": LISTED, "/p-api-1/json": (200, "{}")}, Outcome.NOT_UNDERSTOOD),
        ({"/containers/json": LISTED, "/p-api-1/json": (500, WRONG)}, Outcome.ENGINE_ERROR),
        ({"/version": (500, WRONG)}, Outcome.ENGINE_DOWN),
    ],
)
def test_a_list_that_fails_has_a_name(answers: dict[str, Answer], expected: Outcome) -> None:
    with (
        partner({"/version": VERSION, **answers}) as url,
        closing(DockerEngine(url, 5)) as engine,
        pytest.raises(EngineProblem) as caught,
    ):
        engine.list_containers("p")
    assert caught.value.outcome is expected
    assert caught.value.advice


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, Outcome.VANISHED),
        (403, Outcome.REFUSED),
        (500, Outcome.ENGINE_ERROR),
        (409, Outcome.ENGINE_ERROR),
    ],
)
def test_a_restart_that_fails_has_a_name(status: int, expected: Outcome) -> None:
    with (
        partner({"/version": VERSION, "/restart": (status, WRONG)}) as url,
        closing(DockerEngine(url, 5)) as engine,
        pytest.raises(EngineProblem) as caught,
    ):
        engine.restart("p-api-1")
    assert caught.value.outcome is expected
    assert "told to fail" in caught.value.message


def test_an_engine_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vv_core.monitor.engine.STOP_GRACE_S", 0)
    for answers in ({"/version": None}, {"/version": VERSION, "/containers/json": None}):
        started = time.monotonic()
        with (
            partner(answers) as url,
            closing(DockerEngine(url, 0.5)) as engine,
            pytest.raises(EngineProblem) as caught,
        ):
            engine.list_containers("p")
        assert caught.value.outcome is Outcome.TIMED_OUT
        assert time.monotonic() - started < 60


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_an_engine_that_is_not_there(url: str) -> None:
    with closing(DockerEngine(url, 1)) as engine, pytest.raises(EngineProblem) as caught:
        engine.list_containers("p")
    assert caught.value.outcome is Outcome.ENGINE_DOWN
    assert url in caught.value.advice


def test_without_labels_or_health_it_is_a_foreign_container() -> None:
    bare = {
        "Id": "a",
        "Name": "/x",
        "Config": {"Labels": None},
        "State": {"Status": "exited", "ExitCode": 3},
    }
    seen = parse_container(bare)
    assert (seen.project, seen.health, seen.exit_code, seen.note) == ("", "none", 3, "")
    with pytest.raises(ValueError, match="not a container"):
        parse_container({"State": 3})
