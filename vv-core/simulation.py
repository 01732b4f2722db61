"""``make simulate``: one clip through the real pipeline, in a folder of its own."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from vv_core.atomic import atomic_path
from vv_core.cli import CommandParser, run_command
from vv_core.errors import (
    ExitCode,
    InputDataError,
    InputMissingError,
    VvError,
    from_exit_code,
    from_oserror,
)
from vv_core.jsonio import read_json
from vv_core.logs import printable, setup_logging
from vv_core.pipeline.quarantine import quarantined
from vv_core.preparation import prepare
from vv_core.process import run_child
from vv_core.settings import Settings, load_settings
from vv_core.utils import compute_sha256

PROG = "simulate"
_CYCLE_TIMEOUT_S = 3600.0
_DEMO_TIMEOUT_S = 300.0
_VERIFIER = Path(__file__).resolve().parent.parent / "scripts" / "logline_verifier.py"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(
        PROG, "Take one clip through the whole pipeline and show what comes out."
    )
    parser.add_argument("video", nargs="?", type=Path, help="your own clip; otherwise a demo clip")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = _scene(arguments.verbose)
    prepare(settings)
    video = arguments.video.absolute() if arguments.video else _demo_clip(settings)
    sha256 = compute_sha256(video)
    if find_logline(settings, sha256) is None:
        _say(settings, f"processando {video.name} …", f"processing {video.name} …")
        _put_into_input(video, settings)
        _run_python(["vv_core.pipeline.orchestrate", "--once"], _CYCLE_TIMEOUT_S, settings)
    found = find_logline(settings, sha256)
    if found is None:
        raise _why_not(settings, sha256)
    for line in describe(settings, found):
        print(line)
    return _show_verdict(settings, found)


def _scene(verbosity: int) -> Settings:
    """Return settings for a world of its own: trying the product never touches the box's data or keys."""
    own = load_settings()
    home = own.home.absolute()
    scene = home / "simulation"
    os.environ.update(
        VV_HOME=str(home),
        VIDEO_STORAGE_ROOT=str(scene / "data"),
        VV_LOG_DIR=str(scene / "logs"),
        ORCHESTRATOR_STABLE_SECONDS="0",
        ORCHESTRATOR_RUNNER="process",
        VV_LOG_KEY_FILE=str(scene / "secrets" / "log_signing_key.pem"),
        VV_LOG_ORIGIN="",
    )
    if not own.resolve(own.faces_dir).is_dir():
        # People who are enrolled may be recognised; nobody makes that folder for a trial.
        os.environ["VV_FACES_DIR"] = str(scene / "faces")
    if own.hmac_key is None:
        os.environ["VV_HMAC_KEYS_FILE"] = str(scene / "secrets" / "hmac_keys.json")
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), verbosity)
    return settings


def _demo_clip(settings: Settings) -> Path:
    """Return the demo clip; it is made once."""
    path = settings.resolve(Path(".cache/demo/2026-11-20_18-30-00_demo.mp4"))
    if not path.exists():
        _say(settings, "fazendo um clipe de demonstração …", "making a demo clip …")
        path.parent.mkdir(parents=True, exist_ok=True)
        _run_python(["scan_video.demo_clip", str(path)], _DEMO_TIMEOUT_S, settings)
    return path


def _say(settings: Settings, portuguese: str, english: str) -> None:
    print(f"{PROG}: {printable(english if settings.language == 'en' else portuguese)}", flush=True)


def _run_python(arguments: list[str], timeout_s: float, settings: Settings) -> None:
    """Run a module of ours; raises the error that its exit code stands for."""
    result = run_child(
        [sys.executable, "-m", *arguments], timeout_s=timeout_s, cwd=settings.home.absolute()
    )
    if result.exit_code != ExitCode.OK:
        raise from_exit_code(
            result.exit_code,
            "\n".join(result.stderr_tail) or f"{arguments[0]} ended with {result.exit_code}",
            advice="Read the lines above and simulation/logs/app.log.",
        )


def _put_into_input(video: Path, settings: Settings) -> None:
    target = settings.storage.input / video.name
    try:
        with atomic_path(target) as temporary:
            shutil.copyfile(video, temporary)
            status = video.stat()
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
    except OSError as exc:
        raise from_oserror(exc, "copy the clip") from exc


def find_logline(settings: Settings, sha256: str) -> Path | None:
    """Return the LogLine of a video, by its hash."""
    for path in sorted(settings.storage.loglines.glob("*.logline.json")):
        document = read_json(path)
        evidence = document.get("evidence") if isinstance(document, dict) else None
        if isinstance(evidence, dict) and evidence.get("video_sha256") == sha256:
            return path
    return None


def _why_not(settings: Settings, sha256: str) -> VvError:
    """Return the error that says why there is no LogLine."""
    for video, _, meta in quarantined(settings.storage):
        if meta["sha256"] == sha256:
            return InputDataError(
                f"{printable(video.name)} was quarantined by {meta['stage']}: {meta['reason']}",
                advice=str(meta["advice"]),
            )
    return InputMissingError(
        "the clip did not become a LogLine",
        advice="Read simulation/logs/app.log; its name must match ORCHESTRATOR_PATTERNS.",
    )


def describe(settings: Settings, logline_path: Path) -> list[str]:
    """Return what a person wants to see of a LogLine and its summary."""
    stem = logline_path.name.removesuffix(".logline.json")
    storage = settings.storage
    summary = read_json(storage.summaries / f"{stem}.summary.json")
    is_english = settings.language == "en"
    engine = summary["engine"]
    writer = engine["model"] or ("rules" if is_english else "regras")
    detector = summary["detector"]
    default = "embedded default" if is_english else "detector embutido, sem YOLO"
    seen_by = (
        f"{detector['name']} ({default if detector['embedded_default'] else detector['backend']})"
    )
    heads = (
        ("Summary", "seen by", "written by")
        if is_english
        else ("Resumo", "visto por", "escrito por")
    )
    lines = [
        f"── {heads[0]} ({heads[1]} {seen_by}; {heads[2]} {writer}) ──",
        summary["title"],
        summary["text"],
        "",
        "── LogLine ──",
        *json.dumps(read_json(logline_path), ensure_ascii=False, indent=2).split("\n"),
        "",
        f"── {'Files' if is_english else 'Arquivos'} ──",
        str(logline_path.with_name(f"{stem}.logline.md")),
        *(str(storage.analytic / picture["file"]) for picture in summary["pictures"]),
    ]
    return [printable(line) for line in lines]


def _show_verdict(settings: Settings, logline_path: Path) -> int:
    print(f"\n── {'Verifier' if settings.language == 'en' else 'Verificador'} ──", flush=True)
    key = [] if settings.hmac_key else ["--key-file", str(settings.key_store_path)]
    result = run_child(
        [sys.executable, str(_VERIFIER), str(logline_path), *key],
        timeout_s=_DEMO_TIMEOUT_S,
        keep_stdout=True,
    )
    print("\n".join([*result.stdout_lines, *result.stderr_tail]))
    return result.exit_code
