"""How long a title and a text may be: read from the summary's schema, the one place that says so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from vv_core.utils import load_schema
from vv_schemas import schema_path


@dataclass(frozen=True)
class TextLimits:
    """Lengths in characters."""

    title_min: int
    title_max: int
    text_min: int
    text_max: int


@lru_cache(maxsize=1)
def text_limits() -> TextLimits:
    """Return the limits that ``summary.schema.json`` sets."""
    properties = load_schema(schema_path("summary"))["properties"]
    title, text = properties["title"], properties["text"]
    return TextLimits(title["minLength"], title["maxLength"], text["minLength"], text["maxLength"])
