"""Who is dead, and who goes on with what they owned: on a manual clock, with a scripted store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.clock import ManualClock
from textstream.store.keys import Keys, new_shared_id
from textstream.store.lease import Lease
from textstream.store.link import Done
from textstream.store.wire import Command

SECONDS = 5.0


class ScriptedLink:
    """Writes down what is sent; the test answers."""

    def __init__(self, clock: ManualClock) -> None:
        self.up = True
        self.up_since = clock()
        self.sent: list[tuple[list[Command], Done]] = []

    def send(self, commands: Any, done: Done = bool) -> None:
        self.sent.append((list(commands), done))

    def call_at(self, when: float, callback: Any) -> None: ...

    def answer(self, *replies: Any) -> list[Command]:
        """Answer the oldest; return what it was."""
        commands, done = self.sent.pop(0)
        done(list(replies) if replies else None)
        return commands


class Known:
    """A lease, and what it has told."""

    def __init__(self, clock: ManualClock) -> None:
        self.link = ScriptedLink(clock)
        self.taken: list[tuple[str, int]] = []
        self.doubts = 0
        self.lease = Lease(
            self.link,  # type: ignore[arg-type]  # what a lease asks of it
            Keys("ts"),
            seconds=SECONDS,
            clock=clock,
            taken=lambda stream_id, epoch: self.taken.append((stream_id, epoch)),
            doubt=self.doubt,
        )
        self.lease.process = "me"

    def doubt(self) -> None:
        self.doubts += 1


@pytest.fixture
def known(clock: ManualClock) -> Known:
    return Known(clock)


def test_nobody_is_dead_to_who_has_just_come(known: Known, clock: ManualClock) -> None:
    known.lease.begin()
    known.link.answer([0, 2, [b"other"]])
    asked = [commands for commands, _ in known.link.sent]
    assert asked == [[("SMEMBERS", "ts:own:")]]  # what was given away needs no wait


def test_what_a_dead_process_owned_is_claimed(known: Known, clock: ManualClock) -> None:
    clock.advance(SECONDS)
    ids = [new_shared_id(None) for _ in range(3)]
    known.lease.begin()
    known.link.answer([0, 2, [b"other", b"me"]])
    known.link.answer(set())  # nothing was given away
    known.link.answer({one.encode() for one in ids})
    commands = known.link.answer(2, 0, -1)
    assert [command[4:] for command in commands] == [("other", "me")] * 3
    assert len(known.taken) == 1
    assert known.taken[0][1] == 2
    sent = [command for commands, _ in known.link.sent for command in commands]
    assert ("SADD", "ts:own:me", known.taken[0][0]) in sent
    assert len([one for one in sent if one[0] == "SREM"]) == 3  # nobody looks for them again


def test_a_dead_process_without_streams_is_forgotten(known: Known, clock: ManualClock) -> None:
    clock.advance(SECONDS)
    known.lease.begin()
    known.link.answer([1, 2, [b"other"]])
    known.link.answer(set())
    known.link.answer(set())
    assert known.link.answer(1) == [("ZREM", "ts:procs", "other")]


def test_who_was_silent_for_too_long_doubts(known: Known, clock: ManualClock) -> None:
    assert not known.lease.valid
    known.lease.begin()
    known.link.answer([0, 1, []])
    assert known.lease.valid
    assert known.doubts == 0  # it had none before
    clock.advance(SECONDS)
    assert not known.lease.valid
    known.link.sent.clear()
    known.lease.renew_now()
    known.link.answer([0, 1, []])
    assert known.lease.valid
    assert known.doubts == 1


def test_who_goes_down_takes_nothing_over(known: Known, clock: ManualClock) -> None:
    clock.advance(SECONDS)
    known.lease.begin()
    known.lease.close()
    known.link.answer([1, 2, [b"other"]])
    assert not known.link.sent


def test_a_connection_that_breaks_is_no_answer(known: Known, clock: ManualClock) -> None:
    clock.advance(SECONDS)
    known.lease.begin()
    known.link.answer()
    assert not known.lease.valid
    known.lease.renew_now()
    known.link.answer([1, 2, [b"other"]])
    known.link.answer()
    known.link.answer()
    known.lease.renew_now()  # it is looked for again
    known.link.answer([1, 2, [b"other"]])
    assert [commands[0][1] for commands, _ in known.link.sent] == ["ts:own:", "ts:own:other"]
