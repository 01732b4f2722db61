"""Make what a box needs before its first cycle: data folders, signing keys and the log.

Run by ``bootstrap.py`` as ``python -m vv_core.preparation`` once the dependencies are there.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from vv_core.audit.keys import create_key_store
from vv_core.cli import run_command
from vv_core.errors import ExitCode, from_oserror
from vv_core.logs import setup_logging
from vv_core.models.registry import shipped_path
from vv_core.models.registry_file import load_registry
from vv_core.models.shipped import check_shipped
from vv_core.settings import Settings, load_settings
from vv_core.tlog.log_files import VKEY
from vv_core.tlog.log_writer import open_log
from vv_core.tlog.signing_key import create_signing_key
from vv_core.tlog.tiles import CHECKPOINT

PROG = "bootstrap"


def prepare(settings: Settings) -> list[str]:
    """Create missing folders, keys and, where heads can be signed, the log.

    Returns:
        One line for each thing that was created.

    Raises:
        VvError: something cannot be created.
    """
    storage = settings.storage
    try:
        created = [f"{folder.relative_to(storage.root)}/" for folder in storage.ensure()]
    except OSError as exc:
        raise from_oserror(exc, "create a data folder") from exc
    done = [f"pastas / folders: {' '.join(created)} ({storage.root})"] if created else []
    if settings.hmac_key is None and not os.path.exists(settings.key_store_path):  # noqa: PTH110
        key_id = create_key_store(settings.key_store_path)
        done.append(f"chave de assinatura / signing key: {key_id} ({settings.key_store_path})")
    # A room that never writes LogLines does not install it.
    if find_spec("cryptography") is not None:
        done += _prepare_log(settings)
    return done


def _prepare_log(settings: Settings) -> list[str]:
    """Create the key of the log and an empty log, where there is none."""
    log, key_path = settings.storage.log, settings.resolve(settings.log_key_file)
    done = []
    if not os.path.lexists(key_path):
        create_signing_key(key_path)
        done.append(f"chave do registro / log key: {key_path}")
    if not os.path.lexists(log / CHECKPOINT):
        with open_log(settings):
            vkey = (log / VKEY).read_text("utf-8").strip()
        done.append(f"registro / log: {vkey}")
    return done


def check_models(settings: Settings) -> list[str]:
    """Check the hash of the model that the product ships.

    Returns:
        One line when it is not there: texts are then made by rules.

    Raises:
        ConfigError: the list of models is wrong.
        InputDataError: the model was changed.
    """
    entry = load_registry(settings).shipped("summary")
    if entry is None or not shipped_path(entry).is_file():
        return ["sem modelo no produto, texto por regras / no shipped model, rule-based text"]
    check_shipped(entry)
    return []


def main() -> int:
    """Prepare the box that the settings describe."""
    return run_command(_run, PROG)


def _run() -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir))
    for line in [*prepare(settings), *check_models(settings)]:
        print(f"{PROG}: {line}")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
