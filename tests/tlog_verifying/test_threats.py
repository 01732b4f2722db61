"""The threats of the provable log, each with an attacker who has every file of the box at that moment.

That is: all of ``loglines``, the HMAC key that signs now (earlier ones are erased), and the key that signs
heads. The auditor has the public key, the first HMAC key noted at installation, and perhaps what a witness
holds. Nobody can prove from the box alone that its tail was not cut: then the report has to say so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.log_builder import LogBuilder, canonical, leaf_of, sign_line, tile_name
from tests.tlog_verifying.box import WITNESS, audit, audit_box, built
from vv_core.audit.report import Tally, escape_name, format_coverage, format_finding
from vv_core.audit.verdict import Status

COUNT = 40


@pytest.fixture
def box(tmp_path: Path) -> LogBuilder:
    return built(tmp_path, COUNT)


@pytest.fixture
def head(box: LogBuilder, tmp_path: Path) -> str:
    """What a witness holds: the head over all lines of the box as it was."""
    path = tmp_path / "held by sala-2"
    path.write_bytes(box.checkpoint())
    return str(path)


def published(box: LogBuilder, seq: int) -> Path:
    """Return the published file of a line."""
    return box.folder / list(box.files)[seq]


def change_entry(box: LogBuilder, seq: int, entry: bytes) -> None:
    """Put other bytes for a line, in memory; links and heads stay as they were."""
    box.entries[seq] = entry
    box.files[list(box.files)[seq]] = entry + b"\n"


def rewrite(box: LogBuilder) -> LogBuilder:
    """Write everything again, as who has the key of heads can."""
    shutil.rmtree(box.folder)
    return box.write()


def relink(box: LogBuilder, first: int) -> None:
    """Give lines from here on new places and links, and sign them with the key that was stolen."""
    for seq in range(first, len(box.entries)):
        document = json.loads(box.entries[seq])
        previous = leaf_of(box.entries[seq - 1]).hex() if seq else None
        document["log"] = {"origin": box.origin, "seq": seq, "previous": previous}
        del document["signature_details"]
        change_entry(box, seq, sign_line(document, *box.key))


def test_a_clean_box(box: LogBuilder, head: str) -> None:
    for with_keys in (True, False):
        result = audit_box(box, with_keys=with_keys, heads=[head])
        assert (result.problems, result.exit_code) == ([], 0)
        assert len(result.findings) == len(box.entries) + 1, "each file, and the head"
    assert audit(box.log, vkeys=[box.signer.vkey], keys=box.keys).exit_code == 0


class TestBitFlip:
    @pytest.mark.parametrize("with_keys", [True, False])
    def test_in_a_published_file(self, box: LogBuilder, with_keys: bool) -> None:
        path = published(box, 7)
        path.write_bytes(path.read_bytes().replace(b"portaria, equip", b"portarib, equip"))
        result = audit_box(box, with_keys=with_keys)
        assert result.problems[0][:2] == (path.name, "INVALID")
        assert result.exit_code == 1

    def test_in_the_log_names_the_line(self, box: LogBuilder) -> None:
        path = box.log / tile_name("entries", 0, len(box.entries))
        data = path.read_bytes()
        at = data.index(box.entries[9]) + data[data.index(box.entries[9]) :].index(b"mochila")
        path.write_bytes(data[:at] + b"n" + data[at + 1 :])
        result = audit(box.log, vkeys=[box.signer.vkey])
        assert ("log", "INVALID", "entry_changed") in result.problems
        assert result.seqs(Status.INVALID)[0] == (9, 9)

    def test_in_a_hash_tile(self, box: LogBuilder) -> None:
        path = box.log / tile_name("0", 0, len(box.entries))
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        assert audit_box(box).problems == [(path.name, "INVALID", "tile_changed")]


class TestEditAndResign:
    """With the stolen current key."""

    def edited(self, box: LogBuilder, seq: int) -> bytes:
        document = json.loads(box.entries[seq])
        document["this"] = "nada aconteceu"
        del document["signature_details"]
        return sign_line(document, *box.key)

    def test_of_a_published_file(self, box: LogBuilder) -> None:
        seq = len(box.entries) - 2
        published(box, seq).write_bytes(self.edited(box, seq) + b"\n")
        problems = audit_box(box).problems
        assert problems == [
            (published(box, seq).name, "UNLOGGED", "not_in_log"),
            ("log", "MISSING", "file_missing"),
        ]
        assert audit_box(box, with_keys=False).statuses == {"INVALID", "MISSING"}

    def test_of_yesterday_is_told_by_the_key(self, box: LogBuilder) -> None:
        """The whole log is written again and its head signed: yesterday's key is not there to be stolen."""
        change_entry(box, 3, self.edited(box, 3))
        relink(box, 4)
        rewrite(box)
        result = audit_box(box)
        assert result.exit_code == 1
        assert {"revoked_key", "retired_key"} & {reason for *_, reason in result.problems}
        assert audit(box.log, vkeys=[box.signer.vkey], keys=box.keys).statuses == {"INVALID"}

    def test_of_today_is_told_by_a_witness(self, box: LogBuilder, head: str) -> None:
        seq = len(box.entries) - 2
        change_entry(box, seq, self.edited(box, seq))
        relink(box, seq + 1)
        rewrite(box)
        assert audit_box(box).exit_code == 0, "the box alone cannot tell"
        assert audit_box(box, heads=[head]).statuses == {"FORKED"}


class TestDeleteOne:
    @pytest.mark.parametrize("with_keys", [True, False])
    def test_published_file(self, box: LogBuilder, with_keys: bool) -> None:
        published(box, 5).unlink()
        result = audit_box(box, with_keys=with_keys)
        assert result.problems == [("log", "MISSING", "file_missing")]
        assert result.seqs(Status.MISSING) == [(5, 5)]

    def test_entry_of_the_log(self, box: LogBuilder) -> None:
        del box.entries[5]
        part = b"".join(struct.pack(">H", len(entry)) + entry for entry in box.entries)
        size = len(box.entries) + 1
        (box.log / tile_name("entries", 0, size)).unlink()
        box.write_tile("entries", 0, size - 1, part)
        result = audit_box(box)
        assert result.exit_code == 1
        assert (5, 5) in result.seqs(Status.MISSING)

    def test_a_bundle(self, tmp_path: Path) -> None:
        box = built(tmp_path, 600)
        (box.log / tile_name("entries", 1)).unlink()
        result = audit_box(box, with_keys=False)
        assert result.seqs(Status.MISSING) == [(256, 511)]

    def test_a_bundle_and_a_file_that_calls_it_pruned(self, tmp_path: Path) -> None:
        box = built(tmp_path, 600)
        (box.log / tile_name("entries", 0)).unlink()
        (box.log / "pruned").write_text('{"schema":"vv.log-pruned/1","below":256}')
        result = audit_box(box)
        assert ("pruned", "INVALID", "pruned_more") in result.problems
        assert result.seqs(Status.MISSING) == [(0, 255)]

    def test_with_the_key_of_heads(self, box: LogBuilder, head: str) -> None:
        del box.entries[5]
        del box.files[list(box.files)[5]]
        relink(box, 5)
        rewrite(box)
        assert audit_box(box, heads=[head]).statuses >= {"ROLLED_BACK"}


class TestCutTheTail:
    """The attacker has kept an earlier head, which the log did sign."""

    def cut(self, box: LogBuilder, size: int) -> LogBuilder:
        box.files = dict(list(box.files.items())[:size])
        del box.entries[size:]
        return rewrite(box)

    def test_a_witness_tells(self, box: LogBuilder, head: str) -> None:
        total = len(box.entries)
        result = audit_box(self.cut(box, 30), heads=[head])
        assert result.problems == [("held by sala-2", "ROLLED_BACK", "shorter_than_head")]
        assert result.seqs(Status.ROLLED_BACK) == [(30, total - 1)]
        assert result.exit_code == 1

    def test_size_and_root_are_enough(self, box: LogBuilder) -> None:
        root = box.head_text().splitlines()[2]
        bare = f"{len(box.entries)}:{root}"
        self.cut(box, 30)
        assert audit(box.folder, keys=box.keys, heads=[bare]).statuses == {"ROLLED_BACK"}

    def test_without_a_witness_the_report_says_signed_only(self, box: LogBuilder) -> None:
        result = audit_box(self.cut(box, 30))
        assert result.exit_code == 0
        text = format_coverage(Tally(), result.logs, "en")
        assert text[1] == "  signed only, no witness: 30 lines (0–29)"

    def test_published_files_that_were_left(self, box: LogBuilder) -> None:
        files = dict(box.files)
        self.cut(box, 30)
        for name in list(files)[30:]:
            (box.folder / name).write_bytes(files[name])
        result = audit_box(box)
        assert {reason for *_, reason in result.problems} == {"beyond_head"}
        assert result.statuses == {"UNLOGGED"}

    def test_a_cosigned_head_beside_the_log_that_was_left(self, box: LogBuilder) -> None:
        note = box.checkpoint(cosigners={WITNESS: 1_795_000_000})
        self.cut(box, 30)
        (box.log / "witness").mkdir()
        (box.log / "witness" / "sala-2").write_bytes(note)
        result = audit(box.folder, vkeys=[box.signer.vkey, WITNESS.vkey], keys=box.keys)
        assert result.problems == [("sala-2", "ROLLED_BACK", "shorter_than_head")]


class TestReorder:
    def test_two_entries(self, box: LogBuilder) -> None:
        box.entries[4], box.entries[5] = box.entries[5], box.entries[4]
        size = len(box.entries)
        data = b"".join(struct.pack(">H", len(entry)) + entry for entry in box.entries)
        box.write_tile("entries", 0, size, data)
        assert "REORDERED" in audit_box(box).statuses

    def test_with_the_key_of_heads(self, box: LogBuilder) -> None:
        box.entries[4], box.entries[5] = box.entries[5], box.entries[4]
        rewrite(box)
        result = audit_box(box, with_keys=False)
        assert (4, 4) in result.seqs(Status.REORDERED)
        assert (5, 5) in result.seqs(Status.REORDERED)

    def test_two_bundles(self, tmp_path: Path) -> None:
        box = built(tmp_path, 600)
        first, second = box.log / tile_name("entries", 0), box.log / tile_name("entries", 1)
        data = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(data)
        assert "REORDERED" in audit_box(box).statuses


class TestInsertOrBackDate:
    def test_a_forged_file(self, box: LogBuilder) -> None:
        """A line of last week, signed with the stolen key, at a position that is taken."""
        document = box.document("forged", 3)
        document["log"] = json.loads(box.entries[3])["log"]
        path = box.folder / "forged.logline.json"
        path.write_bytes(sign_line(document, *box.key) + b"\n")
        assert audit_box(box).problems == [(path.name, "UNLOGGED", "not_in_log")]

    def test_a_forged_line_of_the_time_before_the_log(self, box: LogBuilder) -> None:
        document = box.document("forged", 3) | {"schema": "vv.logline/1"}
        path = box.folder / "forged.logline.json"
        path.write_bytes(sign_line(document, *box.key) + b"\n")
        assert audit_box(box).problems == [(path.name, "UNLOGGED", "not_in_log")]

    def test_an_entry_in_the_log(self, box: LogBuilder, head: str) -> None:
        """With the key of heads, between two others."""
        extra = sign_line({**box.document("extra", 999), "log": {}}, *box.key)
        box.entries.insert(6, extra)
        names = list(box.files.items())
        box.files = dict([*names[:6], ("extra.logline.json", extra + b"\n"), *names[6:]])
        relink(box, 6)
        rewrite(box)
        assert audit_box(box).exit_code == 1
        assert "FORKED" in audit_box(box, heads=[head]).statuses

    def test_a_back_dated_line_at_the_end(self, box: LogBuilder) -> None:
        box.now -= timedelta(days=7)
        box.add_line()
        rewrite(box)
        result = audit_box(box, with_keys=False)
        assert result.problems == [("log", "INVALID", "back_dated")]
        assert result.seqs(Status.INVALID) == [(len(box.entries) - 1,) * 2]


class TestDuplicateOrReplay:
    def test_a_file_under_another_name(self, box: LogBuilder) -> None:
        shutil.copy(published(box, 3), box.folder / "zz.logline.json")
        for with_keys in (True, False):
            result = audit_box(box, with_keys=with_keys)
            assert result.exit_code == 1
            assert ("zz.logline.json", "INVALID") in [each[:2] for each in result.problems]

    def test_a_file_in_another_folder(self, box: LogBuilder) -> None:
        (box.folder / "z").mkdir()
        path = box.folder / "z" / published(box, 3).name
        shutil.copy(published(box, 3), path)
        assert audit_box(box).problems == [(path.name, "INVALID", "line_twice")]

    def test_a_renamed_file(self, box: LogBuilder) -> None:
        path = published(box, 3)
        path.rename(path.with_name("other.logline.json"))
        assert audit_box(box).problems == [("other.logline.json", "INVALID", "wrong_name")]

    def test_an_old_entry_again(self, box: LogBuilder) -> None:
        """The same bytes at the end of the log, under a head that was signed with the stolen key."""
        box.put(box.entries[3], "again.logline.json")
        rewrite(box)
        result = audit_box(box)
        assert (len(box.entries) - 1,) * 2 in result.seqs(Status.REORDERED)

    def test_a_line_of_another_box(self, box: LogBuilder, tmp_path: Path) -> None:
        other = LogBuilder(tmp_path / "other", "vv-log/box-02-0badf00d", secret=box.secret)
        other.add_lines(3)
        path = box.folder / "clip000002-other.logline.json"
        path.write_bytes(other.entries[2] + b"\n")
        assert audit_box(box).problems == [(path.name, "UNLOGGED", "not_in_log")]


class TestAnotherVideoUnderALogLine:
    def videos(self, box: LogBuilder, folder: Path) -> Path:
        (folder / "portaria").mkdir(parents=True)
        for seq, name in enumerate(box.files):
            if name.startswith("clip"):
                video = folder / "portaria" / name.replace(".logline.json", ".mp4")
                video.write_bytes(b"video %d" % seq)
        return folder

    def test_is_told(self, box: LogBuilder, tmp_path: Path) -> None:
        videos = self.videos(box, tmp_path / "processed")
        vkeys = [box.signer.vkey]
        clean = audit(box.folder, vkeys=vkeys, keys=box.keys, videos=videos)
        assert (clean.problems, clean.exit_code) == ([], 0)
        assert {each.evidence for each in clean.findings} == {None, "matches"}
        (videos / "portaria" / "clip000004.mp4").write_bytes(b"another")
        (videos / "portaria" / "clip000005.mp4").unlink()
        for keys in (box.keys, None):
            result = audit(box.folder, vkeys=vkeys, keys=keys, videos=videos)
            assert result.problems == [("clip000004.logline.json", "INVALID", "evidence_differs")]
            assert [each.evidence for each in result.findings].count("absent") == 1

    @pytest.mark.parametrize("source", ["../x.mp4", "/etc/passwd", "a/../../x.mp4", "link/x.mp4"])
    def test_a_source_does_not_lead_out_of_the_folder(self, tmp_path: Path, source: str) -> None:
        box = LogBuilder(tmp_path / "loglines")
        box.add_line()
        (tmp_path / "x.mp4").write_bytes(b"video 0")
        (tmp_path / "videos").mkdir()
        (tmp_path / "videos" / "link").symlink_to(tmp_path)
        document = json.loads(box.entries[0]) | {"source": source}
        del document["signature_details"]
        stem = Path(source).stem
        box.files.clear()
        box.entries.clear()
        box.put(sign_line(document, *box.key), f"{stem}.logline.json")
        box.write()
        result = audit(
            box.folder, vkeys=[box.signer.vkey], keys=box.keys, videos=tmp_path / "videos"
        )
        assert [each.evidence for each in result.findings] == ["absent"]


class TestClockSetBack:
    def test_by_an_attacker_is_told(self, box: LogBuilder) -> None:
        box.now -= timedelta(hours=3)
        box.add_lines(2)
        rewrite(box)
        result = audit_box(box)
        assert ("log", "INVALID", "back_dated") in result.problems
        assert result.seqs(Status.INVALID) == [(len(box.entries) - 2,) * 2]

    def test_with_a_line_that_says_so_is_no_fault(self, box: LogBuilder) -> None:
        before = box.now
        box.now -= timedelta(hours=3)
        moment = f"{before:%Y-%m-%dT%H:%M:%SZ}"
        box.add_event("clock_step", **clock_details(moment, f"{box.now:%Y-%m-%dT%H:%M:%SZ}"))
        box.add_lines(2)
        rewrite(box)
        assert audit_box(box, with_keys=False).problems == []


def clock_details(before: str, after: str) -> dict[str, str]:
    return {"from": before, "to": after}


class TestWholeLogRewritten:
    def test_without_the_key_of_heads(self, box: LogBuilder) -> None:
        forged = built(box.folder.parent / "forged", COUNT)
        shutil.copy(box.log / "checkpoint", forged.log / "checkpoint")
        box.entries = forged.entries
        relink(forged, 5)
        forged.write()
        (forged.log / "checkpoint").write_bytes((box.log / "checkpoint").read_bytes())
        result = audit_box(forged)
        assert result.statuses >= {"FORKED"}

    def test_with_another_key_of_heads(self, box: LogBuilder) -> None:
        box.seed = 99
        rewrite(box)
        vkey = LogBuilder(box.folder).signer.vkey
        result = audit(box.folder, vkeys=[vkey], keys=box.keys)
        assert ("checkpoint", "INVALID", "head_signature") in result.problems
        assert ("vkey", "INVALID", "other_vkey") in result.problems

    def test_with_all_keys_a_witness_tells(self, box: LogBuilder, head: str) -> None:
        forged = LogBuilder(box.folder, secret=box.secret)
        forged.add_event("start", version="0.1.0", manifest_sha256=None)
        forged.add_lines(COUNT + 10)
        shutil.rmtree(box.folder)
        forged.write()
        result = audit_box(forged, heads=[head])
        assert result.problems == [("held by sala-2", "FORKED", "other_root_than_head")]


class TestTornAppend:
    """Killed between two steps: nothing is proven of the new line, and nothing is called tampering."""

    def test_tiles_without_head(self, box: LogBuilder) -> None:
        size = len(box.entries)
        box.add_line()
        last = list(box.files)[-1]
        del box.files[last]
        rewrite(box)
        (box.log / "checkpoint").write_bytes(box.checkpoint(size))
        result = audit_box(box)
        assert result.problems == [("log", "UNVERIFIABLE", "interrupted")]
        assert result.exit_code == 2

    def test_head_without_published_file(self, box: LogBuilder) -> None:
        published(box, len(box.entries) - 1).unlink()
        assert audit_box(box).problems == [("log", "UNVERIFIABLE", "interrupted")]

    def test_left_overs_of_a_writer(self, box: LogBuilder) -> None:
        for folder in (box.folder, box.log, box.log / "tile" / "0"):
            (folder / ".vv-tmp-0011aabbccdd").write_bytes(b"half a ti")
        assert audit_box(box).problems == []

    def test_a_torn_bundle_is_told(self, box: LogBuilder) -> None:
        path = box.log / tile_name("entries", 0, len(box.entries))
        path.write_bytes(path.read_bytes()[:-3])
        result = audit_box(box)
        assert result.exit_code == 3
        assert ("log", "MALFORMED", "not_a_bundle") in result.problems

    def test_more_than_one_line_beyond_the_head_is_no_torn_append(self, box: LogBuilder) -> None:
        size = len(box.entries)
        box.add_lines(2)
        rewrite(box)
        (box.log / "checkpoint").write_bytes(box.checkpoint(size))
        assert "UNLOGGED" in audit_box(box).statuses


class TestRotationAndRevocation:
    def test_an_event_behind_a_changed_line_still_counts(self, box: LogBuilder) -> None:
        """Else the change of one line would make all later ones look signed by a wrong key."""
        rotation = COUNT // 2 + 1
        path = box.log / tile_name("entries", 0, len(box.entries))
        entry = box.entries[rotation - 1]
        path.write_bytes(path.read_bytes().replace(entry, entry.replace(b"mochila", b"mochilb")))
        result = audit_box(box)
        assert result.problems == [("log", "INVALID", "entry_changed")]
        assert result.seqs(Status.INVALID) == [(rotation - 1, rotation - 1)]

    def test_a_retired_key_does_not_sign(self, box: LogBuilder) -> None:
        """Somebody kept yesterday's key and has today's box."""
        box.step = 0
        box.add_line()
        box.step = 1
        box.add_line()
        rewrite(box)
        result = audit_box(box)
        assert [each[1:] for each in result.problems] == [("INVALID", "retired_key")]
        alone = audit(box.log, vkeys=[box.signer.vkey], keys=box.keys)
        assert alone.seqs(Status.INVALID) == [(len(box.entries) - 2,) * 2]

    @pytest.mark.parametrize("with_keys", [True, False])
    def test_a_revoked_key_is_bad_from_a_position_on(
        self, box: LogBuilder, with_keys: bool
    ) -> None:
        bad, old = len(box.entries) - 3, box.key[0]
        box.rotate()
        box.add_event("revocation", key_id=old, from_seq=bad)
        box.add_lines(2)
        rewrite(box)
        result = audit_box(box, with_keys=with_keys)
        assert {reason for *_, reason in result.problems} == {"revoked_key"}
        assert sorted(set(result.seqs(Status.INVALID))) == [(bad + at,) * 2 for at in range(3)]

    def test_a_line_cannot_be_back_dated_before_a_revocation(
        self, box: LogBuilder, head: str
    ) -> None:
        """The position is in the tree: to stand before it, a line has to change what was witnessed."""
        box.rotate()
        box.add_event("revocation", key_id=box.key[0], from_seq=10_000)
        relink(box, 2)
        rewrite(box)
        assert "FORKED" in audit_box(box, heads=[head]).statuses

    def test_an_unknown_key_is_neither_valid_nor_invalid(self, box: LogBuilder) -> None:
        other = {"k20200101-00000000.0": b"another secret of thirty-two byt"}
        result = audit(box.folder, vkeys=[box.signer.vkey], keys=other)
        assert result.statuses == {"UNVERIFIABLE"}
        assert result.exit_code == 2

    def test_a_later_key_does_not_give_earlier_ones(self, box: LogBuilder) -> None:
        key_id, secret = box.key
        result = audit(box.folder, vkeys=[box.signer.vkey], keys={key_id: secret})
        assert result.exit_code == 2
        valid = [each for each in result.findings if each.verdict.status is Status.VALID]
        assert len(valid) == len(box.entries) - COUNT // 2 - 1


HOSTILE_JSON = {
    "10,000 levels": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "array of 60,000 levels": b"[" * 60_000,
    "duplicate keys": b'{"schema":"vv.logline/2","schema":"vv.logline/2"}',
    "huge integer": b'{"a":' + b"9" * 60_000 + b"}",
    "NaN": b'{"a":NaN}',
    "invalid UTF-8": b'{"a":"\xff"}',
    "lone surrogate": b'{"a":"\\ud800"}',
    "empty": b"",
    "NUL": b"\0" * 100,
}


class TestHostileJson:
    @pytest.mark.parametrize("data", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
    @pytest.mark.parametrize("with_keys", [True, False])
    def test_in_a_published_file(self, box: LogBuilder, data: bytes, with_keys: bool) -> None:
        path = box.folder / "zz.logline.json"
        path.write_bytes(data)
        result = audit_box(box, with_keys=with_keys)
        assert [each[:2] for each in result.problems] == [(path.name, "MALFORMED")]
        assert result.exit_code == 3

    @pytest.mark.parametrize("data", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
    def test_as_an_entry_of_the_log(self, tmp_path: Path, data: bytes) -> None:
        box = LogBuilder(tmp_path / "loglines")
        box.add_lines(2)
        box.put(data, "x.logline.json")
        box.add_lines(2)
        box.write()
        result = audit(box.log, vkeys=[box.signer.vkey])
        assert result.seqs(Status.MALFORMED) == [(2, 2)]
        keyed = audit(box.log, vkeys=[box.signer.vkey], keys=box.keys)
        assert set(keyed.seqs(Status.MALFORMED)) == {(2, 2)}

    @pytest.mark.parametrize("name", ["checkpoint", "vkey", "pruned"])
    @pytest.mark.parametrize("data", [b"", b"\xff" * 100, b"[" * 60_000, b"\n\n\n", b"0" * 70_000])
    def test_in_the_files_of_the_log(self, box: LogBuilder, name: str, data: bytes) -> None:
        (box.log / name).write_bytes(data)
        assert audit_box(box).exit_code in {1, 3}


SPECIAL: dict[str, Callable[[Path], None]] = {
    "link to a file": lambda path: path.symlink_to("/etc/passwd"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a folder": lambda path: path.symlink_to("/"),
    "link to nothing": lambda path: path.symlink_to("/nowhere"),
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
}


class TestTraversalLinkAndPipe:
    @pytest.mark.parametrize("make", SPECIAL.values(), ids=SPECIAL)
    def test_in_the_place_of_a_published_file(
        self, box: LogBuilder, make: Callable[[Path], None]
    ) -> None:
        path = published(box, 3)
        path.unlink()
        make(path)
        result = audit_box(box)
        assert (path.name, "MALFORMED") in [each[:2] for each in result.problems]
        assert result.seqs(Status.MISSING) == [(3, 3)]

    @pytest.mark.parametrize("make", SPECIAL.values(), ids=SPECIAL)
    @pytest.mark.parametrize("name", ["checkpoint", "vkey", "pruned", "bundle", "tile", "stray"])
    def test_in_the_place_of_a_file_of_the_log(
        self, box: LogBuilder, make: Callable[[Path], None], name: str
    ) -> None:
        size = len(box.entries)
        names = {
            "bundle": tile_name("entries", 0, size),
            "tile": tile_name("0", 0, size),
            "stray": "tile/0/001",
        }
        path = box.log / names.get(name, name)
        path.unlink(missing_ok=True)
        make(path)
        result = audit_box(box)
        is_harmless = name == "stray" and path.is_dir() and not path.is_symlink()
        assert (result.exit_code == 0) == is_harmless

    def test_folders_of_the_log_that_are_links(self, box: LogBuilder, tmp_path: Path) -> None:
        (box.log / "tile").rename(tmp_path / "elsewhere")
        (box.log / "tile").symlink_to(tmp_path / "elsewhere")
        assert audit_box(box).exit_code in {1, 3}

    def test_a_log_that_is_a_link(self, box: LogBuilder, tmp_path: Path) -> None:
        box.log.rename(tmp_path / "elsewhere")
        box.log.symlink_to(tmp_path / "elsewhere")
        result = audit_box(box)
        assert (box.folder.name, "MISSING", "log_missing") in result.problems

    def test_a_log_that_was_taken_away(self, box: LogBuilder) -> None:
        shutil.rmtree(box.log)
        assert (box.folder.name, "MISSING", "log_missing") in audit_box(box).problems
        without_vkey = audit(box.folder, keys=box.keys)
        assert without_vkey.problems == [(box.folder.name, "UNVERIFIABLE", "log_not_here")]

    def test_a_log_below_does_not_hide_lines(self, box: LogBuilder) -> None:
        other = LogBuilder(box.folder / "hidden", seed=5)
        other.add_lines(3)
        other.write()
        result = audit_box(box)
        assert ("checkpoint", "INVALID", "head_signature") in result.problems


class TestSplitView:
    def test_two_auditors_compare_their_heads(self, box: LogBuilder, tmp_path: Path) -> None:
        """Each is shown a log of its own; both heads are signed, and have the same size."""
        other = built(tmp_path / "other", COUNT)
        other.entries.pop()
        other.files.popitem()
        other.add_line(this="outra história")
        shutil.rmtree(other.folder)
        other.write()
        assert audit_box(box).exit_code == 0
        assert audit_box(other).exit_code == 0
        held = tmp_path / "of the other auditor"
        held.write_bytes((other.log / "checkpoint").read_bytes())
        result = audit_box(box, heads=[str(held)])
        assert result.problems == [(held.name, "FORKED", "other_root_than_head")]

    def test_a_witness_that_saw_the_other_view(self, box: LogBuilder, tmp_path: Path) -> None:
        other = built(tmp_path / "other", COUNT)
        other.entries.pop()
        other.files.popitem()
        other.add_line(this="outra história")
        (box.log / "witness").mkdir()
        note = other.checkpoint(cosigners={WITNESS: 1_795_000_000})
        (box.log / "witness" / "sala-2").write_bytes(note)
        result = audit(box.folder, vkeys=[box.signer.vkey, WITNESS.vkey])
        assert result.problems == [("sala-2", "FORKED", "other_root_than_head")]


class TestAuditorWithTheHmacKeyForges:
    def test_a_line_that_only_hmac_would_pass(self, box: LogBuilder) -> None:
        """Who can verify an HMAC can make one; the head is signed with a key that no auditor has."""
        document = json.loads(box.entries[3]) | {"this": "o porteiro saiu"}
        del document["signature_details"]
        key_id, secret = next(iter(box.keys.items()))
        forged = sign_line(document, key_id, secret)
        published(box, 3).write_bytes(forged + b"\n")
        result = audit_box(box)
        assert result.problems == [
            (published(box, 3).name, "UNLOGGED", "not_in_log"),
            ("log", "MISSING", "file_missing"),
        ]

    def test_and_puts_it_into_the_copied_log(self, box: LogBuilder) -> None:
        checkpoint = (box.log / "checkpoint").read_bytes()
        document = json.loads(box.entries[3]) | {"this": "o porteiro saiu"}
        del document["signature_details"]
        change_entry(box, 3, sign_line(document, *next(iter(box.keys.items()))))
        rewrite(box)
        (box.log / "checkpoint").write_bytes(checkpoint)
        assert "FORKED" in audit_box(box, with_keys=False).statuses


class TestControlCharactersInAFileName:
    @pytest.mark.parametrize(
        "name", [b"\x1b[2J", b"a\nVALID b", b"\xff\xfe", "\u202e".encode(), b"\x9b31m"]
    )
    @pytest.mark.parametrize("suffix", [b".logline.json", b".logevent.json"])
    def test_never_reach_the_terminal(self, box: LogBuilder, name: bytes, suffix: bytes) -> None:
        (box.folder / os.fsdecode(name + suffix)).write_bytes(b"{}")
        (box.log / "tile" / os.fsdecode(name)).write_bytes(b"{}")
        result = audit_box(box)
        assert {status for _, status, _ in result.problems} == {"MALFORMED", "UNLOGGED"}
        for finding in result.findings:
            text = format_finding(finding, "en", verbose=True)
            assert all(line.isprintable() for line in text.split("\n"))
            assert escape_name(finding.path).isprintable()


def test_canonical_here_is_the_products(box: LogBuilder) -> None:
    from vv_core.audit.canonical import canonical_bytes

    document = json.loads(box.entries[0])
    assert canonical(document) == canonical_bytes(document)
    assert hashlib.sha256(b"\0" + box.entries[0]).digest() == leaf_of(box.entries[0])
