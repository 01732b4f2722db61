"""Choices of a seeded writer."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


def one_of(random: Random, *items: Item) -> Item:
    """Return one of the items; one that stands twice comes twice as often."""
    return random.choice(items)


def chance(random: Random, share: float) -> bool:
    """Return True in this share of the cases."""
    return random.random() < share


def shuffled(random: Random, items: Sequence[Item]) -> list[Item]:
    """Return the items in another order."""
    return random.sample(list(items), len(items))
