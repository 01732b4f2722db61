"""Print what one room needs, a requirement a line, as pyproject.toml says it.

    python requirements/print_room.py scanner > room.txt

Used where a room's packages are installed without the product itself: in the images, so that a change of code
does not install everything anew. Standard library only.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
EX_USAGE = 64


def room_requirements(project: dict[str, object], room: str) -> list[str]:
    """Return the requirements that all rooms share, then those of one.

    Args:
        project: the table ``[project]`` of pyproject.toml.
        room: a name of ``[project.optional-dependencies]``.

    Raises:
        KeyError: there is no such room.
    """
    extras = project["optional-dependencies"]
    shared = project["dependencies"]
    assert isinstance(extras, dict)
    assert isinstance(shared, list)
    return [*shared, *extras[room]]


def main() -> int:
    """Print the requirements of the room that the command line names."""
    with PYPROJECT.open("rb") as stream:
        project = tomllib.load(stream)["project"]
    rooms = project["optional-dependencies"]
    if len(sys.argv) != 2 or sys.argv[1] not in rooms:  # noqa: PLR2004 - program and room
        sys.stderr.write(f"usage: print_room.py ROOM\n→ ROOM is one of {', '.join(rooms)}\n")
        return EX_USAGE
    sys.stdout.write("\n".join([*room_requirements(project, sys.argv[1]), ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
