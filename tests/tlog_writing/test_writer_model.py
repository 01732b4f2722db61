"""A log against a plain list of its lines."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.tlog_writing.logs import LogBox, append_to, check_log
from vv_core.tlog.log_writer import LogWriter
from vv_core.tlog.wal import PublishedFile, Record

ENTRIES = st.binary(max_size=300)
FILES = st.builds(
    PublishedFile,
    path=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    content=ENTRIES,
)
RECORDS = st.builds(
    Record,
    seq=st.integers(0, 2**64 - 1),
    root=st.binary(min_size=32, max_size=32),
    entry=ENTRIES,
    files=st.lists(FILES, max_size=3).map(tuple),
)


class WriterAgainstList(RuleBasedStateMachine):
    """A log, its writers that close, vanish or go on, and a plain list of what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = tempfile.TemporaryDirectory(dir=memory, prefix="vv-")
        self.box = LogBox(Path(self.folder.name))
        self.writer: LogWriter | None = None
        self.names: list[str] = []

    @precondition(lambda self: self.writer is None)
    @rule()
    def open(self) -> None:
        self.writer = LogWriter(self.box.settings, self.box.clock)
        self.writer.open()

    @precondition(lambda self: self.writer is not None)
    @rule(count=st.integers(1, 3))
    def append(self, count: int) -> None:
        assert self.writer is not None
        for _ in range(count):
            name = f"v{len(self.names)}"
            append_to(self.writer, name, self.box.clock)
            self.names.append(name)

    @precondition(lambda self: self.writer is not None)
    @rule()
    def sync(self) -> None:
        assert self.writer is not None
        self.writer.sync()

    @precondition(lambda self: self.writer is not None)
    @rule(is_killed=st.booleans())
    def end(self, is_killed: bool) -> None:
        assert self.writer is not None
        if is_killed:
            self.writer.abandon()
        else:
            self.writer.close()
        self.writer = None

    @rule(hours=st.sampled_from([1, 25, -1]))
    def pass_time(self, hours: int) -> None:
        self.box.clock.step(hours=hours)

    @invariant()
    def the_log_holds_what_was_acknowledged(self) -> None:
        if (self.box.folder / "checkpoint").exists():
            check_log(self.box)
            assert self.box.names() == self.names

    def teardown(self) -> None:
        if self.writer is not None:
            self.writer.abandon()
        self.folder.cleanup()


TestWriterAgainstList = WriterAgainstList.TestCase
TestWriterAgainstList.settings = settings(max_examples=15, stateful_step_count=12)
