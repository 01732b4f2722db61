"""What ``vv-models list`` shows: one row a model, from the registry, the disk and the switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vv_core.models.active import Switch
from vv_core.models.metrics import ModelFigures
from vv_core.models.registry import Entry, Kind, Registry
from vv_core.models.store import Installed
from vv_core.number_text import decimal_text

Place = Literal["shipped", "installed", "listed", "absent"]
"""Part of the product; on this box; only in the list; part of the product but not there."""

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One version of a model.

    Attributes:
        place: where its file is.
        in_use: stages load it, unless a setting names another.
        sha256: published, else recorded here; None where not known yet.
        hash_origin: how the hash is known; None where it is not.
        figures: how it has been doing on this box; None where it was not used.
    """

    name: str
    kind: Kind
    version: str
    place: Place
    in_use: bool
    size: int | None
    sha256: str | None
    hash_origin: str | None
    licence: str
    context: int | None
    notes: str
    figures: ModelFigures | None


@dataclass(frozen=True)
class BoxView:
    """What is known of this box.

    Attributes:
        installed: records of model files.
        switches: what was activated.
        present: the hash of each shipped model that is there, by name.
        figures: how models have been doing.
    """

    installed: Sequence[Installed]
    switches: Mapping[Kind, Switch]
    present: Mapping[str, str]
    figures: Sequence[ModelFigures]

    def find(self, name: str, version: str) -> Installed | None:
        """Return the record of one version of a model."""
        return next((it for it in self.installed if (it.name, it.version) == (name, version)), None)

    def is_in_use(self, kind: Kind, name: str, version: str) -> bool:
        """Tell whether a model was activated, or is the shipped one while none was."""
        choice = self.switches.get(kind, Switch()).current
        if choice is None:
            return name in self.present
        return (choice.name, choice.version) == (name, version)

    def figures_of(self, sha256: str | None) -> ModelFigures | None:
        """Return how the model with a hash has been doing."""
        return next((it for it in self.figures if sha256 and it.model_hash == sha256), None)


def build_rows(registry: Registry, box: BoxView, language: str) -> list[Row]:
    """Return all models: first those of the registry, then others that were imported."""
    rows = [_entry_row(entry, box, language) for entry in registry.entries]
    listed = {(entry.name, entry.version) for entry in registry.entries}
    others = (it for it in box.installed if (it.name, it.version) not in listed)
    return [*rows, *(_installed_row(record, box) for record in others)]


def _entry_row(entry: Entry, box: BoxView, language: str) -> Row:
    record = box.find(entry.name, entry.version)
    sha256, origin = _known_hash(entry, record, box)
    place: Place = "installed" if record is not None else "listed"
    if entry.is_shipped:
        place = "shipped" if entry.name in box.present else "absent"
    return Row(
        name=entry.name,
        kind=entry.kind,
        version=entry.version,
        place=place,
        in_use=box.is_in_use(entry.kind, entry.name, entry.version),
        size=record.size if record is not None else entry.size,
        sha256=sha256,
        hash_origin=origin,
        licence=entry.licence,
        context=entry.context,
        notes=entry.notes[language],
        figures=box.figures_of(sha256),
    )


def _known_hash(
    entry: Entry, record: Installed | None, box: BoxView
) -> tuple[str | None, str | None]:
    """Return the hash of a model and how it is known."""
    if entry.sha256 is not None:
        return entry.sha256, "published"
    if record is not None:
        return record.sha256, record.origin
    found = box.present.get(entry.name)
    return (found, "shipped") if found is not None else (None, None)


def _installed_row(record: Installed, box: BoxView) -> Row:
    return Row(
        name=record.name,
        kind=record.kind,
        version=record.version,
        place="installed",
        in_use=box.is_in_use(record.kind, record.name, record.version),
        size=record.size,
        sha256=record.sha256,
        hash_origin=record.origin,
        licence="",
        context=None,
        notes=record.source,
        figures=box.figures_of(record.sha256),
    )


def row_document(row: Row) -> dict[str, Any]:
    """Return a row for programs."""
    return asdict(row)


_PLACES = {
    "pt-BR": {
        "shipped": "do produto",
        "installed": "instalado",
        "listed": "disponível",
        "absent": "ausente",
    },
    "en": {
        "shipped": "shipped",
        "installed": "installed",
        "listed": "available",
        "absent": "missing",
    },
}


def row_lines(rows: Sequence[Row], language: str) -> list[str]:
    """Return the rows for a person; an asterisk marks what is in use."""
    lines = []
    for row in rows:
        mark = "*" if row.in_use else " "
        size = f"{row.size / _MIB:.0f} MiB" if row.size is not None else "—"
        place = _PLACES[language][row.place]
        lines.append(
            f"{mark} {row.name:<18} {row.kind:<9} {row.version:<18} {place:<11} {size:>10}  {row.licence}"
        )
        lines.append(f"    {row.notes}")
        if row.figures is not None:
            lines.append(f"    {figures_text(row.figures, language)}")
    return lines


def figures_text(figures: ModelFigures, language: str) -> str:
    """Return how a model has been doing, in one line."""
    words = (
        ("summary", "summaries", "kept", "at first", "median")
        if language == "en"
        else ("resumo", "resumos", "mantidos", "de primeira", "mediana")
    )
    noun = words[0] if figures.summaries == 1 else words[1]

    def number(value: float, digits: int) -> str:
        return decimal_text(value, digits, language)

    return (
        f"{figures.summaries} {noun}, {number(100 * figures.kept_share, 1)}% {words[2]}"
        f" ({number(100 * figures.first_try_share, 1)}% {words[3]}),"
        f" {words[4]} {number(figures.median_s, 2)} s, p95 {number(figures.p95_s, 2)} s"
    )
