"""How people word a scene in English: clauses in many shapes, chosen by what fits."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from summarize_scene.grammar import MAX_SENTENCES
from summarize_scene.phrases import join_items
from summarize_scene.training.choice import chance, one_of, shuffled
from summarize_scene.training.scene_words import SceneWords, Thing

MAX_FACES_BY_NAME = 2

_THROUGHOUT = (
    "throughout the video",
    "throughout the recording",
    "throughout the clip",
    "throughout",
    "the whole time",
    "from start to finish",
    "for the whole video",
)
_DAY = {
    "morning": ("in the morning",),
    "afternoon": ("in the afternoon",),
    "evening": ("in the evening",),
    "night": ("at night",),
}


class EnglishWriter:
    """Writes in English; see `wording.Writer`."""

    def title(self, words: SceneWords, random: Random) -> str:
        place = f"on camera {words.camera}" if words.camera else "in the recording"
        when = words.at
        if words.parts and "night" in words.parts and chance(random, 0.3):
            when = "at night"
        end = one_of(random, f"{place} {when}", place, place, when, f"{when} {place}")
        if words.is_quiet:
            return self._quiet_title(words, random, end)
        subject = self._subject(words, random)
        if words.is_alert:
            return f"{one_of(random, 'attention', 'attention', 'alert')}, {subject} {end}"
        if words.is_embedded and words.things:
            return (
                f"{one_of(random, 'possibly', 'possibly', 'possible recording of')} {subject} {end}"
            )
        if words.camera and chance(random, 0.12):
            return f"camera {words.camera}, {subject} {when}"
        seen = one_of(random, "", "", "", "recording of ", "footage of ", "view of ")
        return f"{seen}{subject} {end}"

    def sentences(self, words: SceneWords, random: Random) -> list[str]:
        sentences = [self._quiet(words, random)] if words.is_quiet else self._busy(words, random)
        if not words.is_complete:
            sentences.append(
                one_of(
                    random,
                    "the video is incomplete",
                    "the recording is incomplete",
                    "the recording was interrupted",
                    "the clip is incomplete",
                    "the footage is incomplete",
                )
            )
        return sentences

    def _busy(self, words: SceneWords, random: Random) -> list[str]:
        sentences = []
        has_said_names = False
        if words.things:
            opening = self._opening(words, random)
            if words.names and chance(random, 0.2):
                opening, has_said_names = f"{opening}, and {self._names(words, random)}", True
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
            text = f"{one_of(random, 'attention', 'attention', 'alert')}, {text}"
        return text

    def _plain(self, words: SceneWords, random: Random) -> str:
        seen = self._seen(words.things, random)
        at, things = words.at, words.things
        camera = f"camera {words.camera}" if words.camera else "the recording"
        place = f"on {camera}" if words.camera else "in the recording"
        moment = one_of(random, at, at, self._day(words, random))
        shows = one_of(random, "recorded", "shows", "captured", "showed", "detected", "saw")
        if not words.camera:
            shows = one_of(random, "shows", "showed")
        appears = self._verb(things, random)
        there = "there are" if self._is_plural(things[:1]) else "there is"
        shapes = [
            f"{moment}, {camera} {shows} {seen}",
            f"{camera} {shows} {seen} {at}",
            f"{moment}, {seen} {appears} {place}",
            f"{place}, {seen} {appears} {at}",
            f"{seen} {appears} {place} {at}",
            f"{seen} {self._passive(things, random)} {place} {at}",
            f"{moment}, {there} {seen} {place}",
            f"{place}, {there} {seen} {at}",
            f"the footage {at} shows {seen} {place}"
            if words.camera
            else f"the footage {at} shows {seen}",
        ]
        if words.camera:
            shapes += [
                f"{seen} {self._passive(things, random)} by {camera} {at}",
                f"the view from {camera} shows {seen} {at}",
            ]
        if words.length:
            video = f"a video of {words.length}"
            shapes += [
                f"in {video}, {camera} {shows} {seen} {at}",
                f"{video} recorded {at} shows {seen} {place}"
                if words.camera
                else f"{video} shows {seen} {at}",
                f"in {video} recorded {at}, {seen} {appears} {place}",
            ]
            if words.camera:
                shapes.append(f"{moment}, {camera} recorded {video} with {seen}")
        if words.clock and words.camera:
            shapes.append(f"the {words.clock} recording from {camera} shows {seen}")
        return one_of(random, *shapes)

    def _embedded(self, words: SceneWords, random: Random) -> str:
        seen = self._seen(words.things, random)
        place = f"on camera {words.camera}" if words.camera else "in the recording"
        verb = one_of(random, "reported", "reported", "detected", "reports")
        passive = "were" if self._is_plural(words.things) else "was"
        return one_of(
            random,
            f"{words.at}, the basic detector {verb} {seen} {place}",
            f"the basic detector {verb} {seen} {place} {words.at}",
            f"{place}, the basic detector {verb} {seen} {words.at}",
            f"{seen} {passive} reported by the basic detector {place} {words.at}",
        )

    def _quiet(self, words: SceneWords, random: Random) -> str:
        place = f"on camera {words.camera}" if words.camera else "in the recording"
        camera = f"camera {words.camera}" if words.camera else "the recording"
        at, moment = words.at, one_of(random, words.at, self._day(words, random))
        if words.is_embedded:
            shapes = [
                f"nothing was reported by the basic detector {place} {at}",
                f"{moment}, nothing was reported by the basic detector {place}",
                f"{at}, the basic detector reported nothing {place}",
            ]
        else:
            shapes = [
                f"nothing was {one_of(random, 'detected', 'recorded', 'seen', 'observed')} {place} {at}",
                f"{moment}, nothing was detected {place}",
                f"{moment}, the scene {place} was quiet",
                f"{moment}, {camera} shows the scene empty",
                f"the scene {place} remained quiet {at}",
                f"no objects appear {place} {at}",
                f"no activity was recorded {place} {at}",
                f"{moment}, {camera} recorded no movement",
                f"{camera} shows no activity {at}",
                f"{moment}, there is no movement {place}",
            ]
        text = one_of(random, *shapes)
        if words.length and chance(random, 0.5):
            video = f"a video of {words.length}"
            text = one_of(random, f"{text}, in {video}", f"in {video}, {text}")
        return text

    def _quiet_title(self, words: SceneWords, random: Random, end: str) -> str:
        if words.is_embedded:
            return one_of(random, f"nothing reported {end}", f"nothing detected {end}")
        return one_of(
            random,
            f"nothing detected {end}",
            f"quiet scene {end}",
            f"empty scene {end}",
            f"no activity {end}",
            f"no movement {end}",
            f"nothing recorded {end}",
            f"no objects {end}",
        )

    def _subject(self, words: SceneWords, random: Random) -> str:
        things = [thing.counted for thing in words.things]
        names = list(words.names[: one_of(random, 1, 2)])
        if names and things and chance(random, 0.6):
            return f"{join_items(names, 'and')}, {join_items(things[:2], 'and')}"
        if names and (not things or chance(random, 0.3)):
            return join_items(names, "and")
        return join_items(things[: one_of(random, 1, 2, 2, 3)], "and")

    def _seen(self, things: Sequence[Thing], random: Random) -> str:
        items = [thing.counted for thing in things]
        plural = [number for number, thing in enumerate(things) if thing.is_plural]
        if plural and chance(random, 0.3):
            items[plural[0]] = f"up to {items[plural[0]]}"
        joined = join_items(items, one_of(random, "and", "and", "and", "and also"))
        if len(things) == 1 and plural and chance(random, 0.2):
            return f"{joined} {one_of(random, 'at once', 'simultaneously', 'together')}"
        return joined

    def _when(self, words: SceneWords, random: Random) -> str:
        thing = words.things[0]
        if thing.different is not None and chance(random, 0.6):
            return self._different(thing, random)
        if thing.moment is not None and not thing.is_throughout and chance(random, 0.25):
            seen = one_of(random, "are visible", "are present", "appear")
            return one_of(
                random,
                f"{thing.moment}, there are {thing.counted}",
                f"{thing.moment}, {thing.counted} {seen}",
            )
        second = words.things[1] if len(words.things) > 1 and chance(random, 0.5) else None
        text = f"{thing.definite} {self._verb([thing], random)} {self._span(thing, random)}"
        if second is None:
            return text
        if second.span == thing.span and second.is_throughout == thing.is_throughout:
            both = join_items([thing.definite, second.definite], "and")
            return f"{both} {self._verb([thing, second], random)} {self._span(thing, random)}"
        other = self._span(second, random)
        return one_of(
            random,
            f"{text}, and {second.definite} {other}",
            f"{text}, and {second.definite} {self._verb([second], random)} {other}",
            f"{text}, while {second.definite} {self._verb([second], random)} {other}",
        )

    def _different(self, thing: Thing, random: Random) -> str:
        return one_of(
            random,
            f"there are {thing.different} in the video",
            f"{thing.different} appear in the video",
            f"the recording shows {thing.different}",
            f"{thing.different} are seen {self._span(thing, random)}",
        )

    def _names(self, words: SceneWords, random: Random, *, is_first: bool = False) -> str:
        names = list(words.names)
        joined = join_items(names, "and")
        faces = join_items([f"the face of {name}" for name in names], "and")
        verb = "was" if len(names) == 1 else "were"
        known = one_of(random, "recognised", "recognised", "identified")
        camera = f"camera {words.camera}" if words.camera else "the recording"
        shapes = [
            f"{faces} {verb} {known}"
            if len(names) <= MAX_FACES_BY_NAME
            else f"{joined} {verb} {known}",
            f"{joined} {verb} {known}",
            f"{camera} {one_of(random, 'recognised', 'identified')} {joined}",
        ]
        if is_first:
            return one_of(random, *(f"{words.at}, {shape}" for shape in shapes))
        appears = "appears" if len(names) == 1 else "appear"
        return one_of(random, *shapes, shapes[0], f"{joined} {appears} in the scene")

    def _face(self, face: Thing, words: SceneWords, random: Random) -> str:
        shown = (
            face.counted if not face.is_plural or chance(random, 0.5) else f"up to {face.counted}"
        )
        is_are = "are" if face.is_plural else "is"
        verb = one_of(random, f"{is_are} visible", f"{is_are} visible", self._verb([face], random))
        tail = ", without identification" if words.is_unrecognised else ""
        if words.is_unrecognised and chance(random, 0.3):
            tail = one_of(random, ", not recognised", ", not identified")
        return f"{shown} {verb}{tail}"

    def _unrecognised(self, thing: Thing, random: Random) -> str:
        verb = "remain" if thing.is_plural else "remains"
        return f"{thing.definite} {verb} unidentified"

    def _span(self, thing: Thing, random: Random) -> str:
        return thing.span or one_of(random, *_THROUGHOUT)

    def _is_plural(self, things: Sequence[Thing]) -> bool:
        return len(things) > 1 or things[0].is_plural

    def _verb(self, things: Sequence[Thing], random: Random) -> str:
        pairs = [
            ("appears", "appear"),
            ("is visible", "are visible"),
            ("is present", "are present"),
        ]
        pairs += [("is seen", "are seen"), ("appeared", "appeared")]
        return one_of(random, *pairs)[self._is_plural(things)]

    def _passive(self, things: Sequence[Thing], random: Random) -> str:
        verb = one_of(random, "recorded", "captured", "seen", "detected", "observed")
        return f"{'were' if self._is_plural(things) else 'was'} {verb}"

    def _day(self, words: SceneWords, random: Random) -> str:
        phrases = [text for part in words.parts for text in _DAY.get(part, ())]
        chosen = shuffled(random, phrases)
        return chosen[0] if chosen else words.at
