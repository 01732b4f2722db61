"""``python -m vv_core.job_alert JOB CODE``: tell the operator that a scheduled job has failed.

For jobs that are shell scripts; programs of the product tell by themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from vv_core.alerts import Alert, Severity, make_alerter
from vv_core.cli import CommandParser, run_command
from vv_core.clock import Clock, SystemClock
from vv_core.errors import ExitCode
from vv_core.logs import printable, setup_logging
from vv_core.settings import Settings, load_settings

PROG = "job_alert"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Tell the operator that a scheduled job has failed.")
    parser.add_argument("job", help="its name")
    parser.add_argument("code", type=int, help="how it ended; 0 tells nothing")
    parser.add_argument("--log", default="", metavar="FILE", help="where to read more")
    arguments = parser.parse_args(argv)
    return run_command(
        lambda: tell_job(arguments.job, arguments.code, arguments.log, load_settings()), PROG
    )


def tell_job(job: str, code: int, log: str, settings: Settings, clock: Clock | None = None) -> int:
    """Alert about a job that ended with another code than 0.

    Raises:
        VvError: alerts cannot be written.
    """
    setup_logging(PROG, settings.resolve(settings.log_dir))
    if code == 0:
        return ExitCode.OK
    now = (clock or SystemClock()).now()
    urls = settings.alert_urls.get_secret_value() if settings.alert_urls else None
    alerter = make_alerter(settings.storage.orchestrator_data / "alerts.jsonl", urls, now)
    message = f"the scheduled job {printable(job)} ended with code {code}"
    advice = f"Read {printable(log)}." if log else "Run it by hand and read what it says."
    alerter.tell(Alert(Severity.WARNING, "job_failed", job, message, advice), now)
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
