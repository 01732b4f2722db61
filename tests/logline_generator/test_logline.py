from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from logline_generator.logline import Context, build_logline, choose_picture, make_scene
from logline_generator.rules import Rule
from tests.logline_generator.conftest import NOW
from vv_core.audit.signing import sign_document
from vv_core.errors import InputDataError
from vv_core.utils import validate_schema
from vv_schemas import schema_path

ZONE = ZoneInfo("America/Sao_Paulo")
CONTEXT = Context("f6" * 32, "07" * 32, Rule("pessoas à noite", "alerta"), "vv-01", NOW)

SetPath = Callable[[dict[str, Any], str, Any], None]


def build(summary: dict[str, Any]) -> dict[str, Any]:
    validate_schema(summary, schema_path("summary"))
    logline = build_logline(summary, CONTEXT)
    place = {"origin": "vv-log/vv-01", "seq": 0, "previous": None}
    signed = sign_document({**logline, "log": place}, "k", bytes(range(32)))
    validate_schema(signed, schema_path("logline"))
    return logline


def test_a_logline_says_all(summary: dict[str, Any]) -> None:
    assert build(summary) == {
        "schema": "vv.logline/2",
        "id": "20261121T050304Z-a1a1a1a1a1a1",
        "who": "Câmera portaria, equipamento vv-01",
        "did": "viu pessoas",
        "this": "Entre 02:03:04 e 02:03:40 foram vistas no máximo 2 pessoas ao mesmo tempo, "
        "com uma mochila.",
        "when": "2026-11-21T05:03:04Z",
        "status": "alerta",
        "source": "portaria/20261121_020304.mp4",
        "title": "Duas pessoas e uma mochila na portaria",
        "language": "pt-BR",
        "when_origin": "name",
        "status_rule": "pessoas à noite",
        "entities": [{"label": "person", "count": 2}, {"label": "backpack", "count": 1}],
        "names": [],
        "media": {
            "camera": "portaria",
            "bytes": 504961,
            "duration_ms": 39962,
            "picture": "20261121_020304.pictures/best-person.jpg",
            "picture_sha256": "e5" * 32,
        },
        "evidence": {
            "video_sha256": "a1" * 32,
            "analytic_sha256": "b2" * 32,
            "summary_sha256": "f6" * 32,
            "detector": "yolov8n_int8_openvino_model",
            "detector_sha256": "c3" * 32,
            "writer": "rules",
            "model_sha256": None,
            "prompt_sha256": None,
            "rules_sha256": "07" * 32,
        },
        "logged_at": "2026-11-21T05:10:30Z",
    }


def fact(kind: str, label: str, count: int = 1) -> dict[str, Any]:
    return {
        "type": kind,
        "label": label,
        "count": count,
        "different": None,
        "first_seen": 0,
        "last_seen": 1,
    }


DID = [
    ([fact("object", "person")], [], "viu pessoas", "saw people"),
    ([fact("face", "face")], [], "viu pessoas", "saw people"),
    ([fact("motion", "motion"), fact("object", "dog")], [], "viu objetos", "saw objects"),
    ([fact("motion", "motion")], [], "registrou movimento", "recorded motion"),
    ([], [], "não viu nada de novo", "saw nothing new"),
    ([fact("face", "face")], ["Ana", "Bia"], "reconheceu Ana, Bia", "recognised Ana, Bia"),
]


@pytest.mark.parametrize(("facts", "names", "portuguese", "english"), DID)
def test_who_and_did_are_words_in_the_language_of_the_summary(
    summary: dict[str, Any], facts: Any, names: Any, portuguese: str, english: str
) -> None:
    summary |= {"facts": facts, "names": names}
    assert build(summary)["did"] == portuguese
    summary["language"] = "en"
    logline = build(summary)
    assert logline["did"] == english
    assert logline["who"] == "Camera portaria, box vv-01"


def test_without_a_camera_the_box_is_the_witness(summary: dict[str, Any]) -> None:
    summary["source"]["camera"] = ""
    assert build(summary)["who"] == "Equipamento vv-01"


def test_long_texts_are_cut_and_braces_are_text(summary: dict[str, Any]) -> None:
    summary["source"]["camera"] = "{box}" * 51
    summary["names"] = ["Ana" * 40, "Bia" * 40]
    logline = build_logline(summary, Context("0", "0", CONTEXT.rule, "b" * 100, NOW))
    assert len(logline["who"]) == 300
    assert logline["who"].startswith("Câmera {box}{box}")
    assert len(logline["did"]) == 200
    assert logline["did"].endswith("…")


def test_a_label_stands_once_with_its_most(summary: dict[str, Any]) -> None:
    summary["facts"] = [fact("object", "person", 2), fact("face", "person", 3), fact("object", "a")]
    assert build(summary)["entities"] == [
        {"label": "person", "count": 3},
        {"label": "a", "count": 1},
    ]


def test_a_model_is_the_author_only_of_a_text_that_was_kept(
    summary: dict[str, Any], set_path: SetPath
) -> None:
    summary["engine"] |= {
        "kind": "llama.cpp",
        "model": "bitnet.gguf",
        "model_hash": "12" * 32,
        "prompt_hash": "34" * 32,
    }
    set_path(summary, "grounding/path", "model")
    evidence = build(summary)["evidence"]
    assert evidence["writer"] == "bitnet.gguf"
    assert (evidence["model_sha256"], evidence["prompt_sha256"]) == ("12" * 32, "34" * 32)
    summary["grounding"] |= {"path": "rules", "fallback_reason": "a number that was not seen"}
    evidence = build(summary)["evidence"]
    assert (evidence["writer"], evidence["model_sha256"], evidence["prompt_sha256"]) == (
        "rules",
        None,
        None,
    )


def test_control_characters_are_replaced(summary: dict[str, Any]) -> None:
    summary["source"] |= {"file": "a\nb\x1b\udcff.mp4", "camera": "\u202ecam"}
    summary["title"] = "t\x00"
    logline = build_logline(summary, CONTEXT)
    assert logline["source"] == "a\ufffdb\ufffd\ufffd.mp4"
    assert logline["media"]["camera"] == "\ufffdcam"
    assert logline["title"] == "t\ufffd"
    assert logline["who"] == "Câmera \ufffdcam, equipamento vv-01"


def picture(kind: str, file: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "file": file,
        "sha256": "0" * 64,
        "label": "person" if kind == "best" else None,
        "timestamp": None,
    }


SHEET = picture("contact_sheet", "a.pictures/sheet.jpg")
BEST = picture("best", "a.pictures/best.jpg")
GHOST = {**picture("best", "a.pictures/ghost.jpg"), "label": "toothbrush"}
PICTURES = {
    "best before sheet": ([SHEET, BEST], BEST),
    "sheet without best": ([SHEET], SHEET),
    "the first fact's, whatever comes first": ([GHOST, SHEET, BEST], BEST),
    "of no fact": ([GHOST, SHEET], SHEET),
    "none": ([], None),
    "absolute": ([picture("best", "/etc/passwd"), SHEET], SHEET),
    "above the folder": ([picture("best", "../../secrets/a.jpg")], None),
    "above, in the middle": ([picture("best", "a/../../b.jpg")], None),
    "backslashes": ([picture("best", "..\\b.jpg")], None),
    "control characters": ([picture("best", "a\n.jpg")], None),
}


@pytest.mark.parametrize(("pictures", "expected"), PICTURES.values(), ids=PICTURES)
def test_the_picture_that_stands_for_a_video(pictures: Any, expected: Any) -> None:
    assert choose_picture(pictures, ["bus", "person"]) == expected


def test_without_a_picture(summary: dict[str, Any]) -> None:
    summary["pictures"] = []
    media = build(summary)["media"]
    assert (media["picture"], media["picture_sha256"]) == (None, None)


STARTS = {
    "no such month": "2026-13-01T00:00:00Z",
    "no such hour": "2026-11-21T24:30:00Z",
    "year zero": "0000-01-01T00:00:00Z",
    "before time zones": "0001-01-01T00:00:00Z",
    "after time zones": "9999-12-31T23:59:59Z",
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_start_that_no_recording_has(summary: dict[str, Any], start: str) -> None:
    summary["source"]["start"] = start
    with pytest.raises(InputDataError, match="not a time"):
        build_logline(summary, CONTEXT)
    with pytest.raises(InputDataError, match="not a time"):
        make_scene(summary, ZONE)


def test_a_duration_without_end(summary: dict[str, Any]) -> None:
    summary["source"]["duration_s"] = float("inf")
    with pytest.raises(InputDataError, match="finite"):
        build_logline(summary, CONTEXT)


def test_the_scene_of_a_summary(summary: dict[str, Any]) -> None:
    summary["names"] = ["Ana"]
    scene = make_scene(summary, ZONE)
    assert scene.start.isoformat() == "2026-11-21T02:03:04.500000-03:00"
    assert scene.counts == {"person": 2, "backpack": 1}
    assert (scene.names, scene.camera) == (("Ana",), "portaria")
    assert (scene.detector, scene.text_by) == ("yolo", "rules")
    summary["detector"]["embedded_default"] = True
    assert make_scene(summary, ZONE).detector == "embedded"
