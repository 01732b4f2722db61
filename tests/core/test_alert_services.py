"""Alerts to services: a real one on this machine, one that refuses, and one that is not there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.core.test_alerts import ALERT, NOW, entries
from vv_core.alerts import AppriseSink, make_alerter, read_alerts, split_urls
from vv_core.logs import setup_logging

# apprise 1.9 to 2.2 has one plug-in that imports it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Service(HTTPServer):
    """A service that alerts are sent to, on this machine."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = status
        self.received: list[dict[str, Any]] = []

    def url(self, path: str = "") -> str:
        return f"json://user:very-secret@127.0.0.1:{self.server_port}/{path}"


class Answer(BaseHTTPRequestHandler):
    """Keeps what is sent and answers with the service's status."""

    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=[200])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Return a service that runs until the test has ended."""
    with Service(request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return where the log is written to."""
    setup_logging("test", tmp_path / "logs")
    return tmp_path / "logs" / "app.log"


def test_services_are_told(tmp_path: Path, service: Service, log: Path) -> None:
    urls = f" {service.url('one')},{service.url('two')} , "
    make_alerter(tmp_path / "alerts.jsonl", urls, NOW).tell(ALERT, NOW)
    assert len(service.received) == 2
    assert service.received[0]["title"] == "[CRITICAL] stage_config: scan_video"
    assert service.received[0]["message"] == "weights are gone\n→ Put them back."
    assert len(entries(log)) == 1


@pytest.mark.parametrize("service", [500, 403], indirect=True)
def test_a_service_that_refuses_is_logged_without_its_secret(
    tmp_path: Path, service: Service, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    alerter = make_alerter(tmp_path / "alerts.jsonl", service.url(), NOW)
    assert alerter.tell(ALERT, NOW)
    assert "did not reach every service" in entries(log)[-1]["message"]
    assert len(read_alerts(tmp_path / "alerts.jsonl")) == 1
    assert "very-secret" not in log.read_text() + "".join(capfd.readouterr())


def test_a_service_that_is_not_there_is_logged(tmp_path: Path, log: Path) -> None:
    with Service(200) as gone:
        url = gone.url()
    assert make_alerter(tmp_path / "alerts.jsonl", url, NOW).tell(ALERT, NOW)
    assert "did not reach every service" in entries(log)[-1]["message"]


def test_an_unknown_url_is_named_by_position_only(
    service: Service, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sink = AppriseSink([service.url(), "nonsense://very-secret", "very-secret"])
    assert [entry["message"][:5] for entry in entries(log)] == ["URL 2", "URL 3"]
    sink.send(ALERT, NOW)
    assert len(service.received) == 1
    assert "very-secret" not in log.read_text() + "".join(capfd.readouterr())


def test_the_box_goes_on_where_apprise_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "apprise.py").write_text("raise ImportError('not here')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from datetime import UTC, datetime; from pathlib import Path\n"
        "from vv_core.alerts import make_alerter\n"
        "from vv_core.logs import setup_logging\n"
        "setup_logging('x', Path(sys.argv[1]))\n"
        "make_alerter(Path(sys.argv[1], 'alerts.jsonl'), 'json://localhost', datetime.now(UTC))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert "apprise is not installed" in result.stderr
    assert "bootstrap.py --rooms alerts" in result.stderr


def test_apprise_is_loaded_only_where_urls_are_set(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from vv_core.alerts import make_alerter\n"
        "make_alerter(Path(sys.argv[1], 'alerts.jsonl'), None, datetime.now(UTC))\n"
        "sys.exit('apprise' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60)


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ("", []),
        (" , ", []),
        ("json://a", ["json://a"]),
        ("json://a,slack://b", ["json://a", "slack://b"]),
        (" json://a , \n tgram://b/c,", ["json://a", "tgram://b/c"]),
        (
            "mailto://u:p@x?to=a@x,b@x,json://c",
            ["mailto://u:p@x?to=a@x,b@x", "json://c"],
        ),
        ("nonsense, json://a", ["nonsense", "json://a"]),
    ],
)
def test_urls_are_split_between_urls_only(urls: str, expected: list[str]) -> None:
    assert split_urls(urls) == expected
