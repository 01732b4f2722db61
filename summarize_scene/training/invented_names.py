"""Names of people, cameras and labels that nobody chose: for training, and others for the evaluation.

Half of the people are made of syllables, so that a model learns to copy a name and not to know it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from summarize_scene.training.choice import chance


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "maria joão ana josé carlos paula pedro lucas juliana marcos fernanda rafael camila bruno "
    "letícia gustavo larissa felipe beatriz rodrigo patrícia thiago aline diego sônia antônio"
)
_FIRST_HELD_OUT = _words("helena davi otávio cecília kenji ingrid tânia wesley zuleica íris")
_LAST = _words("silva souza costa oliveira pereira lima rocha almeida nunes ribeiro carvalho gomes")
_LAST_HELD_OUT = _words("teixeira yamamoto fagundes krüger assis queiroz")
_PLACES = _words(
    "entrada garagem portao portão patio quintal recepcao corredor fundos loja estoque caixa "
    "estacionamento sala cozinha rua elevador escada jardim piscina doca portaria frente "
    "lateral entrance garage gate yard hall lobby warehouse parking street door office "
    "kitchen garden"
)
_PLACES_HELD_OUT = _words("guarita mezanino oficina varanda almoxarifado basement rooftop canteen")
_ONSETS = _words("b c d f g j l m n p r s t v br cr fr tr ch lh qu x z k w h y")
_VOWELS = _words("a e i o u á é í ó ão ei ia")
_HELD_OUT_ONSETS = _words("gl pr dr fl th sk vl ny")
_LABELS = _words(
    "pallet_jack drone hard_hat scooter wheelchair hoverboard crane ladder cart shopping_cart "
    "extintor placa cone barrier robot tractor stroller trash_bin"
)


def invent_person(random: Random, *, held_out: bool) -> str:
    """Return the folder name of an enrolled person."""
    if chance(random, 0.5):
        first = _word(random, held_out)
        last = _word(random, held_out)
    else:
        first = random.choice(_FIRST_HELD_OUT if held_out else _FIRST)
        last = random.choice(_LAST_HELD_OUT if held_out else _LAST)
    shapes: tuple[Callable[[], str], ...] = (
        lambda: first,
        lambda: f"{first}_{last}",
        lambda: f"{first.capitalize()} {last.capitalize()}",
        lambda: f"{first.capitalize()} da {last.capitalize()}",
        lambda: f"{first}{random.randint(1, 99)}",
        first.upper,
    )
    return random.choices(shapes, (40, 25, 15, 8, 7, 5))[0]()


def invent_camera(random: Random, *, held_out: bool) -> str:
    """Return the folder name of a camera; empty for a video without one."""
    kind = random.choices(("none", "made-up", "place"), (8, 12, 80))[0]
    if kind == "none":
        return ""
    place = random.choice(_PLACES_HELD_OUT if held_out else _PLACES)
    if kind == "made-up":
        place = _word(random, held_out)
    number = random.randint(1, 32)
    shapes = (
        place,
        place,
        place.capitalize(),
        f"{place}_{number}",
        f"{place}-{number:02d}",
        f"{place.capitalize()} {number}",
        f"cam{number}",
        f"CAM-{number:02d}",
        f"ch{number:02d}",
        f"{place}_{random.choice(_PLACES)}",
    )
    return random.choice(shapes)


def invent_label(random: Random) -> str:
    """Return a label that own weights may give and the lexicon does not name."""
    return random.choice(_LABELS) if chance(random, 0.6) else _word(random, held_out=False)


def _word(random: Random, held_out: bool) -> str:
    onsets = (*_ONSETS, *_HELD_OUT_ONSETS) if held_out else _ONSETS
    syllables = (
        random.choice(onsets) + random.choice(_VOWELS) for _ in range(random.choice((2, 3)))
    )
    return "".join(syllables)
