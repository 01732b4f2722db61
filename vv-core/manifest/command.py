"""``make sign`` and ``make verify``: the manifest of the installation by hand."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import ExitCode
from vv_core.logs import printable, setup_logging
from vv_core.manifest.check import (
    ManifestReport,
    check_installation,
    installation_root,
    own_paths,
    parse_manifest_key,
    pinned_key,
)
from vv_core.manifest.compare import Difference
from vv_core.manifest.sign import load_manifest_key, sign_installation
from vv_core.manifest.statement import Manifest
from vv_core.manifest.tree import MANIFEST_NAME
from vv_core.settings import Settings, load_settings

PROG = "vv-sign"
_SHOWN = 5

_WORDS = {
    "pt-BR": {
        Difference.MISSING: "FALTA",
        Difference.CHANGED: "MUDOU",
        Difference.MODE: "PERMISSÃO",
        Difference.EXTRA: "A MAIS",
        Difference.SYMLINK: "LINK",
        Difference.SPECIAL: "NÃO É ARQUIVO",
        Difference.UNREADABLE: "ILEGÍVEL",
    },
    "en": {
        Difference.MISSING: "MISSING",
        Difference.CHANGED: "CHANGED",
        Difference.MODE: "MODE",
        Difference.EXTRA: "EXTRA",
        Difference.SYMLINK: "SYMLINK",
        Difference.SPECIAL: "NOT A FILE",
        Difference.UNREADABLE: "UNREADABLE",
    },
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _parser() -> CommandParser:
    parser = CommandParser(
        PROG,
        f"Sign the shipped files in {MANIFEST_NAME}, or check the installation against it.",
        epilog="Exit codes: 0 as shipped; 65 files differ; 66 no manifest; 77 signature or key.",
    )
    parser.add_argument("action", choices=("sign", "verify"), help="what to do")
    parser.add_argument("--root", type=Path, metavar="DIR", help="installation (default: this one)")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="sign: key file (default: VV_MANIFEST_KEY_FILE)"
    )
    parser.add_argument(
        "--vkey",
        metavar="KEY",
        help="verify: key that must have signed (default: VV_MANIFEST_VKEY)",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    root = (arguments.root or installation_root()).resolve()
    return (_sign if arguments.action == "sign" else _verify)(arguments, settings, root)


def _sign(arguments: argparse.Namespace, settings: Settings, root: Path) -> int:
    key_path = arguments.key or settings.resolve(settings.manifest_key_file)
    is_given = arguments.key is not None or "manifest_key_file" in settings.model_fields_set
    signer, made_key = load_manifest_key(key_path, may_create=not is_given)
    manifest, unsigned = sign_installation(root, signer, SystemClock(), own_paths(settings, root))
    facts = {
        "path": str(root / MANIFEST_NAME),
        "version": manifest.version,
        "files": len(manifest.files),
        "commit": manifest.commit,
        "modified": manifest.is_modified,
        "vkey": manifest.vkey,
        "development": manifest.is_development,
        "made_key": made_key,
        "unsigned": [printable(path) for path in unsigned],
    }
    if arguments.json:
        print(json.dumps(facts, indent=2))  # noqa: T201
    else:
        print("\n".join(signed_lines(manifest, unsigned, settings.language)))  # noqa: T201
    return ExitCode.OK


def signed_lines(manifest: Manifest, unsigned: Sequence[str], language: str) -> list[str]:
    """Return what was signed, for people."""
    is_english = language == "en"
    signed = "files signed" if is_english else "arquivos assinados"
    lines = [
        f"{MANIFEST_NAME}: {len(manifest.files)} {signed}, {manifest.version}",
        f"vkey: {manifest.vkey}",
    ]
    if manifest.is_development:
        lines.append(
            "! development key: it shows changes, but not who shipped"
            if is_english
            else "! chave de desenvolvimento: mostra mudanças, mas não quem publicou"
        )
    if unsigned:
        first = ", ".join(printable(path) for path in unsigned[:_SHOWN])
        text = "not tracked by git, not signed" if is_english else "fora do git, não assinados"
        lines.append(f"! {len(unsigned)} {text}: {first}{' …' if len(unsigned) > _SHOWN else ''}")
    return lines


def _verify(arguments: argparse.Namespace, settings: Settings, root: Path) -> int:
    pinned = parse_manifest_key(arguments.vkey) if arguments.vkey else pinned_key(settings)
    report = check_installation(root, pinned, own_paths(settings, root))
    if arguments.json:
        print(json.dumps(report_json(report), indent=2))  # noqa: T201
    else:
        print("\n".join(report_lines(report, settings.language)))  # noqa: T201
    if not report.is_present:
        return ExitCode.NOINPUT
    if report.problem:
        return ExitCode.NOPERM
    return ExitCode.DATAERR if report.deviations else ExitCode.OK


def report_json(report: ManifestReport) -> dict[str, object]:
    """Return a report for programs."""
    manifest = report.manifest
    return {
        "schema": "vv.manifest-report/1",
        "verified": report.is_verified,
        "pinned": report.is_pinned,
        "sha256": report.sha256,
        "problem": report.problem,
        "version": manifest.version if manifest else None,
        "created": manifest.created if manifest else None,
        "commit": manifest.commit if manifest else None,
        "vkey": manifest.vkey if manifest else None,
        "development": manifest.is_development if manifest else None,
        "files": len(manifest.files) if manifest else 0,
        "deviations": [
            {"difference": each.difference, "path": printable(each.path), "detail": each.detail}
            for each in report.deviations
        ],
    }


def report_lines(report: ManifestReport, language: str) -> list[str]:
    """Return a report for people."""
    is_english = language == "en"

    def say(portuguese: str, english: str) -> str:
        return english if is_english else portuguese

    if report.problem or report.manifest is None:
        lines = [say("NÃO VERIFICADO", "NOT VERIFIED") + f": {printable(report.problem)}"]
        if report.is_present:
            advice = say("Instale esta versão de novo.", "Install this version again.")
        else:
            advice = say("Assine o que está aqui: make sign.", "Sign what is here: make sign.")
        return [*lines, f"→ {advice}"]
    manifest, words = report.manifest, _WORDS[language]
    width = max(len(word) for word in words.values())
    lines = [
        f"{words[each.difference]:<{width}}  {printable(each.path)}"
        + (f"  ({each.detail})" if each.detail else "")
        for each in report.deviations
    ]
    who = printable(manifest.vkey.partition("+")[0])
    if not report.is_pinned:
        who += say(", chave não fixada (VV_MANIFEST_VKEY)", ", key not pinned (VV_MANIFEST_VKEY)")
    count = len(manifest.files)
    tail = f"{printable(manifest.version)}, {manifest.created}, {who}"
    if report.deviations:
        bad = len(report.deviations)
        lines.append(
            say(f"{bad} diferenças em {count} arquivos", f"{bad} differences in {count} files")
        )
        lines.append(
            say(
                "→ Instale esta versão de novo; depois de uma mudança sua: make sign.",
                "→ Install this version again; after a change of your own: make sign.",
            )
        )
    else:
        lines.append(
            say(f"VERIFICADO: {count} arquivos, {tail}", f"VERIFIED: {count} files, {tail}")
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
