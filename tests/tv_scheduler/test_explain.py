"""Why a LogLine is on a TV or is not, in words for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.tv_scheduler.conftest import TvBox
from tests.tv_scheduler.lines import NOW, SAO_PAULO, make_line
from tests.tv_scheduler.test_choice import REFUSED as KEPT_OUT
from tests.tv_scheduler.test_choice import SECOND, line_at
from tv_scheduler import tv_scheduler
from tv_scheduler.choice import Reason, choose
from tv_scheduler.config import load_rules
from tv_scheduler.explain import (
    MAX_FILES,
    MAX_LINES,
    REFUSED,
    UNREADABLE,
    explain_file,
    explain_line,
    explain_tv,
    explain_unknown,
)
from tv_scheduler.known_lines import Found
from tv_scheduler.playlist import Scene
from tv_scheduler.rules import Order, Pick, TvRule

TV2 = load_rules(None)[1]
ALL_DAY = TvRule("tv", Pick(), Order.TIME, 24)

WORDS = {
    Reason.STATUS: ("a situação é curado, e esta TV mostra alerta", "its status is curado"),
    Reason.CAMERA: ("a câmera é portaria, e esta TV mostra patio", "its camera is portaria"),
    Reason.LABEL: ("o que se vê é backpack, person, e esta TV mostra dog", "what is seen"),
    Reason.HOURS: ("o começo é 21/11 09:30, e esta TV mostra 18:00–06:00", "its start is"),
    Reason.FUTURE: ("começa em 21/11 09:30, no futuro", "in the future"),
    Reason.OLD: ("começou em 21/11 07:30, e esta TV mostra as últimas 2 horas", "last 2 hours"),
    Reason.LONG: ("dura 2 minutos, e esta TV mostra até 1", "it lasts 2 minutes"),
}


@pytest.mark.parametrize("reason", KEPT_OUT)
def test_each_reason_has_words_and_what_it_was_measured_by(reason: Reason) -> None:
    rule, line = KEPT_OUT[reason]
    entry = explain_line(rule, line, choose(rule, [line], NOW, SAO_PAULO), SAO_PAULO)
    portuguese, english = WORDS[reason]
    assert portuguese in entry["text"]["pt-BR"]
    assert english in entry["text"]["en"]
    assert (entry["shown"], entry["reason"], entry["logline_id"]) == (False, reason, line.id)


def test_what_is_shown_says_so_and_its_priority() -> None:
    lines = [make_line("1"), make_line("2", "alerta")]
    choice = choose(TV2, lines, NOW, SAO_PAULO)
    entry = explain_line(TV2, lines[1], choice, SAO_PAULO)
    assert (entry["shown"], entry["reason"], entry["when"]) == (
        True,
        "shown",
        "2026-11-21T12:30:30Z",
    )
    assert "prioridade 5" in entry["text"]["pt-BR"]
    plain = choose(ALL_DAY, lines, NOW, SAO_PAULO)
    assert explain_line(ALL_DAY, lines[0], plain, SAO_PAULO)["text"] == {
        "pt-BR": "Aparece.",
        "en": "Shown.",
    }
    one = replace(ALL_DAY, max_items=1)
    left_out = explain_line(one, lines[0], choose(one, lines, NOW, SAO_PAULO), SAO_PAULO)
    assert left_out["reason"] == "too_many"


def test_a_camera_without_a_name_is_told_as_none() -> None:
    rule = replace(ALL_DAY, pick=Pick(cameras=frozenset({"patio"})))
    line = make_line("1", media={"camera": ""})
    entry = explain_line(rule, line, choose(rule, [line], NOW, SAO_PAULO), SAO_PAULO)
    assert "a câmera é –" in entry["text"]["pt-BR"]


def test_the_document_has_the_newest_and_ends() -> None:
    lines = tuple(line_at(SECOND - number, f"{number:x}") for number in range(MAX_LINES + 5))
    files = {f"{number:03}.logline.json": "why" for number in range(MAX_FILES + 5)}
    found = Found(lines, files, files)
    document = explain_tv(
        ALL_DAY, choose(ALL_DAY, lines, NOW, SAO_PAULO), found, Scene(NOW, SAO_PAULO, "en")
    )
    entries = document["entries"]
    assert len(entries) == MAX_LINES + 2 * MAX_FILES
    assert entries[0]["logline_id"] == lines[0].id
    assert (entries[MAX_LINES]["logline_id"], entries[MAX_LINES]["reason"]) == ("000", REFUSED)
    assert entries[-1]["reason"] == UNREADABLE
    assert (document["schema"], document["tv"]) == ("vv.explain/1", "tv")


def test_a_file_is_named_so_that_it_harms_no_terminal() -> None:
    entry = explain_file(f"a\x1b[2J{'x' * 300}.logline.json", REFUSED, "why")
    assert entry["logline_id"].startswith("a\ufffd[2J")
    assert len(entry["logline_id"]) == 80


def test_of_an_unknown_line_its_name_tells_when_it_was() -> None:
    entry = explain_unknown(ALL_DAY, "20261101T010203Z-a1a1a1a1a1a1")
    assert entry["when"] == "2026-11-01T01:02:03Z"
    assert "Pelo nome começou em 2026-11-01T01:02:03Z" in entry["text"]["pt-BR"]
    assert explain_unknown(ALL_DAY, "x")["when"] is None
    assert explain_unknown(ALL_DAY, "99999999T999999Z-a1a1a1a1a1a1")["when"] is None


def test_the_command_says_it(
    box: TvBox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    box.add("a")
    path = box.add("b", "alerta", ago=timedelta(minutes=30))
    (path.parent / "fake.logline.json").write_bytes(b"{}\n")
    (path.parent / "folder.logline.json").mkdir()
    monkeypatch.setenv("VV_HOME", str(box.log.home))

    def explain(*arguments: str) -> list[str]:
        assert tv_scheduler.main(["--explain", *arguments]) == 0
        return capsys.readouterr().out.splitlines()

    lines = explain("tv2")
    assert len(lines) == 4
    assert "a situação é confirmado, e esta TV mostra alerta" in lines[0]
    assert "Aparece" in lines[1]
    assert explain("tv2", "b") == explain("tv2", path.name) == [lines[1]]
    assert explain("tv2", lines[0].split()[1].rstrip(":")) == [lines[0]]
    assert "Fora: nada se pode dizer" in explain("tv2", "folder")[0]
    assert "nenhum LogLine" in explain("tv2", "nobody")[0]
    monkeypatch.setenv("VV_LANGUAGE", "en")
    assert "its status is confirmado" in explain("tv2", "a")[0]
    assert not list(box.settings.storage.playlists.iterdir()), "nothing is written"
    assert not box.settings.storage.playlist_state.exists()
    assert tv_scheduler.main(["--explain", "tv9"]) == 64
    assert "tv1, tv2, tv3" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="64"):
        tv_scheduler.main(["--explain", "tv1", "a", "b"])
