"""The kinds of fault on which the monitor's rules are silent, and what is right for each.

Three of a kind within the hour are a pattern that an action may answer; one or two may be chance, and call a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from summarize_scene.training.faults import phrases
from summarize_scene.training.faults.draws import (
    STAGES,
    Draws,
    stage_end,
    stage_failed,
    text_not_kept,
)
from vv_core.monitor.proposal import Action, Diagnosis
from vv_core.monitor.situation import ContainerFact, LogFact, QuarantineFact

_SERVICES = ("tv_api", "playlist_manager", "video_capture", "tv_mirror", "gateway")


@dataclass(frozen=True)
class Fault:
    """What a kind of fault leaves, and what is right; `queued` is None where it does not matter."""

    diagnosis: Diagnosis
    action: Action
    log: tuple[LogFact, ...] = ()
    containers: tuple[ContainerFact, ...] = ()
    quarantine: tuple[QuarantineFact, ...] = ()
    queued: int | None = None
    retrying: int = 0
    kinds_with_way_back: tuple[str, ...] = ()


def _torn(draws: Draws) -> Fault:
    """Videos that were never whole: the camera, its recorder or the network."""
    log: list[LogFact] = []
    held: list[QuarantineFact] = []
    for _ in range(draws.one(1, 1, 2, 3, 4, 6)):
        video = draws.video()
        said = draws.wording(phrases.TORN).format(file=video.rsplit("/", maxsplit=1)[-1])
        told = f"{said} → Look at the camera and its recorder"
        log.append(LogFact("ERROR", "scan_video", said))
        log.append(stage_end(video, "scan_video", 65, "quarantine", told))
        held.append(QuarantineFact(video, "scan_video", 65, said))
    return Fault(
        Diagnosis.CAMERA_OR_NETWORK, Action.ESCALATE, log=tuple(log), quarantine=tuple(held)
    )


def _killed_once_or_twice(draws: Draws) -> Fault:
    stage, times, video = draws.one(*STAGES), draws.one(1, 1, 1, 2), draws.video()
    log = tuple(
        stage_end(video, stage, 137, "retry", draws.wording(phrases.KILLED).format(stage=stage))
        for _ in range(times)
    )
    queued = draws.number(1, 5)
    return Fault(Diagnosis.UNKNOWN, Action.ESCALATE, log=log, queued=queued, retrying=times)


def _killed_again_and_again(draws: Draws) -> Fault:
    """A stage is killed each time, and nobody says whether at its limit: more memory is worth a try."""
    stage, times = draws.one(*STAGES[:2]), draws.number(3, 8)
    log = []
    for _ in range(times):
        video, said = draws.video(), draws.wording(phrases.KILLED).format(stage=stage)
        log.append(stage_end(video, stage, 137, "retry", said))
    return Fault(
        Diagnosis.OUT_OF_MEMORY,
        Action.RAISE_MEMORY,
        log=tuple(log),
        queued=times + draws.number(0, 3),
        retrying=times,
    )


def _crashes(draws: Draws) -> Fault:
    """The scanner crashes at each video: its weights, where others were activated."""
    times, code = draws.number(3, 7), draws.one(139, 134, 132, 136, 1)
    log = []
    for _ in range(times):
        video, said = draws.video(), draws.wording(phrases.CRASHED).format(code=code)
        log.append(
            stage_end(video, "scan_video", 69 if "every video" in said else code, "retry", said)
        )
    has_others = draws.one(True, True, False)
    if has_others:
        ways = draws.one(("detector",), ("detector", "summary"))
        right = Diagnosis.MODEL_FAULT, Action.ROLL_BACK_MODEL
    else:
        ways = draws.one((), ("summary",))
        right = Diagnosis.UNKNOWN, Action.ESCALATE
    return Fault(*right, log=tuple(log), queued=times, retrying=times, kinds_with_way_back=ways)


def _texts_not_kept(draws: Draws) -> Fault:
    """The summary model's texts are refused, too late or never begun; many of them, and there is a way back."""
    are_many = draws.one(True, True, False)
    times = draws.number(3, 12) if are_many else draws.number(1, 2)
    how = draws.one("refused", "refused", "slow", "not loaded")
    limit_s = draws.one(20, 30, 60, 0.5, 10)
    log = []
    for _ in range(times):
        reasons = {
            "refused": draws.refusal(),
            "slow": draws.wording(phrases.TOO_SLOW).format(s=limit_s - draws.share() / 100),
            "not loaded": draws.wording(phrases.NOT_LOADED),
        }
        log.append(text_not_kept(reasons[how]))
    has_way_back = draws.one(True, False)
    ways = (
        draws.one(("summary",), ("detector", "summary"))
        if has_way_back
        else draws.one((), ("detector",))
    )
    action = Action.ROLL_BACK_MODEL if has_way_back and are_many else Action.ESCALATE
    return Fault(Diagnosis.MODEL_FAULT, action, log=tuple(log), kinds_with_way_back=ways)


def _model_lost_once_or_twice(draws: Draws) -> Fault:
    lost = [draws.wording(phrases.PROCESS_LOST) for _ in range(draws.one(1, 1, 2))]
    log = [LogFact("ERROR", "summarize_scene", said, event="model_process_lost") for said in lost]
    log.append(text_not_kept(draws.one("the model was not loaded: ", "") + lost[-1]))
    ways: tuple[str, ...] = draws.one((), ("summary",))
    return Fault(Diagnosis.UNKNOWN, Action.ESCALATE, log=tuple(log), kinds_with_way_back=ways)


def _set_aside(draws: Draws) -> Fault:
    """Good videos were set aside by a fault of a stage."""
    times, stage = draws.number(2, 9), draws.one(*STAGES)
    code, is_in_log = draws.one(134, 137, 139, 70, 70, 1), draws.one(True, False)
    log: list[LogFact] = []
    held = []
    for _ in range(times):
        video = draws.video()
        said = draws.wording(phrases.SET_ASIDE).format(stage=stage, code=code)
        held.append(QuarantineFact(video, stage, code, said))
        if is_in_log:
            told = f"{said} → {phrases.LOOK_AT_LOG}"
            log.append(stage_end(video, stage, code, "quarantine", told))
            log.append(stage_failed(video, stage, said))
    return Fault(
        Diagnosis.VIDEOS_HELD_BACK,
        Action.REQUEUE,
        log=tuple(log),
        quarantine=tuple(held),
        queued=draws.one(0, 0, 1),
    )


def _hangs(draws: Draws) -> Fault:
    stage, times = draws.one(*STAGES), draws.one(1, 1, 2)
    log = []
    for _ in range(times):
        video, code = draws.video(), draws.one(143, 137, 137)
        said = draws.wording(phrases.HANGS).format(stage=stage)
        log.append(stage_end(video, stage, code, "retry", said))
    return Fault(Diagnosis.UNKNOWN, Action.ESCALATE, log=tuple(log), queued=times, retrying=times)


def _engine(draws: Draws) -> Fault:
    """Containers cannot be started."""
    stage, times = draws.one(*STAGES), draws.one(1, 2, 4)
    name = draws.one("scene-scanner", "scene-summarizer", "logline-writer")
    image = f"{name}:{draws.one('local', '1.2.3', 'edge')}"
    said = draws.wording(phrases.ENGINE).format(image=image)
    log, video = [], ""
    for _ in range(times):
        video, then = draws.video(), draws.one("stop", "retry")
        log.append(stage_end(video, stage, 69, then, said))
    log.append(stage_failed(video, stage, said))
    queued = times + draws.number(0, 30)
    return Fault(Diagnosis.UNKNOWN, Action.ESCALATE, log=tuple(log), queued=queued)


def _folder(draws: Draws) -> Fault:
    """A folder of the box cannot be written."""
    stage, folder = draws.one(*STAGES), draws.one("analytic", "summaries", "loglines", "processed")
    times, home = draws.one(1, 2, 3, 6), draws.one(*phrases.HOMES)
    log, why = [], ""
    for _ in range(times):
        video, why = draws.video(), draws.wording(phrases.UNWRITABLE)
        file = video.rsplit("/", maxsplit=1)[-1]
        said = f"cannot {draws.one('write', 'create', 'replace')} '{home}/data/{folder}/{file}.json': {why}"
        advice = draws.one(
            "Free disk space.", "Give the user of the service access.", "Mount it for writing."
        )
        log.append(LogFact("ERROR", stage, said))
        log.append(stage_end(video, stage, 75, "retry", f"{said} → {advice}"))
    is_full = "space" in why or "quota" in why
    diagnosis = Diagnosis.DISK_FULL if is_full else Diagnosis.UNKNOWN
    return Fault(diagnosis, Action.ESCALATE, log=tuple(log), queued=times, retrying=times)


def _database(draws: Draws) -> Fault:
    said = draws.wording(phrases.DATABASE)
    return Fault(Diagnosis.UNKNOWN, Action.ESCALATE, log=(LogFact("ERROR", "orchestrator", said),))


def _cache_once_or_twice(draws: Draws) -> Fault:
    log = tuple(
        LogFact(
            "WARNING", "scan_video", draws.wording(phrases.CACHE_DAMAGED), event="cache_damaged"
        )
        for _ in range(draws.one(1, 2))
    )
    return Fault(Diagnosis.CACHE_DAMAGED, Action.ESCALATE, log=log)


def _cache_again_and_again(draws: Draws) -> Fault:
    log = tuple(
        LogFact("WARNING", "scan_video", draws.wording(phrases.CACHE_UNREADABLE))
        for _ in range(draws.number(3, 9))
    )
    return Fault(Diagnosis.CACHE_DAMAGED, Action.CLEAR_CACHE, log=log)


def _network(draws: Draws) -> Fault:
    """The DVR does not answer, or cameras deliver nothing."""
    silent = draws.one(0, 1, 2)
    host = f"192.168.{draws.number(0, 9)}.{draws.number(2, 250)}:{draws.one(554, 80, 37777)}"
    if silent:
        log = tuple(_camera_silent(draws, camera) for camera in draws.some(phrases.CAMERAS, silent))
    else:
        said = (
            f"the DVR {host} does not answer: {draws.wording(phrases.DVR_SILENT)} → Check its power, its cable"
            " and DVR_IP and VV_DVR_PORT; recordings are missing meanwhile"
        )
        log = (LogFact("ERROR", "vv-capture", said, alert="dvr_lost"),)
    return Fault(Diagnosis.CAMERA_OR_NETWORK, Action.ESCALATE, log=log)


def _camera_silent(draws: Draws, camera: str) -> LogFact:
    minutes = draws.one(30, 60, 90, 120)
    said = draws.wording(phrases.CAMERA_SILENT).format(camera=camera or "sala", minutes=minutes)
    return LogFact("WARNING", "vv-capture", said, alert="camera_silent")


def _service(draws: Draws) -> Fault:
    """A service has ended or does nothing, and restarts have not been given up."""
    name = draws.one(*_SERVICES, "vv_ingest", "docker_proxy")
    has_ended = draws.one(True, False)
    code = draws.one(1, 2, 3, 70, 137, 139) if has_ended else 0
    condition = "failed" if has_ended else "unhealthy"
    note, attempts = draws.wording(phrases.SERVICE_NOTE), draws.one(0, 0, 1, 2)
    fact = ContainerFact(name, _container(name), condition, code, attempts=attempts, note=note)
    diagnosis = Diagnosis.SERVICE_BROKEN if has_ended else Diagnosis.SERVICE_STUCK
    return Fault(diagnosis, Action.RESTART, containers=(fact,))


def _restarts_by_itself(draws: Draws) -> Fault:
    """Docker restarts it again and again: one restart more heals nothing."""
    name, code = draws.one(*_SERVICES), draws.one(1, 3, 4, 78, 77)
    note = draws.wording(phrases.LOOPING_NOTE)
    fact = ContainerFact(name, _container(name), "restarting again and again", code, note=note)
    return Fault(Diagnosis.SERVICE_BROKEN, Action.ESCALATE, containers=(fact,))


def _container(service: str) -> str:
    return f"vv-video-ai-{service}-1"


def _stale(draws: Draws) -> Fault:
    """A service answers, but what it shows is old."""
    name = draws.one("tv_api", "playlist_manager", "tv_mirror", "gateway")
    times, age = draws.number(3, 9), draws.number(600, 9000)
    said = draws.wording(phrases.STALE)
    log = tuple(LogFact("ERROR", name, said.format(s=age + 30 * number)) for number in range(times))
    return Fault(Diagnosis.SERVICE_STUCK, Action.RESTART, log=log)


WEIGHTS: dict[Callable[[Draws], Fault], int] = {
    _torn: 3,
    _killed_once_or_twice: 2,
    _killed_again_and_again: 4,
    _crashes: 4,
    _texts_not_kept: 6,
    _model_lost_once_or_twice: 2,
    _set_aside: 5,
    _hangs: 2,
    _engine: 4,
    _folder: 3,
    _database: 2,
    _cache_once_or_twice: 2,
    _cache_again_and_again: 2,
    _network: 3,
    _service: 5,
    _restarts_by_itself: 1,
    _stale: 3,
}
"""How often each kind comes."""
