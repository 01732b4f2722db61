"""The words of events, in each language: for each kind what the box did, and the whole sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class EventWords:
    """Everything that is said in one language; ``{…}`` are filled in from the details."""

    box: str
    no_camera: str
    texts: dict[str, tuple[str, str]]


WORDS: Final[dict[str, EventWords]] = {
    "pt-BR": EventWords(
        box="Equipamento {box}",
        no_camera="sem nome",
        texts={
            "start": ("começou a trabalhar", "O sistema, versão {version}, começou a trabalhar."),
            "rotation": (
                "trocou a chave de assinatura",
                "A partir daqui assina a chave {new_key_id}; a chave {old_key_id} não assina mais.",
            ),
            "revocation": (
                "revogou uma chave",
                "O que a chave {key_id} assinou a partir da posição {from_seq} não vale.",
            ),
            "recovery": (
                "recuperou o registro",
                "O registro foi interrompido e refeito a partir do que estava garantido: "
                "{replayed} linhas refeitas, {torn_bytes} bytes incompletos guardados à parte.",
            ),
            "new_epoch": (
                "começou outro registro",
                "O registro {old_origin} não pôde continuar; o último cabeçalho assinado tinha "
                "{signed_size} linhas. Ele foi guardado como estava, e este começa.",
            ),
            "pruned": (
                "apagou registros antigos",
                "Linhas abaixo da posição {below} podem ter sido apagadas; as provas delas ficam.",
            ),
            "camera_silent": (
                "ficou sem imagens de uma câmera",
                "A câmera {camera} não entrega vídeos desde {since}: não se sabe o que houve ali.",
            ),
            "camera_back": (
                "voltou a receber uma câmera",
                "A câmera {camera} voltou a entregar vídeos; estava sem entregar desde {since}.",
            ),
            "box_off": (
                "esteve parado",
                "O sistema não trabalhou entre {from} e {to}: não se sabe o que houve nesse tempo.",
            ),
            "clock_step": (
                "teve o relógio mudado",
                "O relógio mudou de {from} para {to}.",
            ),
            "file_removed": (
                "apagou um arquivo",
                "O arquivo {file} foi apagado: {why}.",
            ),
        },
    ),
    "en": EventWords(
        box="Box {box}",
        no_camera="without a name",
        texts={
            "start": ("began to work", "The system, version {version}, began to work."),
            "rotation": (
                "changed the signing key",
                "From here on the key {new_key_id} signs; the key {old_key_id} signs no more.",
            ),
            "revocation": (
                "revoked a key",
                "What the key {key_id} signed from position {from_seq} on does not count.",
            ),
            "recovery": (
                "recovered the log",
                "The log was interrupted and made again from what was committed: "
                "{replayed} lines made again, {torn_bytes} incomplete bytes kept aside.",
            ),
            "new_epoch": (
                "began another log",
                "The log {old_origin} could not be continued; the head signed last had "
                "{signed_size} lines. It was kept as it was, and this one begins.",
            ),
            "pruned": (
                "deleted old entries",
                "Lines below position {below} may have been deleted; their proofs stay.",
            ),
            "camera_silent": (
                "had no pictures of a camera",
                "The camera {camera} has delivered no videos since {since}: "
                "what happened there is not known.",
            ),
            "camera_back": (
                "received a camera again",
                "The camera {camera} delivers videos again; it had delivered none since {since}.",
            ),
            "box_off": (
                "was not at work",
                "The system did not work between {from} and {to}: "
                "what happened in that time is not known.",
            ),
            "clock_step": (
                "had its clock changed",
                "The clock changed from {from} to {to}.",
            ),
            "file_removed": (
                "removed a file",
                "The file {file} was removed: {why}.",
            ),
        },
    ),
}
