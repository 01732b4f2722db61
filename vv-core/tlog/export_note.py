"""The note that goes with an exported clip: what it is, and how anybody checks it."""

from __future__ import annotations

from typing import Any

from vv_core.logs import printable

_TEXT = """\
{title}
{when} · {who}

PORTUGUÊS
---------
{clip}
    o vídeo.
{proof}
    a prova: a LogLine (o que foi registrado sobre o vídeo), o lugar dela no registro (linha {seq})
    e uma cabeça do registro, assinada.

Para conferir, sem internet e sem nenhum segredo:

    vv-log check '{proof}' --clip '{clip}' --vkey 'CHAVE'

CHAVE é a chave pública do registro. Peça-a a quem cuida do equipamento, por outro caminho que não
este: uma chave que vem junto com a prova não prova nada. Ela deve ser esta:

    {vkey}

VÁLIDA quer dizer: a LogLine está no registro assinado, nesse lugar, sem um bit mudado, e fala deste
vídeo. Não quer dizer que a câmera viu a verdade, nem que a hora do equipamento estava certa.

Sem o nosso programa: `zcat '{proof}' | head -n 1` mostra a LogLine; `evidence.video_sha256` nela
é o que `sha256sum '{clip}'` mostra; o resto (`zcat … | sed 1d`) é uma prova c2sp.org/tlog-proof.
Se o zcat não abrir o arquivo, `vv-log check --show` mostra o mesmo texto.

ENGLISH
-------
{clip}
    the video.
{proof}
    the proof: the LogLine (what was logged about the video), its place in the log (line {seq}), and a
    signed head of the log.

To check, without internet and without any secret:

    vv-log check '{proof}' --clip '{clip}' --vkey 'KEY' --language en

KEY is the log's public key. Ask whoever keeps the box for it, by another way than this one: a key that
comes with the proof proves nothing. It should be the one shown above.

VALID means: the LogLine stands in the signed log, at that place, without a bit changed, and is about
this video. It does not mean that the camera saw the truth, nor that the box's clock was right.

Without our program: `zcat '{proof}' | head -n 1` shows the LogLine; its `evidence.video_sha256` is what
`sha256sum '{clip}'` shows; the rest (`zcat … | sed 1d`) is a c2sp.org/tlog-proof.
If zcat does not open the file, `vv-log check --show` prints the same text.

{box}
"""


def note_text(line: dict[str, Any], clip: str, proof: str, vkey: str, box: str) -> str:
    """Return the text of the note.

    Args:
        line: the LogLine.
        clip: file name of the video.
        proof: file name of the proof.
        vkey: the log's key.
        box: name of the box.
    """
    return _TEXT.format(
        title=printable(str(line.get("title", ""))),
        when=printable(str(line.get("when", ""))),
        who=printable(str(line.get("who", ""))),
        seq=line["log"]["seq"],
        clip=printable(clip),
        proof=printable(proof),
        vkey=vkey,
        box=printable(box),
    )
