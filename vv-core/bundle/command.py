"""``make bundle``: one signed file from which a box is installed without a network."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import vv_core
from vv_core.bundle.opening import fingerprint
from vv_core.bundle.parts import (
    Parts,
    collect_debs,
    collect_images,
    collect_models,
    collect_repository,
    collect_wheels,
)
from vv_core.bundle.writing import write_bundle, write_installer
from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock, format_utc
from vv_core.errors import ExitCode, from_oserror
from vv_core.logs import setup_logging
from vv_core.manifest.check import installation_root
from vv_core.manifest.sign import load_manifest_key
from vv_core.manifest.tree import source_commit
from vv_core.settings import Settings, load_settings
from vv_core.tlog.note import Signer

PROG = "make_bundle"
ROOMS = "scanner,summarizer,writer,api,playlists,monitor,alerts,selftest"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _parser() -> CommandParser:
    parser = CommandParser(
        PROG,
        "Write one signed file, and the install.sh that installs from it without a network.",
        epilog="It fits boxes with this machine's processor and Python version.",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="folder to write into (default: dist)"
    )
    parser.add_argument("--root", type=Path, metavar="DIR", help="checkout (default: this one)")
    parser.add_argument(
        "--rooms",
        default=ROOMS,
        help="whose wheels, as bootstrap.py --rooms (default: %(default)s)",
    )
    parser.add_argument("--no-images", action="store_true", help="leave out the container images")
    parser.add_argument(
        "--images",
        metavar="NAME,…",
        help="these images (default: all that docker-compose.yml names)",
    )
    parser.add_argument("--no-models", action="store_true", help="leave out the models folder")
    parser.add_argument(
        "--debs", type=Path, metavar="DIR", help="Debian packages that a bare box lacks"
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="signing key (default: VV_MANIFEST_KEY_FILE)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    root = (arguments.root or installation_root()).resolve()
    output = arguments.output or root / "dist"
    commit, is_modified = source_commit(root)
    facts = {
        "version": vv_core.__version__,
        "created": format_utc(SystemClock().now()),
        "commit": commit or "",
        "machine": platform.machine(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "rooms": arguments.rooms,
    }
    signer = _signer(arguments, settings)
    try:
        told = _make(arguments, settings, root=root, output=output, facts=facts, signer=signer)
    except OSError as exc:
        raise from_oserror(exc, "make the bundle") from exc
    told |= {"modified": is_modified, "development": signer.name.endswith("-development")}
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(told_lines(told, settings.language)))
    return ExitCode.OK


def _signer(arguments: argparse.Namespace, settings: Settings) -> Signer:
    path = arguments.key or settings.resolve(settings.manifest_key_file)
    is_given = arguments.key is not None or "manifest_key_file" in settings.model_fields_set
    return load_manifest_key(path, may_create=not is_given)[0]


def _make(
    arguments: argparse.Namespace,
    settings: Settings,
    *,
    root: Path,
    output: Path,
    facts: dict[str, str],
    signer: Signer,
) -> dict[str, object]:
    """Write bundle and installer into the output folder; return what to tell about them."""
    output.mkdir(parents=True, exist_ok=True)
    target = output / f"vv-video-ai-{facts['version']}-{facts['machine']}.bundle"
    # Beside the target: /tmp may be small.
    with tempfile.TemporaryDirectory(dir=output, prefix=".vv-tmp-") as work:
        parts = collect(arguments, settings, root, Path(work))
        vkey = write_bundle(target, parts, facts, signer)
    opener = (root / "vv-core" / "bundle" / "opening.py").read_text("utf-8")
    installer = output / "install.sh"
    write_installer(installer, (root / "install.sh").read_text("utf-8"), opener)
    return {
        **facts,
        "path": str(target),
        "installer": str(installer),
        "size": target.stat().st_size,
        "files": len(parts),
        "vkey": vkey,
        "fingerprint": fingerprint(vkey),
    }


def collect(arguments: argparse.Namespace, settings: Settings, root: Path, work: Path) -> Parts:
    """Collect what the command line wants in the bundle.

    Raises:
        VvError: a part cannot be had.
    """
    parts: dict[str, Path] = {**collect_repository(root, work)}
    parts |= collect_wheels(root, work, arguments.rooms.split(","))
    if not arguments.no_images:
        names = arguments.images.split(",") if arguments.images else ()
        parts |= collect_images(root, work, names)
    if not arguments.no_models:
        parts |= collect_models(settings.storage.models)
    if arguments.debs is not None:
        parts |= collect_debs(arguments.debs)
    return parts


def told_lines(told: dict[str, object], language: str) -> list[str]:
    """Return what was made and how to use it, for people."""
    is_english = language == "en"
    size, files = told["size"], told["files"]
    assert isinstance(size, int)
    path, installer = told["path"], told["installer"]
    command = f"sudo bash install.sh --offline {Path(str(path)).name} --vkey '{told['vkey']}'"
    lines = [
        f"{path}: {size / 1024**2:.1f} MiB, {files} {'files' if is_english else 'arquivos'}",
        f"vkey: {told['vkey']}",
        f"SHA-256: {told['fingerprint']}",
    ]
    if told["modified"]:
        lines.append(
            "! uncommitted changes are not in it"
            if is_english
            else "! mudanças sem commit não estão nele"
        )
    if told["development"]:
        lines.append(
            "! development key: it shows changes, but not who shipped"
            if is_english
            else "! chave de desenvolvimento: mostra mudanças, mas não quem publicou"
        )
    lines.append(
        f"→ copy it with {installer} to the box, and there: {command}"
        if is_english
        else f"→ copie-o com {installer} para a caixa, e lá: {command}"
    )
    return lines
