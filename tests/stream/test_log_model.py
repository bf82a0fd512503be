"""Any sequence of calls on a log answers as it would on a list of all units ever appended.

The model does not say how much a log trims; it asks, and checks that the log was allowed to.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.stream.conftest import MakeLog
from textstream.access.account import Account

TEXTS = ["a", "the cat ", "é", "字体", "👍", "a字👍"]
CLUSTERS = [["👍🏽"], ["a", "e\u0301", "b"], ["to", " be", " or"], ["字", "🇩🇪"], ["x" * 300]]

lengths = st.one_of(st.integers(0, 5), st.sampled_from([127, 128, 1023, 1024, 1025, 4097, 9000]))
batches = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3), max_size=6),
    st.builds(lambda text, length: (text * length)[:length], st.sampled_from(TEXTS), lengths),
    st.builds(lambda text, length: list(text * length)[:length], st.sampled_from(TEXTS), lengths),
    st.builds(lambda units, length: (units * length)[:length], st.sampled_from(CLUSTERS), lengths),
)
Place = tuple[float, int]
places = st.tuples(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])), st.integers(-2, 2))
"""Which of the offsets where something was appended, or the first or last; so many units off."""


class LogMachine(RuleBasedStateMachine):
    make_log: MakeLog

    def __init__(self) -> None:
        super().__init__()
        self.units: list[str] = []
        self.seams: list[int] = []
        self.first = self.keep_from = 0
        self.sealed = False

    @initialize(max_bytes=st.sampled_from([1, 60, 5000, 20_000, 300_000]))
    def begin(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.kept = Account()
        self.log = self.make_log(max_bytes, self.kept)

    def offset(self, place: Place) -> int:
        end = len(self.units)
        seams = [self.first, *(seam for seam in self.seams if self.first < seam < end), end]
        return seams[round(place[0] * (len(seams) - 1))] + place[1]

    def size(self, start: int) -> int:
        return len("".join(self.units[start:]).encode())

    @precondition(lambda self: not self.sealed)
    @rule(batch=batches, times=st.sampled_from([1, 1, 1, 2, 40]), keep=places)
    def append(self, batch: str | list[str], times: int, keep: Place) -> None:
        for _ in range(times if len(batch) <= 1025 else 1):
            self.keep_from = max(self.keep_from, min(self.offset(keep), len(self.units)))
            self.seams.append(len(self.units))
            assert self.log.append(batch, keep_from=self.keep_from) == len(self.units)
            self.units += batch
            self.check_trimmed()

    def check_trimmed(self) -> None:
        before, self.first = self.first, self.log.first
        if self.first > before:
            assert self.size(before) > self.max_bytes
            assert self.first <= self.keep_from
        assert self.size(self.first) <= self.max_bytes or self.first == self.keep_from

    @precondition(lambda self: self.sealed)
    @rule(batch=batches)
    def append_to_sealed(self, batch: str | list[str]) -> None:
        with pytest.raises(ValueError, match="sealed"):
            self.log.append(batch, keep_from=self.keep_from)

    @rule(place=places, to=places)
    def read_between(self, place: Place, to: Place) -> None:
        self.read(place, max(1, self.offset(to) - self.offset(place)))

    @rule(place=places, limit=st.sampled_from([1, 2, 64, 1000, 4096, 10**6]))
    def read(self, place: Place, limit: int) -> None:
        offset = self.offset(place)
        units = self.log.read(offset, limit)
        if self.first <= offset <= len(self.units):
            assert units is not None
            expected = self.units[offset : offset + limit]
            assert len(units) == len(expected)
            assert list(units) == expected
            assert not isinstance(units, str) or units == "".join(expected)
        else:
            assert units is None

    @rule(place=places)
    def sha256(self, place: Place) -> None:
        offset = self.offset(place)
        if self.first <= offset <= len(self.units):
            text = "".join(self.units[:offset])
            assert self.log.sha256(offset) == hashlib.sha256(text.encode()).hexdigest()
        else:
            with pytest.raises(ValueError, match="not in the log"):
                self.log.sha256(offset)

    @rule(place=places)
    def has_room(self, place: Place) -> None:
        offset = max(self.offset(place), self.first)
        assert self.log.has_room(keep_from=offset) == (self.size(offset) < self.max_bytes)

    @precondition(lambda self: len(self.units) > 10)
    @rule(place=st.one_of(st.none(), places))
    def seal(self, place: Place | None) -> None:
        offset = None if place is None else max(0, self.offset(place))
        ending = self.log.seal("stopped", offset)
        if not self.sealed and offset is not None:
            del self.units[max(offset, self.first) :]
        self.sealed = True
        assert ending == self.log.ending
        assert ending.offset == len(self.units)
        assert ending.text_sha256 == hashlib.sha256("".join(self.units).encode()).hexdigest()

    @invariant()
    def agrees(self) -> None:
        assert self.log.first == self.first
        assert self.log.next == len(self.units)
        assert self.kept.total == self.size(self.first)
        assert (self.log.ending is not None) == self.sealed

    def teardown(self) -> None:
        text = "".join(self.units)
        assert self.log.sha256() == hashlib.sha256(text.encode()).hexdigest()


def test_it_answers_as_a_list_would(make_log: MakeLog) -> None:
    run_state_machine_as_test(
        type("Machine", (LogMachine,), {"make_log": staticmethod(make_log)}),
        settings=settings(max_examples=150, stateful_step_count=25, deadline=None),
    )
