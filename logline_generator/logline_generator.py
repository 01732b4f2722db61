"""The command that turns ``.summary.json`` into ``.logline.json`` and ``.logline.md``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from logline_generator.existing import names_summary, should_write
from logline_generator.logline import Context, build_logline, make_scene
from logline_generator.markdown import render_markdown
from logline_generator.rules import RuleSet, choose_rule
from logline_generator.rules_file import load_rules
from logline_generator.summary_file import Summary, read_summary
from vv_core import __version__
from vv_core.atomic import write_bytes_atomic, write_text_atomic
from vv_core.audit.audit_folder import SUFFIX, verify_file
from vv_core.audit.canonical import MalformedError
from vv_core.audit.keys import KeyStore, load_keys
from vv_core.audit.signing import sign_document
from vv_core.audit.verdict import Status, Verdict
from vv_core.audit.verify import logline_bytes, verify_bytes
from vv_core.clock import Clock, SystemClock
from vv_core.errors import InputDataError, SoftwareError, UsageError
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.stage import StageItem, run_stage
from vv_core.utils import compute_sha256

PROG = "logline_generator"
PAGE_SUFFIX = ".logline.md"


class LoglineStage:
    """Writes one signed LogLine and its readable page for each summary.

    Keys and rules are read once, with the first item.
    """

    name = "logline_generator"
    version = __version__

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    @cached_property
    def _keys(self) -> KeyStore:
        return load_keys(self._settings)

    @cached_property
    def _rules(self) -> RuleSet:
        own = self._settings.status_rules_file
        return load_rules(self._settings.resolve(own) if own else None)

    def is_current(self, item: StageItem) -> bool:
        """Tell whether a valid LogLine of the same summary is there, and its page with it.

        Raises:
            VvError: the key store cannot be used, or the summary cannot be read.
        """
        verdict = verify_file(item.output, self._keys.keys)
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
            KeyAccessError: the key store cannot be used, or the LogLine there does not verify.
            ConfigError: the status rules are wrong.
            VvError: the file system refuses.
        """
        if not item.output.name.endswith(SUFFIX):
            raise UsageError(
                f"{item.output.name!r} does not end in {SUFFIX}",
                advice=f"Name the output <video>{SUFFIX}; the verifier looks for that ending.",
            )
        summary = read_summary(item.input)
        verdict = verify_file(item.output, self._keys.keys)
        video = summary.document["source_hash"]
        if should_write(verdict, video, str(item.output)):
            self._write(summary, item)
        else:
            self._keep(verdict, item)
        progress(1.0)

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, summary: Summary, item: StageItem) -> None:
        """Write the page, then the LogLine: who finds the LogLine finds its page too."""
        signed = self._sign(summary, item.input)
        data = logline_bytes(signed)
        # Checked before, since a LogLine is never replaced, and after, since disks fail.
        _expect(signed, verify_bytes(data, self._keys.keys), item.output)
        item.output.parent.mkdir(parents=True, exist_ok=True)
        self._write_page(signed, item.output)
        write_bytes_atomic(item.output, data)
        _expect(signed, verify_file(item.output, self._keys.keys), item.output)

    def _sign(self, summary: Summary, source: Path) -> dict[str, Any]:
        scene = make_scene(summary.document, self._settings.zone)
        context = Context(
            summary_sha256=summary.sha256,
            rules_sha256=self._rules.sha256,
            rule=choose_rule(self._rules, scene),
            box=self._settings.box,
            logged_at=self._clock.now(),
        )
        logline = build_logline(summary.document, context)
        try:
            return sign_document(logline, self._keys.active, self._keys.active_secret)
        except MalformedError as exc:
            raise InputDataError(
                f"no LogLine can be made of the summary {str(source)!r}: {exc.message}",
                advice="Remove the analytic and the summary; they are made again on the next cycle.",
            ) from exc

    def _keep(self, verdict: Verdict, item: StageItem) -> None:
        """Keep the LogLine of a video that was summarised again; write its page if that is missing."""
        get_logger(self.name).info(
            "the video has a LogLine already; it is kept",
            extra={"fields": {"output": str(item.output)}},
        )
        if verdict.document is not None and not page_path(item.output).is_file():
            self._write_page(verdict.document, item.output)

    def _write_page(self, signed: dict[str, Any], output: Path) -> None:
        text = render_markdown(signed, self._settings.zone, output.name)
        write_text_atomic(page_path(output), text)


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
