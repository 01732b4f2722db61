"""The table of exit codes (what the orchestrator does with each), waiting, and when to give up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.pipeline.retry import Action, Attempts, RetryPolicy, Verdict, decide, is_due

POLICY = RetryPolicy(first_wait_s=60, longest_wait_s=3600, alert_after=3, max_crashes=3)
NOW = 1_000_000.0
FRESH = Attempts()
CRASHES = (1, 2, 70, 126, 127, 128 + 6, 128 + 11, 137, 255)


@pytest.mark.parametrize(
    ("exit_code", "action", "alert"),
    [
        (0, Action.ADVANCE, False),
        (64, Action.STOP, True),
        (78, Action.STOP, True),
        (65, Action.QUARANTINE, False),
        (66, Action.SKIP, False),
        (69, Action.RETRY, False),
        (75, Action.RETRY, False),
        (77, Action.STOP, True),
        # Somebody shut the machine or the service down.
        (143, Action.RETRY, False),
        *[(code, Action.RETRY, False) for code in CRASHES],
    ],
)
def test_a_first_end_with_each_code(exit_code: int, action: Action, alert: bool) -> None:
    verdict = decide(exit_code, False, FRESH, NOW, POLICY)
    assert (verdict.action, verdict.alert) == (action, alert)
    is_crash = exit_code in CRASHES
    assert verdict.attempts.crashes == is_crash
    assert (verdict.attempts == FRESH) == (action in {Action.ADVANCE, Action.SKIP, Action.STOP})


@pytest.mark.parametrize("exit_code", [0, 65, 66, 69, 78, 143])
def test_a_time_out_is_a_crash_whatever_the_code(exit_code: int) -> None:
    verdict = decide(exit_code, True, FRESH, NOW, POLICY)
    assert verdict == Verdict(Action.RETRY, Attempts(1, 1, NOW + 60))


@pytest.mark.parametrize("exit_code", CRASHES)
def test_the_third_crash_quarantines_and_alerts(exit_code: int) -> None:
    before = Attempts(failures=2, crashes=2)
    verdict = decide(exit_code, False, before, NOW, POLICY)
    assert (verdict.action, verdict.alert) == (Action.QUARANTINE, True)
    assert verdict.attempts.failures == 3


def test_passing_faults_never_quarantine_but_alert_from_the_third_on() -> None:
    attempts, alerts, waits = FRESH, [], []
    for _ in range(12):
        verdict = decide(75, False, attempts, NOW, POLICY)
        assert verdict.action is Action.RETRY
        attempts = verdict.attempts
        alerts.append(verdict.alert)
        waits.append(attempts.next_at - NOW)
    assert alerts == [False, False, *[True] * 10]
    assert waits == [60, 120, 240, 480, 960, 1920, *[3600] * 6]


attempts_seen = st.builds(
    Attempts,
    failures=st.integers(0, 10_000),
    crashes=st.integers(0, 100),
    next_at=st.floats(0, 1e11),
)
policies = st.builds(
    RetryPolicy,
    first_wait_s=st.floats(0.001, 1e6),
    longest_wait_s=st.floats(0.001, 1e7),
    alert_after=st.integers(1, 100),
    max_crashes=st.integers(1, 100),
)
times = st.floats(0, 1e11)


@given(st.integers(0, 255), st.booleans(), attempts_seen, times, policies)
def test_whatever_happens_a_video_is_not_forgotten_or_blamed_wrongly(
    exit_code: int, timed_out: bool, before: Attempts, now: float, policy: RetryPolicy
) -> None:
    verdict = decide(exit_code, timed_out, before, now, policy)
    after = verdict.attempts
    assert after.failures - before.failures in {0, 1}
    assert 0 <= after.crashes - before.crashes <= after.failures - before.failures
    if exit_code in {66, 69, 75, 77, 78, 64, 143} and not timed_out:
        assert verdict.action is not Action.QUARANTINE
        assert after.crashes == before.crashes
    if verdict.action is Action.RETRY:
        assert now <= after.next_at <= now + policy.longest_wait_s
        assert is_due(after, after.next_at, policy)


@given(attempts_seen, times, policies)
def test_no_clock_makes_a_video_wait_longer_than_the_policy(
    attempts: Attempts, now: float, policy: RetryPolicy
) -> None:
    if not is_due(attempts, now, policy):
        assert 0 < attempts.next_at - now <= policy.longest_wait_s


def test_a_clock_set_back_does_not_make_a_video_wait() -> None:
    attempts = decide(75, False, FRESH, NOW, POLICY).attempts
    assert not is_due(attempts, NOW + 59, POLICY)
    assert is_due(attempts, NOW + 60, POLICY)
    assert is_due(attempts, NOW - 86400, POLICY)
