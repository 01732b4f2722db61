"""Numbers as people write them: 1,5 in Portuguese, 1.5 in English."""

from __future__ import annotations

_THOUSAND = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def decimal_text(value: float, digits: int, language: str) -> str:
    """Return a number with so many digits after the mark of its language ("pt-BR" or "en")."""
    text = f"{value:.{digits}f}"
    return text if language == "en" else text.replace(".", ",")


def size_text(size: int, language: str) -> str:
    """Return a number of bytes in a unit of which it has one to three digits, as disks are sold (1 kB = 1000 B)."""
    value, unit = float(size), 0
    # 999.95 kB would be shown as 1000.0 kB.
    while abs(value) >= _THOUSAND - 0.05 and unit < len(_UNITS) - 1:
        value, unit = value / _THOUSAND, unit + 1
    return f"{decimal_text(value, 1 if unit else 0, language)} {_UNITS[unit]}"
