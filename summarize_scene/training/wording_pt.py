"""How people word a scene in Brazilian Portuguese: clauses in many shapes, chosen by what fits."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from summarize_scene.grammar import MAX_SENTENCES
from summarize_scene.phrases import join_items
from summarize_scene.training.choice import chance, one_of, shuffled
from summarize_scene.training.scene_words import SceneWords, Thing

MAX_FACES_BY_NAME = 2

_THROUGHOUT = (
    "durante todo o vídeo",
    "durante toda a gravação",
    "do começo ao fim",
    "do início ao fim",
    "o tempo todo",
    "em todo o vídeo",
)
_DAY = {"manhã": ("pela manhã", "de manhã"), "tarde": ("à tarde", "de tarde")}
_NIGHT = {"noite": ("à noite", "de noite"), "madrugada": ("de madrugada", "na madrugada")}


class PortugueseWriter:
    """Writes in Brazilian Portuguese; see `wording.Writer`."""

    def title(self, words: SceneWords, random: Random) -> str:
        place = f"na câmera {words.camera}" if words.camera else "na gravação"
        when = one_of(random, words.at, words.at, self._day(words, random))
        ends = (f"{place} {when}", place, place, when, f"{when} {place}")
        end = one_of(random, *ends)
        if words.is_quiet:
            return self._quiet_title(words, random, end)
        lead = f"câmera {words.camera}, " if words.camera and chance(random, 0.12) else ""
        subject = self._subject(words, random)
        if words.is_alert:
            return f"{one_of(random, 'atenção', 'atenção', 'alerta')}, {subject} {end}"
        if words.is_embedded and words.things:
            subject = f"{one_of(random, 'possivelmente', 'possivelmente', 'possível registro de')} {subject}"
            return f"{subject} {end}"
        if lead:
            return f"{lead}{subject} {when}"
        return f"{one_of(random, '', '', '', 'registro de ', 'imagens de ')}{subject} {end}"

    def sentences(self, words: SceneWords, random: Random) -> list[str]:
        sentences = [self._quiet(words, random)] if words.is_quiet else self._busy(words, random)
        if not words.is_complete:
            sentences.append(
                one_of(
                    random,
                    "o vídeo está incompleto",
                    "a gravação está incompleta",
                    "a gravação foi interrompida",
                    "o vídeo ficou incompleto",
                    "o vídeo foi interrompido",
                )
            )
        return sentences

    def _busy(self, words: SceneWords, random: Random) -> list[str]:
        sentences = []
        has_said_names = False
        if words.things:
            opening = self._opening(words, random)
            if words.names and chance(random, 0.2):
                opening, has_said_names = f"{opening}, e {self._names(words, random)}", True
            sentences.append(opening)
        if words.names and not has_said_names:
            sentences.append(self._names(words, random, is_first=not sentences))
        if words.face is not None and not words.names and chance(random, 0.8):
            sentences.append(self._face(words.face, words, random))
        elif words.is_unrecognised and words.things and chance(random, 0.7):
            sentences.append(self._unrecognised(words.things[0], random))
        has_room = len(sentences) + (not words.is_complete) < MAX_SENTENCES
        if words.things and has_room and chance(random, 0.75):
            sentences.insert(1, self._when(words, random))
        return sentences

    def _opening(self, words: SceneWords, random: Random) -> str:
        text = self._embedded(words, random) if words.is_embedded else self._plain(words, random)
        if words.is_alert:
            start = one_of(random, "atenção", "atenção", "alerta")
            text = f"{start}, {text}"
        return text

    def _plain(self, words: SceneWords, random: Random) -> str:
        seen = self._seen(words.things, random)
        camera = f"câmera {words.camera}" if words.camera else "gravação"
        at, things = words.at, words.things
        moment = one_of(random, at, at, self._day(words, random))
        shows = one_of(
            random, "registrou", "mostrou", "captou", "detectou", "exibiu", "mostra", "registra"
        )
        appears = self._verb(things, random)
        shapes = [
            f"{moment}, a {camera} {shows} {seen}",
            f"{moment}, {seen} {appears} na {camera}",
            f"a {camera} {shows} {seen} {at}",
            f"na {camera}, {seen} {appears} {at}",
            f"{seen} {appears} na {camera} {at}",
            f"{seen} {self._passive(things, random)} pela {camera} {at}",
            f"{moment}, há {seen} na {camera}",
            f"{moment}, {self._is_seen(things, random)} {seen} na {camera}",
            f"a cena na {camera} mostra {seen} {at}",
            f"a imagem da {camera} {at} mostra {seen}",
        ]
        if words.length:
            video = f"um vídeo de {words.length}"
            shapes += [
                f"em {video}, a {camera} {shows} {seen} {at}",
                f"{moment}, a {camera} gravou {video} com {seen}",
                f"em {video} gravado {at}, {seen} {appears} na {camera}",
                f"a {camera} traz {video} com {seen}, gravado {at}",
                f"{moment}, {video} da {camera} mostra {seen}",
            ]
        if words.clock:
            of = "da" if words.hour <= 1 else "das"
            shapes += [
                f"o registro {of} {words.clock} na {camera} mostra {seen}",
                f"a gravação {of} {words.clock} traz {seen} na câmera {words.camera}",
            ][: 2 if words.camera else 1]
        return one_of(random, *shapes)

    def _embedded(self, words: SceneWords, random: Random) -> str:
        seen = self._seen(words.things, random)
        camera = f"câmera {words.camera}" if words.camera else "gravação"
        verb = one_of(random, "indicou", "indicou", "indica", "detectou")
        return one_of(
            random,
            f"{words.at}, o detector básico {verb} {seen} na {camera}",
            f"o detector básico {verb} {seen} na {camera} {words.at}",
            f"na {camera}, o detector básico {verb} {seen} {words.at}",
            f"{words.at}, {self._passive(words.things, random, indicated=True)} pelo detector básico "
            f"{seen} na {camera}",
        )

    def _quiet(self, words: SceneWords, random: Random) -> str:
        camera = f"câmera {words.camera}" if words.camera else "gravação"
        at, moment = words.at, one_of(random, words.at, self._day(words, random))
        if words.is_embedded:
            shapes = [
                f"nada foi indicado pelo detector básico na {camera} {at}",
                f"{moment}, nada foi indicado pelo detector básico na {camera}",
                f"{at}, o detector básico indicou a cena vazia na {camera}",
            ]
        else:
            shapes = [
                f"nada foi {one_of(random, 'detectado', 'registrado', 'visto')} na {camera} {at}",
                f"{moment}, nada foi detectado na {camera}",
                f"{moment}, a cena na {camera} ficou tranquila",
                f"{moment}, a {camera} mostra a cena vazia",
                f"a {camera} permanece tranquila {at}",
                f"nenhum objeto aparece na {camera} {at}",
                f"nenhuma atividade foi registrada na {camera} {at}",
                f"{moment}, a {camera} registrou a cena sem movimento",
                f"a {camera} ficou sem atividade {at}",
                f"{moment}, nenhum movimento foi detectado na {camera}",
            ]
        text = one_of(random, *shapes)
        if words.length and chance(random, 0.5):
            video = f"um vídeo de {words.length}"
            text = one_of(random, f"{text}, em {video}", f"em {video}, {text}")
        return text

    def _quiet_title(self, words: SceneWords, random: Random, end: str) -> str:
        if words.is_embedded:
            return one_of(random, f"nada indicado {end}", f"nada detectado {end}")
        return one_of(
            random,
            f"nada detectado {end}",
            f"cena tranquila {end}",
            f"cena vazia {end}",
            f"nenhuma atividade {end}",
            f"nenhum movimento {end}",
            f"sem movimento {end}",
            f"nada registrado {end}",
        )

    def _subject(self, words: SceneWords, random: Random) -> str:
        things = [thing.counted for thing in words.things]
        names = list(words.names[: one_of(random, 1, 2)])
        if names and things and chance(random, 0.6):
            return f"{join_items(names, 'e')}, {join_items(things[:2], 'e')}"
        if names and (not things or chance(random, 0.3)):
            return join_items(names, "e")
        return join_items(things[: one_of(random, 1, 2, 2, 3)], "e")

    def _seen(self, things: Sequence[Thing], random: Random) -> str:
        items = [thing.counted for thing in things]
        plural = [number for number, thing in enumerate(things) if thing.is_plural]
        if plural and chance(random, 0.3):
            items[plural[0]] = f"até {items[plural[0]]}"
        joined = join_items(items, one_of(random, "e", "e", "e", "e também"))
        is_one_kind = len(things) == 1 and bool(plural)
        if is_one_kind and chance(random, 0.2):
            return f"{joined} {one_of(random, 'ao mesmo tempo', 'simultaneamente')}"
        return joined

    def _when(self, words: SceneWords, random: Random) -> str:
        thing = words.things[0]
        if thing.different is not None and chance(random, 0.6):
            return self._different(thing, random)
        if thing.moment is not None and not thing.is_throughout and chance(random, 0.25):
            return one_of(
                random,
                f"{thing.moment}, {self._is_seen([thing], random)} {thing.counted}",
                f"{thing.moment}, há {thing.counted}",
            )
        second = words.things[1] if len(words.things) > 1 and chance(random, 0.5) else None
        text = f"{thing.definite} {self._verb([thing], random)} {self._span(thing, random)}"
        if second is None:
            return text
        if second.span == thing.span and second.is_throughout == thing.is_throughout:
            both = join_items([thing.definite, second.definite], "e")
            return f"{both} {self._verb([thing, second], random)} {self._span(thing, random)}"
        other = self._span(second, random)
        return one_of(
            random,
            f"{text}, e {second.definite}, {other}",
            f"{text}, e {second.definite} {self._verb([second], random)} {other}",
            f"{text}, enquanto {second.definite} {self._verb([second], random)} {other}",
        )

    def _different(self, thing: Thing, random: Random) -> str:
        return one_of(
            random,
            f"são {thing.different} no vídeo",
            f"{thing.different} aparecem no vídeo",
            f"em todo o vídeo, são {thing.different}"
            if thing.is_throughout
            else f"há {thing.different} no vídeo",
            f"a gravação mostra {thing.different}",
            f"{thing.different} aparecem {self._span(thing, random)}",
        )

    def _names(self, words: SceneWords, random: Random, *, is_first: bool = False) -> str:
        names = list(words.names)
        joined = join_items(names, "e")
        faces = join_items([f"o rosto de {name}" for name in names], "e")
        verb = "foi" if len(names) == 1 else "foram"
        known = one_of(random, "reconhecido", "identificado") + ("" if len(names) == 1 else "s")
        camera = f"a câmera {words.camera}" if words.camera else "a gravação"
        shapes = [f"{camera} reconheceu {joined}", f"{camera} identifica {joined}"]
        if len(names) <= MAX_FACES_BY_NAME:
            shapes.insert(0, f"{faces} {verb} {known}")
        if is_first:
            return one_of(random, *(f"{words.at}, {shape}" for shape in shapes))
        appears = "aparece" if len(names) == 1 else "aparecem"
        return one_of(random, *shapes, shapes[0], f"{joined} {appears} na cena")

    def _face(self, face: Thing, words: SceneWords, random: Random) -> str:
        shown = face.counted if not face.is_plural or chance(random, 0.5) else f"até {face.counted}"
        verb = "ficam visíveis" if face.is_plural else "fica visível"
        verb = one_of(random, verb, verb, self._verb([face], random))
        tail = ", sem identificação" if words.is_unrecognised else ""
        if words.is_unrecognised and chance(random, 0.3):
            tail = ", não identificados" if face.is_plural else ", sem ser identificado"
        return f"{shown} {verb}{tail}"

    def _unrecognised(self, thing: Thing, random: Random) -> str:
        verb = "ficam" if thing.is_plural else "fica"
        return f"{thing.definite} {verb} sem identificação"

    def _span(self, thing: Thing, random: Random) -> str:
        return thing.span or one_of(random, *_THROUGHOUT)

    def _verb(self, things: Sequence[Thing], random: Random) -> str:
        is_plural = len(things) > 1 or things[0].is_plural
        pairs = [
            ("aparece", "aparecem"),
            ("aparece", "aparecem"),
            ("surge", "surgem"),
            ("apareceu", "apareceram"),
        ]
        pairs += [("está visível", "estão visíveis"), ("fica visível", "ficam visíveis")]
        return one_of(random, *pairs)[is_plural]

    def _is_seen(self, things: Sequence[Thing], random: Random) -> str:
        is_plural = len(things) > 1 or things[0].is_plural
        pairs = [("vê-se", "veem-se"), ("nota-se", "notam-se"), ("observa-se", "observam-se")]
        return one_of(random, *pairs)[is_plural]

    def _passive(self, things: Sequence[Thing], random: Random, *, indicated: bool = False) -> str:
        is_plural = len(things) > 1 or things[0].is_plural
        stem = "indicad" if indicated else one_of(random, "registrad", "captad", "vist", "detectad")
        ending = "a" if all(thing.is_feminine for thing in things) else "o"
        return f"{'foram' if is_plural else 'foi'} {stem}{ending}{'s' if is_plural else ''}"

    def _day(self, words: SceneWords, random: Random) -> str:
        phrases = [text for part in words.parts for text in {**_DAY, **_NIGHT}.get(part, ())]
        chosen = shuffled(random, phrases)
        return one_of(random, chosen[0], f"{chosen[0]}, {words.at}") if chosen else words.at
