"""Wrong texts that the check must refuse, and right ones that it must accept, by hand."""

from __future__ import annotations

import pytest

from summarize_scene.facts import SceneFacts
from summarize_scene.grounding import check
from summarize_scene.number_words import Language
from tests.summarize_scene.scenes import label, person, scene

FACTS = scene(
    label("person", 2, 3.0, 31.0, different=5),
    label("car", 1, 10.0, 12.0),
    names=(person("maria"),),
)
TITLE: dict[Language, str] = {
    "pt-BR": "Maria na câmera entrada: duas pessoas e um carro",
    "en": "Maria on camera entrada: two people and a car",
}
# Duas pessoas (3 s a 31 s, cinco diferentes), um carro (10 s a 12 s), Maria (5 s a 9 s), 14h05, 40 s.

RIGHT_PT = [
    "Duas pessoas e um carro aparecem.",
    "Às 14h05, a câmera entrada registrou até duas pessoas e um carro.",
    "A câmera Entrada mostra 2 pessoas e um automóvel às 14:05.",
    "As pessoas aparecem entre 0:03 e 0:31 do vídeo; o carro, entre 0:10 e 0:12.",
    "Entre 0:03 e 0:31 do vídeo aparecem duas pessoas.",
    "Um carro é visto aos 10 segundos do vídeo.",
    "Em um vídeo de 40 segundos surgem dois indivíduos ao mesmo tempo.",
    "Ao todo são cinco pessoas, vistas entre 0:03 e 0:31 do vídeo.",
    "Cinco pessoas diferentes são vistas durante a tarde.",
    "O rosto de Maria foi reconhecido.",
    "Maria aparece no instante 0:05 do vídeo, e um carro aparece entre 0:10 e 0:12.",
    "O vídeo, gravado entre 14h05 e 14h05, mostra o carro.",
]
WRONG_PT = [
    pytest.param("Três pessoas aparecem.", "count", id="wrong number word"),
    pytest.param("3 pessoas aparecem.", "count", id="wrong digit"),
    pytest.param("Uma pessoa aparece.", "count", id="too few"),
    pytest.param("A pessoa aparece.", "count", id="singular for two"),
    pytest.param("Os carros aparecem.", "count", id="plural for one"),
    pytest.param("Vinte e duas pessoas aparecem.", "count", id="compound number"),
    pytest.param("Ao todo são duas pessoas.", "count", id="total that is not the total"),
    pytest.param("Quatro pessoas diferentes são vistas.", "count", id="different that is wrong"),
    pytest.param("Zero carros aparecem.", "count", id="zero of what was seen"),
    pytest.param("Um gato aparece.", "unseen label", id="invented label"),
    pytest.param("Um caminhão aparece.", "unseen label", id="another vehicle"),
    pytest.param("Há movimentação na cena.", "unseen label", id="synonym of unseen label"),
    pytest.param("Uma aeronave aparece.", "unseen label", id="second synonym of unseen label"),
    pytest.param("Há uma arma na cena.", "unseen label", id="invented weapon"),
    pytest.param("Há fogo na cena.", "unseen label", id="invented fire"),
    pytest.param("Um veículo aparece.", "word", id="hypernym"),
    pytest.param("Um homem aparece.", "word", id="gender is not seen"),
    pytest.param("As pessoas correm.", "word", id="action is not seen"),
    pytest.param("Duas pessoas suspeitas aparecem.", "word", id="judgement"),
    pytest.param("Há uma explosão na cena.", "word", id="word outside the vocabulary"),
    pytest.param("Várias pessoas aparecem.", "word", id="vague number"),
    pytest.param("Mais de duas pessoas aparecem.", "word", id="more than seen"),
    pytest.param("O rosto de João foi reconhecido.", "name", id="invented name"),
    pytest.param("O rosto de “João” foi reconhecido.", "name", id="invented name, quoted"),
    pytest.param("A câmera Garagem mostra um carro.", "name", id="invented camera"),
    pytest.param("Entrada mostra um carro.", "word", id="camera's name without the word camera"),
    pytest.param("Às 15h05 aparece um carro.", "time", id="invented time of day"),
    pytest.param("Um carro aparece no instante 0:20 do vídeo.", "time", id="invented place"),
    pytest.param("O carro aparece entre 0:03 e 0:31.", "time", id="another label's times"),
    pytest.param("As pessoas aparecem entre 0:31 e 0:03.", "time", id="times turned round"),
    pytest.param("O carro aparece entre 0:10 e 0:31.", "time", id="half of another's times"),
    pytest.param("O carro aparece aos 20 segundos.", "time", id="invented second"),
    pytest.param("As pessoas aparecem durante todo o vídeo.", "time", id="not throughout"),
    pytest.param("O vídeo dura 50 segundos.", "duration", id="wrong length"),
    pytest.param("O vídeo dura um minuto.", "duration", id="wrong length in words"),
    pytest.param("Duas pessoas aparecem de madrugada.", "condition", id="wrong part of the day"),
    pytest.param("Atenção: um carro aparece.", "condition", id="invented warning"),
    pytest.param("A cena está tranquila.", "condition", id="not quiet"),
    pytest.param("Nada foi detectado.", "condition", id="nothing, where something was"),
    pytest.param("O detector básico indica um carro.", "condition", id="not that detector"),
    pytest.param("Não há carro.", "negation", id="denied"),
    pytest.param("Duas pessoas aparecem sem o carro.", "negation", id="without"),
    pytest.param("Um carro e 7 aparecem.", "number", id="number of nothing"),
    pytest.param("Entre duas e três pessoas aparecem.", "number", id="range of numbers"),
    pytest.param("Há mais 3 tipos de objeto.", "number", id="other kinds that are not there"),
    pytest.param("O carro passou a 1.5 metros.", "number", id="decimal number"),
    pytest.param("Duas pessoas e um carro", "cut off", id="no full stop"),
    pytest.param("Duas pessoas aparecem com.", "cut off", id="ends in a preposition"),
    pytest.param("Duas pessoas aparecem, um.", "cut off", id="ends in an article"),
    pytest.param("Duas pessoas aparecem (um carro.", "cut off", id="open bracket"),
    pytest.param("Um carro aparece. Um carro aparece.", "repeat", id="sentence twice"),
    pytest.param("Um carro aparece aparece.", "repeat", id="word twice"),
    pytest.param("Um carro e um carro e um carro aparecem.", "repeat", id="said three times"),
    pytest.param("Um carro no na cena aparece.", "degenerate", id="joining words in a row"),
    pytest.param("O aparece um carro.", "degenerate", id="article without a noun"),
    pytest.param("Foi visto mostra registra um carro.", "degenerate", id="verbs in a row"),
    pytest.param("Um carro. Vídeo. Cena. Câmera. Imagem.", "degenerate", id="too many sentences"),
    pytest.param("Uma câmera carro aparece.", "degenerate", id="two things side by side"),
    pytest.param("O carro cena aparece.", "degenerate", id="label and noun side by side"),
    pytest.param("O vídeo 40 segundos dura.", "degenerate", id="noun and length side by side"),
    pytest.param("Duas pessoas e um carro.", "degenerate", id="no verb"),
    pytest.param("A câmera.", "degenerate", id="a noun alone"),
    pytest.param("As pessoas aparecem entre 0:03.", "cut off", id="half a range"),
    pytest.param("As pessoas aparecem entre 0:03 e.", "cut off", id="a range without its end"),
    pytest.param("Duas pessoas aparecem e um carro,", "cut off", id="ends in a comma"),
    pytest.param("Duas pessoas e um carro aparecem –", "cut off", id="ends in a dash"),
    pytest.param(
        "As pessoas aparecem na câmera entrada às 14h05 e as pessoas aparecem na câmera entrada às 14h05.",
        "repeat",
        id="passage twice",
    ),
    pytest.param("O carro, o carro, o carro aparece.", "repeat", id="label three times"),
    pytest.param("Two people and a car appear.", "language", id="other language"),
    pytest.param("Duas pessoas appear e um carro aparece.", "word", id="one word of the other"),
    pytest.param("Um carro\naparece.", "character", id="newline"),
    pytest.param("Um carro \x1b[31maparece.", "character", id="escape sequence"),
    pytest.param("Um carro \u202eaparece.", "character", id="right-to-left override"),
    pytest.param("Um carro aparece {agora}.", "character", id="braces"),
    pytest.param("", "empty", id="empty"),
    pytest.param("   ", "empty", id="blank"),
    pytest.param("Um carro aparece. " * 80, "length", id="too long"),
]
RIGHT_EN = [
    "Two people and a car appear.",
    "At 14:05, camera entrada recorded up to two people and a car.",
    "The entrada camera shows 2 persons and one automobile at 2:05 pm.",
    "The people are visible between 0:03 and 0:31 of the video, and the car between 0:10 and 0:12.",
    "The car is seen at 10 seconds.",
    "In a video of 40 seconds, two individuals are visible at the same time.",
    "In a 40-second clip, two people appear.",
    "In total there are five people, seen between 0:03 and 0:31 of the video.",
    "Five different people appear in the afternoon.",
    "The face of Maria was recognised.",
    "Maria is visible at 0:05 of the video.",
]
WRONG_EN = [
    pytest.param("Three people appear.", "count", id="wrong number word"),
    pytest.param("A person appears.", "count", id="article as one"),
    pytest.param("The person appears.", "count", id="singular for two"),
    pytest.param("The cars appear.", "count", id="plural for one"),
    pytest.param("Twenty-two people appear.", "count", id="compound number"),
    pytest.param("In total there are two people.", "count", id="total that is not the total"),
    pytest.param("Six different people appear.", "count", id="different that is wrong"),
    pytest.param("A dog appears.", "unseen label", id="invented label"),
    pytest.param("A lorry appears.", "unseen label", id="synonym of unseen label"),
    pytest.param("A firearm is visible.", "unseen label", id="invented weapon"),
    pytest.param("A vehicle appears.", "word", id="hypernym"),
    pytest.param("A man appears.", "word", id="gender is not seen"),
    pytest.param("Two people are fighting.", "word", id="action is not seen"),
    pytest.param("Several people appear.", "word", id="vague number"),
    pytest.param("The face of Joana was recognised.", "name", id="invented name"),
    pytest.param("At 3:05 pm a car appears.", "time", id="invented time"),
    pytest.param("At 14:06 a car appears.", "time", id="one minute off"),
    pytest.param("The car is visible between 0:03 and 0:31.", "time", id="another label's times"),
    pytest.param("The car is visible throughout.", "time", id="not throughout"),
    pytest.param("The video is 50 seconds long.", "duration", id="wrong length"),
    pytest.param("Two people appear at night.", "condition", id="wrong part of the day"),
    pytest.param("Nothing was detected.", "condition", id="nothing, where something was"),
    pytest.param("Attention: a car appears.", "condition", id="invented warning"),
    pytest.param("There is not a car.", "negation", id="denied"),
    pytest.param("Two people appear without a car.", "negation", id="without"),
    pytest.param("Two people and a car", "cut off", id="no full stop"),
    pytest.param("Two people appear with the.", "cut off", id="ends in an article"),
    pytest.param("A car appears. A car appears.", "repeat", id="sentence twice"),
    pytest.param("Two people camera appear.", "degenerate", id="two things side by side"),
    pytest.param("Two people and a car.", "degenerate", id="no verb"),
    pytest.param("The people appear between 0:03.", "cut off", id="half a range"),
    pytest.param("Duas pessoas e um carro aparecem.", "language", id="other language"),
]


def kinds(title: str, text: str, facts: SceneFacts, language: Language) -> set[str]:
    return {problem.kind for problem in check(title, text, facts, language)}


@pytest.mark.parametrize("text", RIGHT_PT)
def test_right_portuguese_is_kept(text: str) -> None:
    assert check(TITLE["pt-BR"], text, FACTS, "pt-BR") == []


@pytest.mark.parametrize("text", RIGHT_EN)
def test_right_english_is_kept(text: str) -> None:
    assert check(TITLE["en"], text, FACTS, "en") == []


@pytest.mark.parametrize(("text", "kind"), WRONG_PT)
def test_wrong_portuguese_is_refused(text: str, kind: str) -> None:
    assert kind in kinds(TITLE["pt-BR"], text, FACTS, "pt-BR")


@pytest.mark.parametrize(("text", "kind"), WRONG_EN)
def test_wrong_english_is_refused(text: str, kind: str) -> None:
    assert kind in kinds(TITLE["en"], text, FACTS, "en")


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Três pessoas na câmera entrada", "count"),
        ("Maria e João na câmera entrada", "name"),
        ("Maria na câmera entrada: duas pessoas e um", "cut off"),
        ("Duas pessoas às 23h", "time"),
        ("x" * 121, "length"),
    ],
)
def test_titles_are_checked_too(title: str, kind: str) -> None:
    text = "O rosto de Maria foi reconhecido com duas pessoas e um carro."
    assert kind in kinds(title, text, FACTS, "pt-BR")


def test_what_must_be_said_must_be_said() -> None:
    armed = scene(label("gun", 1), label("person", 3), names=(person("maria"),), alerts=("gun",))
    assert kinds("A cena", "A câmera registra a cena.", armed, "pt-BR") == {
        "missing label",
        "missing name",
        "missing warning",
    }


def test_a_label_without_its_count_is_missing() -> None:
    facts = scene(label("person", 2))
    assert kinds("As pessoas na cena", "As pessoas aparecem.", facts, "pt-BR") == {"missing label"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("“Dog” aparece na câmera entrada.", None),
        ("Um cachorro aparece com “Dog”.", "unseen label"),
        ("Dog aparece na câmera entrada.", "word"),
    ],
)
def test_a_person_named_like_a_label_is_no_licence_to_name_the_label(
    text: str, kind: str | None
) -> None:
    facts = scene(names=(person("Dog"),))
    found = kinds("“Dog” na câmera entrada", text, facts, "pt-BR")
    assert (kind in found) if kind else not found


def test_a_person_named_carro_does_not_hide_a_car() -> None:
    facts = scene(names=(person("Carro"),))
    assert "unseen label" in kinds("“Carro” na cena", "Carro aparece na cena.", facts, "pt-BR")


def test_quiet_scenes_may_be_called_so_and_nothing_else() -> None:
    quiet = scene()
    assert check("Cena tranquila", "Nada foi detectado às 14h05.", quiet, "pt-BR") == []
    assert "unseen label" in kinds("Cena tranquila", "Nenhum carro aparece.", quiet, "pt-BR")
    assert check("A quiet scene", "Nothing was detected at 14:05.", quiet, "en") == []


def test_unknown_labels_are_quoted_and_counted() -> None:
    facts = scene(label("pallet_jack", 2), label("person", 1))
    title = "Dois objetos do tipo “pallet jack” e uma pessoa"
    assert check(title, "Uma pessoa aparece na cena.", facts, "pt-BR") == []
    wrong = "Três objetos do tipo “pallet jack” aparecem."
    assert "count" in kinds(title, wrong, facts, "pt-BR")
    invented = "Um objeto do tipo “guindaste” aparece."
    assert "name" in kinds(title, invented, facts, "pt-BR")


def test_the_number_of_other_kinds_must_be_right() -> None:
    facts = scene(*[label(name, 1) for name in ("person", "car", "dog", "cat", "bus", "boat")])
    title = "Uma pessoa, um carro, um cachorro e um gato"
    assert check(title, "Há um carro e mais 2 tipos de objeto.", scene(label("car", 1)), "pt-BR")
    text = "Uma pessoa, um carro, um cachorro, um gato e mais {} tipos de objeto aparecem."
    assert check(title, text.format(2), facts, "pt-BR") == []
    assert check(title, text.format("dois"), facts, "pt-BR") == []
    assert "number" in kinds(title, text.format(3), facts, "pt-BR")


def test_faces_without_names() -> None:
    facts = scene(label("person", 1), label("face", 2, type="face"), recognition=True)
    title = "Uma pessoa na cena"
    assert check(title, "Dois rostos ficam visíveis, sem identificação.", facts, "pt-BR") == []
    reconhecido = "Dois rostos foram reconhecidos."
    assert "condition" in kinds(title, reconhecido, facts, "pt-BR")
    assert "count" in kinds(title, "Um rosto fica visível.", facts, "pt-BR")
