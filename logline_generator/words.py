"""The words of a LogLine and of its readable page, in each language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Words:
    """Everything that is said in one language; ``{…}`` are filled in."""

    camera_of_box: str
    box: str
    recognised: str
    saw_people: str
    saw_objects: str
    saw_motion: str
    saw_nothing: str
    status: str
    by_rule: str
    picture_of: str
    no_picture: str
    facts: str
    who: str
    did: str
    when: str
    when_origins: dict[str, str]
    source: str
    duration: str
    seen: str
    none_seen: str
    times: str
    names: str
    logged_at: str
    evidence: str
    evidence_rows: dict[str, str]
    writer_rules: str
    signature: str
    verify: str
    verify_text: str


WORDS: Final[dict[str, Words]] = {
    "pt-BR": Words(
        camera_of_box="Câmera {camera}, equipamento {box}",
        box="Equipamento {box}",
        recognised="reconheceu {names}",
        saw_people="viu pessoas",
        saw_objects="viu objetos",
        saw_motion="registrou movimento",
        saw_nothing="não viu nada de novo",
        status="Situação",
        by_rule="pela regra “{rule}”",
        picture_of="Imagem do vídeo, com o que foi visto",
        no_picture="Sem imagem: nada foi visto que merecesse uma.",
        facts="Fatos",
        who="Quem",
        did="Fez",
        when="Quando",
        when_origins={
            "name": "hora do nome do arquivo",
            "container": "hora gravada no vídeo",
            "mtime": "hora do arquivo no disco",
        },
        source="Vídeo",
        duration="Duração",
        seen="Rótulos (máximo ao mesmo tempo)",
        none_seen="nada",
        times="{count} × {label}",
        names="Reconhecidos",
        logged_at="Registrado em",
        evidence="Provas (SHA-256)",
        evidence_rows={
            "video_sha256": "vídeo",
            "analytic_sha256": "análise",
            "summary_sha256": "resumo",
            "detector_sha256": "detector ({detector})",
            "model_sha256": "autor do texto ({writer})",
            "prompt_sha256": "prompt",
            "rules_sha256": "regras de situação",
            "picture_sha256": "imagem",
        },
        writer_rules="regras",
        signature="assinatura {algorithm}, chave {key_id}",
        verify="Como verificar",
        verify_text="Esta página é só para leitura; o que vale é o arquivo assinado ao lado dela. "
        "Na pasta do sistema:",
    ),
    "en": Words(
        camera_of_box="Camera {camera}, box {box}",
        box="Box {box}",
        recognised="recognised {names}",
        saw_people="saw people",
        saw_objects="saw objects",
        saw_motion="recorded motion",
        saw_nothing="saw nothing new",
        status="Status",
        by_rule="by the rule “{rule}”",
        picture_of="Picture from the video, with what was seen",
        no_picture="No picture: nothing was seen that would deserve one.",
        facts="Facts",
        who="Who",
        did="Did",
        when="When",
        when_origins={
            "name": "time in the file name",
            "container": "time recorded in the video",
            "mtime": "time of the file on disk",
        },
        source="Video",
        duration="Duration",
        seen="Labels (most at the same time)",
        none_seen="nothing",
        times="{count} × {label}",
        names="Recognised",
        logged_at="Logged at",
        evidence="Evidence (SHA-256)",
        evidence_rows={
            "video_sha256": "video",
            "analytic_sha256": "analytic",
            "summary_sha256": "summary",
            "detector_sha256": "detector ({detector})",
            "model_sha256": "author of the text ({writer})",
            "prompt_sha256": "prompt",
            "rules_sha256": "status rules",
            "picture_sha256": "picture",
        },
        writer_rules="rules",
        signature="signature {algorithm}, key {key_id}",
        verify="How to verify",
        verify_text="This page is for reading only; what counts is the signed file beside it. "
        "In the folder of the system:",
    ),
}
