"""The JSON Schemas that the rooms agree on, importable as ``vv_schemas``.

JSON Schema 2020-12, closed to unknown keys and versioned by the ``schema`` property of each document.
"""

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def schema_path(name: str) -> Path:
    """Return the file of the schema called ``name`` ("analytic", "summary", "logline", "playlist"...).

    Raises:
        ValueError: there is no schema of that name.
    """
    path = _FOLDER / f"{name}.schema.json"
    if not path.is_file():
        raise ValueError(f"no schema is called {name!r}; known: {', '.join(schema_names())}")
    return path


def schema_names() -> list[str]:
    """Return the names of all document schemas, sorted."""
    return sorted(path.name.removesuffix(".schema.json") for path in _FOLDER.glob("*.schema.json"))


def example_path(name: str) -> Path:
    """Return the example document of the schema called ``name``."""
    return _FOLDER / "examples" / f"{name}.example.json"
