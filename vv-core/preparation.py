"""Make what a box needs before its first cycle: folders, signing keys, the log, what TVs fall back on.

Run by ``bootstrap.py`` as ``python -m vv_core.preparation`` once the dependencies are there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec

from vv_core.audit.keys import create_key_store
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode, from_oserror
from vv_core.fallback_media.placing import place_fallback
from vv_core.logs import setup_logging
from vv_core.manifest.check import installation_root
from vv_core.models.registry import shipped_path
from vv_core.models.registry_file import load_registry
from vv_core.models.shipped import check_shipped
from vv_core.ownership import become, find_user, hand_over
from vv_core.pipeline.compose_environment import prepare_folders
from vv_core.readiness import find_missing, find_todo
from vv_core.settings import Settings, load_settings
from vv_core.tlog.log_files import VKEY
from vv_core.tlog.log_writer import open_log
from vv_core.tlog.signing_key import create_signing_key
from vv_core.tlog.tiles import CHECKPOINT

PROG = "bootstrap"


def prepare(settings: Settings) -> list[str]:
    """Create missing folders, keys, what TVs fall back on and, where heads can be signed, the log.

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
    created += [f"{folder.name}/" for folder in prepare_folders(settings)]
    done = [f"pastas / folders: {' '.join(created)} ({storage.root})"] if created else []
    if settings.hmac_key is None and not os.path.exists(settings.key_store_path):  # noqa: PTH110
        key_id = create_key_store(settings.key_store_path)
        done.append(f"chave de assinatura / signing key: {key_id} ({settings.key_store_path})")
    # A room that never writes LogLines does not install it.
    if find_spec("cryptography") is not None:
        done += _prepare_log(settings)
    placed = place_fallback(storage.fallback, installation_root() / "fallback")
    if placed:
        done.append(f"reserva das TVs / TVs fall back on: {' '.join(placed)} ({storage.fallback})")
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
    """Check the hashes of the models that the product ships.

    Returns:
        One line when the one that writes is not there: texts are then made by rules.

    Raises:
        ConfigError: the list of models is wrong.
        InputDataError: a model was changed.
    """
    registry = load_registry(settings)
    there = [it for it in registry.entries if it.is_shipped and shipped_path(it).is_file()]
    for entry in there:
        check_shipped(entry)
    if not any(entry.kind == "summary" for entry in there):
        return ["sem modelo no produto, texto por regras / no shipped model, rule-based text"]
    return []


def main(argv: Sequence[str] | None = None) -> int:
    """Prepare the box that the settings describe, or look whether it is prepared."""
    parser = CommandParser(PROG, "Make folders, keys, the log and what TVs fall back on.")
    parser.add_argument("--owner", metavar="USER", help="who all of it belongs to; for root")
    parser.add_argument("--check", action="store_true", help="change nothing, say what is missing")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args([] if argv is None else argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    owner = find_user(arguments.owner) if arguments.owner else None
    done: list[str] = []
    missing: list[str] = []
    if arguments.check:
        missing = find_missing(settings, owner.uid if owner else None)
    else:
        if owner is not None:
            done += hand_over(settings, owner)
            become(owner)
        setup_logging(PROG, settings.resolve(settings.log_dir))
        done += [*prepare(settings), *check_models(settings)]
    if arguments.json:
        todo = [asdict(each) for each in find_todo(settings)]
        print(json.dumps({"done": done, "missing": missing, "todo": todo}))
        return ExitCode.OK
    for line in [*done, *missing]:
        print(f"{PROG}: {line}")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
