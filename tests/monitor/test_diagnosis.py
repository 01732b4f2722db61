"""The diagnosis: what the rules know, how often anything is proposed, and what is ever carried out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitor.boxes import CRASHED, PROJECT, MovedClock, TableEngine, container, make_monitor
from vv_core.alerts import read_alerts
from vv_core.clock import format_utc
from vv_core.errors import ConfigError, UnavailableError
from vv_core.heartbeat import Heartbeat
from vv_core.monitor import ask_model, diagnose
from vv_core.monitor.ask_model import parse_answer, request_document, situation_text
from vv_core.monitor.diagnose import diagnose_once, gather, read_proposals
from vv_core.monitor.engine import Outcome
from vv_core.monitor.evaluate import main as evaluate
from vv_core.monitor.look import Monitor, look
from vv_core.monitor.proposal import Action, Diagnosis, Made, Proposal, may_propose
from vv_core.monitor.recorded import RECORDED, load_cases
from vv_core.monitor.remedies import apply_proposal, raise_memory
from vv_core.monitor.rules import propose_by_rules
from vv_core.monitor.situation import (
    ContainerFact,
    LogFact,
    QuarantineFact,
    Situation,
    log_fact,
    parse_situation,
    situation_document,
)
from vv_core.settings import Settings, load_settings

CASES = load_cases(RECORDED)
ADVISED = Proposal(Diagnosis.UNKNOWN, Action.RESTART, "api", "because", "a-model.gguf")


# --- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rules_say_what_is_right_or_nothing(case: object) -> None:
    found = propose_by_rules(case.situation)  # type: ignore[attr-defined]
    if case.is_known:  # type: ignore[attr-defined]
        assert found is not None
        assert (found.action, found.target) == (case.action, case.target)  # type: ignore[attr-defined]
        assert found.reason
        assert found.is_of_rules
    else:
        assert found is None


def test_where_all_is_quiet_nobody_says_anything() -> None:
    assert Situation().is_quiet
    assert propose_by_rules(Situation()) is None


def test_every_action_is_the_right_one_somewhere() -> None:
    assert {case.action for case in CASES if case.is_known} == set(Action)


CONTAINERS = st.builds(
    ContainerFact,
    service=st.sampled_from(["tv_api", "scene_scanner"]),
    name=st.just("n"),
    condition=st.sampled_from(["failed", "unhealthy"]),
    is_out_of_memory=st.booleans(),
    has_given_up=st.booleans(),
)
LOGS = st.builds(
    LogFact,
    level=st.just("WARNING"),
    component=st.just("c"),
    message=st.text(max_size=20),
    event=st.sampled_from(["", "cache_damaged", "model_process_lost"]),
    stage=st.sampled_from(["", "scan_video", "summarize_scene", "logline_generator"]),
    exit_code=st.sampled_from([-1, 69, 75, 77, 78, 137]),
    memory=st.booleans(),
)
SITUATIONS = st.builds(
    Situation,
    containers=st.lists(CONTAINERS, max_size=3).map(tuple),
    heartbeats=st.dictionaries(st.sampled_from(["tv_api", "x"]), st.just("old"), max_size=2),
    log=st.lists(LOGS, max_size=8).map(tuple),
    quarantine=st.lists(
        st.builds(
            QuarantineFact,
            name=st.just("v"),
            stage=st.just("scan_video"),
            exit_code=st.sampled_from([70, 137]),
            has_more_memory=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    disk_free_percent=st.floats(0, 100),
    kinds_with_way_back=st.sampled_from([(), ("summary",)]),
)


@settings(max_examples=150)
@given(SITUATIONS)
def test_keys_and_settings_are_never_anybodys_but_a_persons(situation: Situation) -> None:
    found = propose_by_rules(situation)
    codes = {fact.exit_code for fact in situation.log}
    if codes & {77, 78}:
        assert found is not None
        assert found.action is Action.ESCALATE
    if found is not None:
        assert found.action in set(Action)
        if found.action is Action.RESTART:
            assert found.target in (situation.heartbeats or {})
        if found.action is Action.RAISE_MEMORY:
            assert found.target in {"SCANNER_MEMORY", "SUMMARIZER_MEMORY", "WRITER_MEMORY"}
    assert situation_text(situation)
    assert parse_situation(json.loads(json.dumps(situation_document(situation)))) == replace(
        situation, heartbeats=dict(situation.heartbeats or {})
    )


# --- how often --------------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 1800)), max_size=60), st.integers(1, 4)
)
def test_no_more_than_so_many_an_hour_and_the_same_one_once(
    wishes: list[tuple[str, float]], per_hour: int
) -> None:
    made: list[Made] = []
    now = 1_000_000.0
    for key, step in wishes:
        now += step
        if may_propose(key, made, now, per_hour):
            made.append(Made(key, now))
        recent = [one for one in made if one.at_s > now - 3600]
        assert len(recent) <= per_hour
        assert len({one.key for one in recent}) == len(recent)


# --- on a box ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "propose")
    load_settings().storage.ensure()
    for folder in ("monitor", "services", "scanner"):
        (tmp_path / "data" / "orchestrator_data" / folder).mkdir()
    return tmp_path


def monitor_of(box: Path, engine: TableEngine | None = None) -> Monitor:
    clock = MovedClock(datetime.now(UTC).timestamp())
    made = make_monitor(
        box / "data" / "orchestrator_data" / "monitor", engine or TableEngine(), clock
    )
    return replace(
        made, alert_file=box / "data" / "orchestrator_data" / "services" / "alerts.jsonl"
    )


def write_log(box: Path, moment: datetime, *entries: dict[str, object]) -> None:
    (box / "logs").mkdir(exist_ok=True)
    lines = [
        json.dumps({"time": format_utc(moment), "level": "WARNING", "component": "orchestrator",
                    "message": "m", **entry})
        for entry in entries
    ]  # fmt: skip
    (box / "logs" / "app.log").write_text("\n".join([*lines, "{torn"]))


OOM = {"fields": {"stage": "scan_video", "exit_code": 137, "out_of_memory": True}}


def proposals(box: Path) -> list[dict[str, object]]:
    return read_proposals(box / "data" / "orchestrator_data" / "monitor" / "proposals.jsonl")


def run(box: Path, monitor: Monitor) -> Proposal | None:
    return diagnose_once(load_settings(), look(monitor), monitor)


def test_a_proposal_is_logged_once_an_hour_and_not_carried_out(box: Path) -> None:
    monitor = monitor_of(box)
    write_log(box, monitor.clock.now(), OOM)
    found = run(box, monitor)
    assert found is not None
    assert found.action is Action.RAISE_MEMORY
    assert run(box, monitor) is None
    (entry,) = proposals(box)
    assert (entry["action"], entry["done"], entry["source"]) == ("raise_memory", "", "rules")
    assert not (box / ".env").exists()


def test_acting_raises_memory_within_the_limit_and_says_so(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    (box / ".env").write_text("# mine\nSCANNER_MEMORY=2g\nVV_LANGUAGE=en\n")
    (box / ".env").chmod(0o600)
    monitor = monitor_of(box)
    write_log(box, monitor.clock.now(), OOM)
    run(box, monitor)
    assert (box / ".env").read_text() == "# mine\nSCANNER_MEMORY=3072m\nVV_LANGUAGE=en\n"
    assert (box / ".env").stat().st_mode & 0o777 == 0o600
    (entry,) = proposals(box)
    assert entry["done"] == "SCANNER_MEMORY=3072m in .env"


def test_a_dry_run_does_not_act(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    monitor = monitor_of(box)
    write_log(box, monitor.clock.now(), OOM)
    found = run(box, replace(monitor, is_dry_run=True))
    assert found is not None
    assert not (box / ".env").exists()
    assert proposals(box) == []


def test_what_is_hours_old_is_no_news(box: Path) -> None:
    monitor = monitor_of(box)
    write_log(box, datetime.fromtimestamp(monitor.clock.now().timestamp() - 7200, UTC), OOM)
    assert run(box, monitor) is None
    assert proposals(box) == []


def test_a_service_that_fell_silent_is_restarted_by_name(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    engine = TableEngine([container(name="vv-box-api-1"), container(name="x", is_one_off=True)])
    monitor = monitor_of(box, engine)
    old = datetime.fromtimestamp(monitor.clock.now().timestamp() - 600, UTC)
    Heartbeat("api", old, 60.0).write(load_settings().storage.services / "api.json")
    run(box, monitor)
    assert engine.restarts == ["vv-box-api-1"]
    assert proposals(box)[0]["done"] == "restarted vv-box-api-1"


def test_what_cannot_be_done_is_logged_as_that(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    engine = TableEngine([container()], restart_fault=Outcome.TIMED_OUT)
    (load_settings().storage.services / "api.json").write_text("{}")
    run(box, monitor_of(box, engine))
    (entry,) = proposals(box)
    assert entry["done"] == ""
    assert "timed_out" in str(entry["problem"])
    stopped = TableEngine([container(state="exited", exit_code=0)])
    proposal = Proposal(Diagnosis.SERVICE_STUCK, Action.RESTART, "api", "test")
    with pytest.raises(UnavailableError):
        apply_proposal(proposal, load_settings(), monitor_of(box, stopped))
    assert stopped.restarts == []


def test_a_service_that_a_person_stopped_says_nothing_and_rightly(box: Path) -> None:
    monitor = monitor_of(box, TableEngine([container(state="exited", exit_code=143)]))
    old = datetime.fromtimestamp(monitor.clock.now().timestamp() - 600, UTC)
    Heartbeat("api", old, 60.0).write(load_settings().storage.services / "api.json")
    assert run(box, monitor) is None


def test_damaged_caches_are_cleared_and_nothing_else(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    folder = load_settings().storage.scanner_state
    for name in ("a.compiled", "faces.json"):
        (folder / name).write_text("x")
    monitor = monitor_of(box)
    write_log(box, monitor.clock.now(), *[{"fields": {"event": "cache_damaged"}}] * 3)
    run(box, monitor)
    assert [path.name for path in folder.iterdir()] == ["faces.json"]


def test_escalating_tells_the_operator(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    monitor = monitor_of(box)
    write_log(box, monitor.clock.now(), {"fields": {"stage": "logline", "exit_code": 77}})
    run(box, monitor)
    (alert,) = read_alerts(monitor.alert_file)
    assert (alert["code"], alert["subject"]) == ("diagnosis", "keys_wrong")


@pytest.mark.integration
@pytest.mark.parametrize("action", [Action.REQUEUE, Action.ROLL_BACK_MODEL])
def test_the_products_own_commands_are_run_and_their_refusal_is_told(
    box: Path, action: Action
) -> None:
    proposal = Proposal(Diagnosis.UNKNOWN, action, "nothing-there", "test")
    with pytest.raises(UnavailableError) as caught:
        apply_proposal(proposal, load_settings(), monitor_of(box))
    assert "nothing-there" in caught.value.message


def test_the_containers_and_the_box_are_gathered(box: Path) -> None:
    engine = TableEngine([container(**CRASHED), container(name="vv-box-b-1", service="b")])
    monitor = monitor_of(box, engine)
    write_log(box, monitor.clock.now(), {"level": "INFO"}, {"component": "self_monitor"}, OOM)
    (box / "data" / "models" / "active.json").write_text("{")
    video = box / "data" / "corrupted" / "a.mp4"
    video.write_text("x")
    situation = gather(load_settings(), look(monitor), monitor, [])
    assert [fact.name for fact in situation.containers] == ["vv-box-api-1"]
    assert [fact.memory for fact in situation.log] == [True]
    assert (situation.queued, situation.kinds_with_way_back) == (0, ())


def test_a_line_is_news_only_as_a_warning() -> None:
    assert log_fact({"level": "INFO"}) is None
    fact = log_fact({"level": "ERROR", "fields": {"exit_code": "7", "out_of_memory": "yes"}})
    assert fact is not None
    assert (fact.exit_code, fact.memory) == (-1, False)
    with pytest.raises(ValueError, match="unknown fields"):
        parse_situation({"weather": "fine"})


# --- the model --------------------------------------------------------------------------------------------------------


@pytest.fixture
def advised(box: Path, monkeypatch: pytest.MonkeyPatch) -> list[Situation]:
    """Let a model that advises a restart be asked; return what it was asked."""
    asked: list[Situation] = []

    def ask(situation: Situation, timeout_s: float) -> Proposal:
        asked.append(situation)
        return ADVISED

    monkeypatch.setattr(diagnose, "ask_quietly", ask)
    monkeypatch.setenv("VV_MONITOR_MODEL", "true")
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "act")
    return asked


def test_the_model_is_asked_only_where_rules_know_nothing_and_only_proposes(
    box: Path, advised: list[Situation]
) -> None:
    engine = TableEngine([container()])
    monitor = monitor_of(box, engine)
    assert run(box, monitor) is None
    assert advised == [], "nothing is wrong"
    write_log(box, monitor.clock.now(), {"fields": {"exit_code": 78}})
    run(box, monitor)
    assert advised == [], "the rules know it"
    write_log(box, monitor.clock.now(), {"message": "something odd"})
    found = run(box, monitor)
    assert found == ADVISED
    assert len(advised) == 1
    assert engine.restarts == []
    assert proposals(box)[-1]["source"] == "a-model.gguf"
    assert proposals(box)[-1]["done"] == ""
    with pytest.raises(ConfigError):
        apply_proposal(ADVISED, load_settings(), monitor)
    assert engine.restarts == []


def test_with_the_hours_proposals_made_the_model_is_not_even_asked(
    box: Path, advised: list[Situation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_PROPOSALS_PER_HOUR", "1")
    monitor = monitor_of(box)
    write_log(box, monitor.clock.now(), {"message": "something odd"})
    for _ in range(3):
        run(box, monitor)
    assert len(advised) == len(proposals(box)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"choice": {"diagnosis": "unknown", "action": "rm -rf"}, "model": "m"},
        {"choice": {"diagnosis": "weather", "action": "restart"}, "model": "m"},
        {"choice": "restart", "model": "m"},
        {"choice": {"diagnosis": "unknown", "action": "restart"}},
    ],
)
def test_an_answer_of_other_words_is_none(answer: object) -> None:
    with pytest.raises(UnavailableError):
        parse_answer(answer)


def test_a_model_that_is_not_there_is_logged_and_nothing_else(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_model, "MODULE", "no.such.module")
    situation = Situation(log=(LogFact("ERROR", "c", "m"),))
    assert ask_model.ask_quietly(situation, 5) is None


def test_what_the_model_is_told_is_short_and_has_no_line_of_its_own() -> None:
    long = [LogFact("ERROR", f"c{'x' * number}", "x\n" * 5000) for number in range(100)]
    text = situation_text(Situation(log=tuple(long)))
    assert len(text) < 2400
    assert len(text.splitlines()) == 13
    like = [LogFact("ERROR", "c", f"video {number} failed") for number in range(40)]
    lines = situation_text(Situation(log=(LogFact("ERROR", "c", "before"), *like))).splitlines()
    assert lines[1:] == ["ERROR c: before", "40 times ERROR c: video 39 failed"]
    document = request_document(Situation())
    assert [field["name"] for field in document["fields"]] == ["diagnosis", "action"]


# --- memory in .env ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "SCANNER_MEMORY=1536m\n"),
        ("A=1", "A=1\nSCANNER_MEMORY=1536m\n"),
        ("SCANNER_MEMORY=1g\n", "SCANNER_MEMORY=1536m\n"),
        (
            "#SCANNER_MEMORY=9g\nSCANNER_MEMORY='512m'\nB=2",
            "#SCANNER_MEMORY=9g\nSCANNER_MEMORY=768m\nB=2",
        ),
        ("SCANNER_MEMORY=1g\nSCANNER_MEMORY=3G\n", "SCANNER_MEMORY=1g\nSCANNER_MEMORY=4096m\n"),
        ("export SCANNER_MEMORY=2048M", "SCANNER_MEMORY=3072m"),
        ("X_SCANNER_MEMORY=7g\n", "X_SCANNER_MEMORY=7g\nSCANNER_MEMORY=1536m\n"),
    ],
)
def test_memory_is_raised_by_half_and_the_rest_stays(text: str, expected: str) -> None:
    assert raise_memory(text, "SCANNER_MEMORY", 4096)[0] == expected


@pytest.mark.parametrize("value", ["4g", "5g", "4096m", "much", "-1g"])
def test_at_the_limit_or_without_a_size_it_is_refused(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        raise_memory(f"SCANNER_MEMORY={value}\n", "SCANNER_MEMORY", 4096)
    assert caught.value.advice


# --- the evaluation ---------------------------------------------------------------------------------------------------


def test_the_evaluation_passes_on_what_is_recorded(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(["--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["rules_right"] == 1.0
    assert figures["faults"] == len(CASES) >= 20
    assert figures["faults"] - figures["rules_spoke"] >= 8, (
        "the model's share is a share of something"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"right": {"action": "restart", "target": "SCANNER_MEMORY"}},
        {"right": {"action": "raise_memory", "target": "other"}},
        {"known_to_rules": False},
    ],
)
def test_the_evaluation_can_fail(
    box: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    cases = json.loads(RECORDED.read_text("utf-8"))
    cases.sort(key=lambda case: case["right"]["action"] != "raise_memory")
    assert cases[0]["known_to_rules"]
    cases[0] |= change
    path = box / "recorded.json"
    path.write_text(json.dumps(cases))
    assert evaluate(["--recorded", str(path)]) == 70
    assert f"BAD {cases[0]['name']}" in capsys.readouterr().out
    path.write_text("[{}]")
    assert evaluate(["--recorded", str(path)]) == 65


def test_a_model_that_is_worse_than_asked_for_fails_the_evaluation(
    box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vv_core.monitor.evaluate.ask_quietly", lambda *_: ADVISED)
    assert evaluate(["--model", "--min-model", "0.05"]) == 0
    assert evaluate(["--model", "--min-model", "0.9", "--json"]) == 70
    said = capsys.readouterr().out
    figures = json.loads(said[said.index("\n{") :])
    unknown = [case for case in CASES if not case.is_known]
    right = sum(case.action is Action.RESTART for case in unknown)
    told = sum(case.action is Action.ESCALATE for case in unknown)
    assert figures["model_right_where_rules_know_nothing"] == round(right / len(unknown), 4)
    assert figures["model_against_escalate"] == pytest.approx(right / told, abs=0.001)


def test_the_project_is_the_one_of_the_look(box: Path) -> None:
    assert monitor_of(box).project == PROJECT
    assert isinstance(load_settings(), Settings)
