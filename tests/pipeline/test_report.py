"""What a cycle says about itself to the person who started it."""

from __future__ import annotations

import pytest

from vv_core.pipeline.report import CycleReport, report_lines


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", ["cycle: no new video"]), ("pt-BR", ["ciclo: nenhum vídeo novo"])],
)
def test_an_idle_cycle(language: str, expected: list[str]) -> None:
    assert report_lines(CycleReport(), language) == expected


def test_everything_at_once_in_english() -> None:
    report = CycleReport(
        found=6,
        done=["a", "b"],
        known=["c"],
        quarantined=["d\x1b[31m\udcff.mp4"],
        retried=["e", "i"],
        reasons={"e": "disk\nfull"},
        waiting=["f"],
        growing=["g"],
        ignored=["h"],
        stopped_by="scan_video: no\nmodel",
        advice="name\none",
    )
    assert report_lines(report, "en") == [
        "cycle: 2 done, 1 processed before, 1 quarantined, 2 to be tried again, "
        "1 waiting for their next try, 1 still being written, 1 ignored",
        "  d\\x1b[31m\\udcff.mp4: quarantined",
        "  e: to be tried again (disk\\nfull)",
        "  i: to be tried again",
        "  stopped: scan_video: no\\nmodel",
        "  → name\\none",
    ]
    assert report.counts() == {
        "found": 6,
        "done": 2,
        "known": 1,
        "quarantined": 1,
        "retried": 2,
        "waiting": 1,
        "growing": 1,
        "ignored": 1,
    }


def test_in_portuguese() -> None:
    report = CycleReport(done=["a"], quarantined=["b.mp4"], stopped_by="x: y")
    assert report_lines(report, "pt-BR") == [
        "ciclo: 1 concluídos, 1 em quarentena",
        "  b.mp4: em quarentena",
        "  interrompido: x: y",
    ]
