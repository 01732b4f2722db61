"""What a box lacks to work, and what a person has still to do: looked at, nothing changed."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from vv_core.errors import VvError
from vv_core.fallback_media.placing import find_fallback_problems
from vv_core.models.active import active_detector
from vv_core.paths import FOLDERS
from vv_core.pipeline.compose_environment import box_folders
from vv_core.settings import Settings
from vv_core.tlog.tiles import CHECKPOINT

_OTHERS = 0o077


@dataclass(frozen=True)
class Todo:
    """Something that only a person can do.

    Attributes:
        code: stable, for programs.
        pt, en: what, in both languages.
    """

    code: str
    pt: str
    en: str


def find_missing(settings: Settings, owner: int | None = None) -> list[str]:
    """Return what has to be there before the first cycle and is not.

    Args:
        settings: of the box.
        owner: user id that everything is to belong to.
    """
    storage = settings.storage
    folders = [storage.root / name for name in FOLDERS] + [
        path for path, _ in box_folders(settings)
    ]
    missing = [f"{folder}/" for folder in folders if not folder.is_dir()]
    missing += _find_keys(settings)
    if find_spec("cryptography") is not None and not (storage.log / CHECKPOINT).exists():
        missing.append(f"registro / log: {storage.log}")
    try:
        missing += [
            f"{storage.fallback}/{problem}" for problem in find_fallback_problems(storage.fallback)
        ]
    except VvError as exc:
        missing.append(exc.message)
    if owner is not None:
        missing += [
            f"{path}: chown" for path in (*folders, storage.root) if _is_anothers(path, owner)
        ]
    return missing


def _find_keys(settings: Settings) -> list[str]:
    keys = [settings.resolve(settings.log_key_file)] if find_spec("cryptography") else []
    if settings.hmac_key is None:
        keys.insert(0, settings.key_store_path)
    missing = []
    for key in keys:
        try:
            mode = key.stat().st_mode
        except FileNotFoundError:
            missing.append(f"chave / key: {key}")
        except OSError as exc:
            missing.append(f"chave / key: {key}: {exc.strerror}")
        else:
            if stat.S_IMODE(mode) & _OTHERS:
                missing.append(f"chave / key: {key}: chmod 600")
    return missing


def _is_anothers(path: Path, owner: int) -> bool:
    return os.path.lexists(path) and path.lstat().st_uid != owner


def find_todo(settings: Settings) -> list[Todo]:
    """Return what a person has still to do for the box to be all that it can be."""
    checks = (
        (
            bool(settings.dvr_ip),
            Todo(
                "dvr",
                "DVR_IP não está em .env: nada é gravado de um DVR; vídeos em input/ funcionam",
                "DVR_IP is not set in .env: nothing is recorded from a DVR; videos in input/ work",
            ),
        ),
        (
            _has_weights(settings),
            Todo(
                "weights",
                "sem pesos YOLO: o detector embutido vê menos; veja vv-models list e docs/weights.md",
                "no YOLO weights: the embedded detector sees less; see vv-models list and docs/weights.md",
            ),
        ),
        (
            settings.witnesses_file is not None or settings.head_urls is not None,
            Todo(
                "witness",
                "sem testemunha: nada fora do equipamento prova que o fim do registro não foi cortado (VV_WITNESSES)",
                "no witness: nothing outside the box proves that the log's tail was not cut (VV_WITNESSES)",
            ),
        ),
        (
            settings.alert_urls is not None,
            Todo(
                "alerts",
                "alertas só aparecem aqui (make status); para recebê-los: VV_ALERT_URLS",
                "alerts are seen here alone (make status); to receive them: VV_ALERT_URLS",
            ),
        ),
        (
            shutil.which("ffmpeg") is not None,
            Todo(
                "ffmpeg",
                "instale o ffmpeg: apt-get install ffmpeg",
                "install ffmpeg: apt-get install ffmpeg",
            ),
        ),
    )
    return [todo for is_done, todo in checks if not is_done]


def _has_weights(settings: Settings) -> bool:
    try:
        return active_detector(settings) is not None
    except VvError:
        # A switch that is damaged is another matter: vv-models says so.
        return True
