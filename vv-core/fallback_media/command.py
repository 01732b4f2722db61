"""``make_fallback``: make the files of ``fallback/`` anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode, InputDataError, InputMissingError
from vv_core.fallback_media.inline import put_into_page
from vv_core.fallback_media.placing import FALLBACK_FILES, find_problem
from vv_core.logs import printable, setup_logging
from vv_core.settings import load_settings

PROG = "make_fallback"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(
        PROG, "Draw and encode the loop and the picture that TVs show when there is nothing else."
    )
    parser.add_argument("folder", type=Path, help="where to put them; what is there is replaced")
    parser.add_argument(
        "--page", type=Path, help="put a small loop into this page too (tv_ui/tv.html)"
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments.folder, arguments.page, arguments.verbose), PROG)


def _run(folder: Path, page: Path | None, verbosity: int) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), verbosity)
    if not folder.is_dir():
        raise InputMissingError(f"{str(folder)!r} is no folder", advice="Make it first.")
    for file in FALLBACK_FILES:
        file.make(folder / file.name)
        problem = find_problem(folder, file)
        if problem:
            raise InputDataError(
                f"{file.name} was made, but {problem}", advice="Try another build of ffmpeg."
            )
        print(printable(f"{folder / file.name}: {(folder / file.name).stat().st_size} bytes"))
    if page is not None:
        print(printable(f"{page}: a loop of {put_into_page(page)} bytes"))
    return ExitCode.OK
