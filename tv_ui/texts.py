"""Words for people who look after the TVs: Brazilian Portuguese first, English too."""

from __future__ import annotations

from collections.abc import Callable

from tv_ui.screens import Trouble

Say = Callable[[str, str], str]
"""Takes a text in Portuguese and in English, and returns the one that is wanted."""


def speak(language: str) -> Say:
    """Return how to choose between two texts.

    Args:
        language: "pt-BR" or "en".
    """
    is_english = language == "en"

    def say(portuguese: str, english: str) -> str:
        return english if is_english else portuguese

    return say


def trouble_text(trouble: Trouble, say: Say) -> str | None:
    """Return what is wrong with a screen, None for nothing."""
    match trouble:
        case Trouble.NONE:
            return None
        case Trouble.SILENT:
            return say("não dá sinal", "says nothing")
        case Trouble.FROZEN:
            return say("imagem parada", "its picture stands still")
        case Trouble.HIDDEN:
            return say("outra coisa está na frente da página", "something else is in front")


def state_text(state: str, say: Say) -> str:
    """Return what is on a screen."""
    return {
        "clip": say("vídeo", "clip"),
        "picture": say("imagem e texto", "picture and text"),
        "loop": say("vídeo de reserva", "fallback loop"),
        "inline_loop": say("reserva da própria página", "the page's own loop"),
        "start": say("começando", "starting"),
    }[state]
