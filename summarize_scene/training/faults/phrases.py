"""What a box says about its faults: wordings to learn from, and others that are only asked.

Most of them are the product's own messages. A wording stands in one of the two lists only, so that a score on the other
tells whether a model knows more than the words that it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass

CAMERAS = (
    "entrada", "garagem", "portao", "cam1", "cam2", "patio", "loja", "corredor", "front", "yard", ""
)  # fmt: skip
LABELS = ("bottle", "person", "car", "dog", "cat", "bicycle", "truck", "chair", "bag", "bird")
HOMES = ("/opt/vv-video-ai-system", "/srv/vv", "/home/vv/box", "/opt/vv", "/var/lib/vv")
LOOK_AT_LOG = "Look at the last lines of its log"


@dataclass(frozen=True)
class Phrasing:
    """The wordings of one thing; placeholders as for `str.format`."""

    training: tuple[str, ...]
    held_out: tuple[str, ...]


TORN = Phrasing(
    (
        "'{file}' has no index (moov is missing): the recording was never closed",
        "'{file}' holds no pictures",
        "'{file}' is no video that ffmpeg knows",
        "'{file}' ends in the middle of a frame",
    ),
    ("'{file}' is larger than VV_MAX_PIXELS allows", "'{file}' is empty"),
)
KILLED = Phrasing(
    (
        f"{{stage}} was killed (exit code 137, often for want of memory) → {LOOK_AT_LOG}",
        "{stage} was killed (exit code 137, often for want of memory)",
    ),
    ("{stage} was killed (exit code 137)", "{stage} was ended by SIGKILL"),
)
CRASHED = Phrasing(
    (
        f"scan_video failed for every video: scan_video ended with exit code {{code}} → {LOOK_AT_LOG}",
        f"scan_video ended with exit code {{code}} → {LOOK_AT_LOG}",
    ),
    ("scan_video crashed (exit code {code})", "scan_video: the process died with code {code}"),
)
SET_ASIDE = Phrasing(
    (
        "{stage} ended with exit code {code}",
        "{stage} failed unexpectedly: OSError('broken pipe')",
        "{stage} was killed (exit code {code})",
        "{stage} took too long and was ended",
    ),
    ("{stage} failed unexpectedly: RuntimeError('worker lost')", "{stage} crashed"),
)
HANGS = Phrasing(
    (
        "{stage} took too long and was ended (exit code 137) → Look at the video",
        "{stage} took too long and was ended",
    ),
    ("{stage} was asked to end",),
)
ENGINE = Phrasing(
    (
        "the Docker engine does not answer (unix:///var/run/docker.sock): No such file or directory"
        " → Run: sudo systemctl start docker",
        "the Docker engine does not answer (unix:///var/run/docker.sock): Connection refused"
        " → Run: sudo systemctl start docker",
        "the image vv-video-ai/{image} is not on this machine"
        " → Run: docker compose --profile stages build",
        "the folder /opt/vv/data/config that scene_scanner needs is missing",
        "Docker cannot start it: Range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"
        " → Correct what Docker names",
    ),
    ("Docker cannot start it: no space left on device", "Docker cannot start it: pids limit"),
)
UNWRITABLE = Phrasing(
    (
        "Permission denied",
        "Read-only file system",
        "No space left on device",
        "Input/output error",
    ),
    ("Disk quota exceeded", "Stale file handle"),
)
DATABASE = Phrasing(
    (
        "a damaged database is put aside and starts anew: file is not a database",
        "a damaged database is put aside and starts anew: database disk image is malformed",
    ),
    ("the run history cannot be written: disk I/O error",),
)
CACHE_DAMAGED = Phrasing(
    (
        "a compiled network is damaged, and is made anew",
        "a compiled network is made anew: cannot import",
    ),
    ("the cache of faces is made anew: no JSON",),
)
CACHE_UNREADABLE = Phrasing(
    (
        "a compiled network cannot be read: Input/output error",
        "a compiled network cannot be read: Permission denied",
    ),
    ("a compiled network cannot be read: Is a directory",),
)
DVR_SILENT = Phrasing(
    ("Connection refused", "timed out", "No route to host"), ("Network is unreachable",)
)
CAMERA_SILENT = Phrasing(
    (
        "no recording of '{camera}' came for {minutes} minutes → Check the camera and how it uploads;"
        " VV_CAMERA_SILENT_MINUTES says how long it may be silent",
    ),
    ("camera '{camera}' has delivered nothing since {minutes} minutes ago",),
)
PROCESS_LOST = Phrasing(
    (
        "the model's process was ended by SIGSEGV (crashed)",
        "the model's process was ended by SIGKILL (killed, often for want of memory)",
        "the model's process did not answer",
    ),
    ("the model's process was ended by SIGABRT",),
)
SERVICE_NOTE = Phrasing(
    (
        "",
        "nothing was done for 600 s",
        "connection refused",
        "no answer within 10 s",
        "last did something 700 s ago; 180 s may pass",
        "timed out",
    ),
    ("the check ended with 1", "Traceback: RuntimeError"),
)
LOOPING_NOTE = Phrasing(("", "a setting is wrong"), ("the key cannot be read",))
STALE = Phrasing(
    (
        "the playlist shown is that of {s} s ago, the one on disk is newer",
        "the list of screens was not read again for {s} s",
        "no request was answered for {s} s",
        "the playlist in memory has not changed for {s} s although the file has",
    ),
    ("the watch of folders stands still for {s} s", "turn not ended after {s} s"),
)

# Why a model's text was not kept: the check refused it, it took too long, or there was no model.
REFUSED = Phrasing(
    (
        "missing label: '{label}'",
        "count: {count} {label}s are said, {more} were seen",
        "unseen label: '{label}'",
        "repeat: '{label}' stands {count} times",
        "repeat: the same thing twice in a row",
        "degenerate: two things without a word between them",
        "degenerate: a sentence says nothing",
        "degenerate: no verb",
        "time: {count} minutes are said",
        "language: words of another language",
        "not finished within 96 tokens",
    ),
    (
        "denied: '{label}' was seen",
        "missing name: one of {count} people",
        "missing warning",
        "the answer is no JSON object",
    ),
)
TOO_SLOW = Phrasing(("not finished within {s:.6g} s",), ("the {s:.6g} s for one text were over",))
NOT_LOADED = Phrasing(
    (
        "the model was not loaded: it did not answer",
        "did not fit into memory",
        "the model's process failed 3 times in this batch",
        "the model was not loaded: the model's process was ended by SIGKILL"
        " (killed, often for want of memory)",
    ),
    ("the model was not loaded: its file is cut off", "its type of tensors is not known"),
)

ALL = (
    TORN, KILLED, CRASHED, SET_ASIDE, HANGS, ENGINE, UNWRITABLE, DATABASE, CACHE_DAMAGED, CACHE_UNREADABLE,
    DVR_SILENT, CAMERA_SILENT, PROCESS_LOST, SERVICE_NOTE, LOOPING_NOTE, STALE, REFUSED, TOO_SLOW, NOT_LOADED,
)  # fmt: skip

# What a box says although nothing is wrong with what is asked: it stands among the rest, learned from and asked alike.
_EMBEDDED = (
    "no YOLO weights are in use (VV_YOLO_MODEL): "
    "the embedded default finds only people who stand upright, and motion"
)
BESIDE = (
    ("scan_video", _EMBEDDED),
    ("scan_video", _EMBEDDED),
    ("orchestrator", "{video} vanished or changed after it was hashed"),
    ("orchestrator", "{video}: scan_video ended with 66, skip (the video is gone)"),
    ("tv_api", "changes of folders are not told (inotify limit): they are looked for"),
    ("scan_video", "dlib is not installed: faces are not looked for"),
    ("summarize_scene", "the model's text was not kept: {refused}"),
    ("playlist_manager", "a clip cannot be read: the file is still written"),
    ("orchestrator", "a torn last line of processed_videos.log was cut"),
    ("scan_video", "the enrolled picture ana.jpg cannot be read: no such file"),
)
