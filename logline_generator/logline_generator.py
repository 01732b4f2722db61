"""The command that turns ``.summary.json`` into ``.logline.json`` and ``.logline.md``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from logline_generator.existing import judge_existing, names_summary, should_write
from logline_generator.logline import Context, build_logline, make_scene
from logline_generator.markdown import render_markdown
from logline_generator.rules import RuleSet, choose_rule
from logline_generator.rules_file import load_rules
from vv_core import __version__
from vv_core.atomic import write_text_atomic
from vv_core.audit.audit_folder import SUFFIX, verify_file
from vv_core.audit.canonical import MalformedError
from vv_core.audit.verdict import Status, Verdict
from vv_core.audit.verify import verify_bytes
from vv_core.clock import Clock, SystemClock
from vv_core.errors import InputDataError, SoftwareError, UsageError
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.stage import StageItem, run_stage
from vv_core.stage_input import StageInput, read_stage_input
from vv_core.tlog.log_writer import LogWriter
from vv_core.tlog.wal import PublishedFile
from vv_core.utils import compute_sha256

PROG = "logline_generator"
PAGE_SUFFIX = ".logline.md"
MAX_SUMMARY_BYTES = 4 * 1024 * 1024


class LoglineStage:
    """Writes one signed LogLine and its readable page for each summary, through the log of the box.

    The log is opened with the first item, which recovers what a killed stage left, and again after a
    failure. Rules are read once.
    """

    name = "logline_generator"
    version = __version__

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._writer: LogWriter | None = None

    @cached_property
    def _rules(self) -> RuleSet:
        own = self._settings.status_rules_file
        return load_rules(self._settings.resolve(own) if own else None)

    def is_current(self, item: StageItem) -> bool:
        """Tell whether a valid LogLine of the same summary is there, and its page with it.

        Raises:
            VvError: the log or its keys cannot be used, or the summary cannot be read.
        """
        verdict = judge_existing(item.output, self._log())
        return (
            verdict.status is Status.VALID
            and names_summary(verdict, compute_sha256(item.input))
            and page_path(item.output).is_file()
        )

    def process(self, item: StageItem, progress: Callable[[float], None]) -> None:
        """Write the LogLine, or keep the one that the video has and repair its page.

        Raises:
            UsageError: the output's name does not end in ``.logline.json``.
            InputDataError: the summary is bad, or the LogLine there is about another video.
            KeyAccessError: a key or the log is not in order, or the LogLine there does not verify.
            ConfigError: the status rules are wrong.
            VvError: the file system refuses.
        """
        if not item.output.name.endswith(SUFFIX):
            raise UsageError(
                f"{item.output.name!r} does not end in {SUFFIX}",
                advice=f"Name the output <video>{SUFFIX}; the verifier looks for that ending.",
            )
        summary = read_stage_input(item.input, "summary", max_bytes=MAX_SUMMARY_BYTES)
        verdict = judge_existing(item.output, self._log())
        video = summary.document["source_hash"]
        if should_write(verdict, video, str(item.output)):
            self._write(summary, item)
        else:
            self._keep(verdict, item)
        progress(1.0)

    def close(self) -> None:
        """Make all that was written durable, and let go of the log.

        Raises:
            TemporaryError: the disk refuses; what was written is recovered by the next stage.
        """
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def _log(self) -> LogWriter:
        """Return the open log."""
        if self._writer is not None and self._writer.is_stopped:
            self._writer.abandon()
            self._writer = None
        if self._writer is None:
            writer = LogWriter(self._settings, self._clock)
            try:
                writer.open()
            except BaseException:
                writer.abandon()
                raise
            self._writer = writer
        return self._writer

    def _write(self, summary: StageInput, item: StageItem) -> None:
        """Append the LogLine to the log, which publishes the page and then the LogLine."""
        log = self._log()

        def files_of(signed: dict[str, Any], line: bytes) -> list[PublishedFile]:
            data = line + b"\n"
            # Checked before, since a LogLine is never replaced, and after, since disks fail.
            _expect(signed, verify_bytes(data, log.keys.keys), item.output)
            page = render_markdown(signed, self._settings.zone, item.output.name)
            return [
                PublishedFile(log.places.relative(page_path(item.output)), page.encode()),
                PublishedFile(log.places.relative(item.output), data),
            ]

        try:
            appended = log.append(lambda _position: self._build(summary), files_of)
        except MalformedError as exc:
            raise InputDataError(
                f"no LogLine can be made of the summary {str(item.input)!r}: {exc.message}",
                advice="Remove the analytic and the summary; they are made again on the next cycle.",
            ) from exc
        _expect(appended.document, verify_file(item.output, log.keys.keys), item.output)

    def _build(self, summary: StageInput) -> dict[str, Any]:
        scene = make_scene(summary.document, self._settings.zone)
        context = Context(
            summary_sha256=summary.sha256,
            rules_sha256=self._rules.sha256,
            rule=choose_rule(self._rules, scene),
            box=self._settings.box,
            logged_at=self._clock.now(),
        )
        return build_logline(summary.document, context)

    def _keep(self, verdict: Verdict, item: StageItem) -> None:
        """Keep the LogLine of a video that was summarised again; write its page if that is missing."""
        get_logger(self.name).info(
            "the video has a LogLine already; it is kept",
            extra={"fields": {"output": str(item.output)}},
        )
        if verdict.document is not None and not page_path(item.output).is_file():
            text = render_markdown(verdict.document, self._settings.zone, item.output.name)
            write_text_atomic(page_path(item.output), text)


def _expect(signed: dict[str, Any], verdict: Verdict, output: Path) -> None:
    """Refuse to go on unless the LogLine verifies and is the one that was signed."""
    if verdict.document != signed:
        raise SoftwareError(
            f"the LogLine {str(output)!r} does not verify as written: "
            f"{verdict.status}, {verdict.reason}",
            advice="Check the disk (dmesg); if it is in order, report this with logs/app.log.",
        )


def page_path(output: Path) -> Path:
    """Return the readable page that belongs to a LogLine file."""
    return output.with_name(output.name.removesuffix(SUFFIX) + PAGE_SUFFIX)


def make_stage(settings: Settings, _arguments: argparse.Namespace) -> LoglineStage:
    """Return the stage; nothing is read yet."""
    return LoglineStage(settings, SystemClock())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    return run_stage(PROG, "Sign what happened in a video as a LogLine.", make_stage, argv)


if __name__ == "__main__":
    sys.exit(main())
