"""Make what a box needs before its first cycle: data folders and a signing key.

Run by ``bootstrap.py`` as ``python -m vv_core.preparation`` once the dependencies are there.
"""

from __future__ import annotations

import os
import sys

from vv_core.audit.keys import create_key_store
from vv_core.cli import run_command
from vv_core.errors import ExitCode, from_oserror
from vv_core.logs import setup_logging
from vv_core.settings import Settings, load_settings

PROG = "bootstrap"


def prepare(settings: Settings) -> list[str]:
    """Create missing folders and, unless a key is set, a key store.

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
    return done


def main() -> int:
    """Prepare the box that the settings describe."""
    return run_command(_run, PROG)


def _run() -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir))
    for line in prepare(settings):
        print(f"{PROG}: {line}")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
