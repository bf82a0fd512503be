"""What an operator does, and what the audit log says of it."""

from __future__ import annotations

import logging

import pytest

from tests.support.clock import ManualClock, ManualTimer
from tests.support.doubles import Bench
from textstream.access import revocations as table
from textstream.access.caller import Caller
from textstream.access.principal import Principal, user
from textstream.access.revocations import Revocations
from textstream.errors import RateLimited
from textstream.log_format import extras
from textstream.observe.audit import LOGGER, AuditLog
from textstream.web.admin import Admin, Operator, Revoke
from textstream.web.watch import Watch

ROOT = Operator(Caller("203.0.113.7"), "root")
ALICE = Revoke(sub="alice")


def given_at(when: float) -> Principal:
    return user("alice", None, None, issued=when)


def test_what_could_not_be_taken_back_is_not_said_to_have_been(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    timer, revocations = ManualTimer(), Revocations(clock)
    turned_out: list[list[str]] = []
    admin = Admin(
        Bench(clock).hub,
        revocations,
        turn_out=turned_out.append,
        watch=Watch(AuditLog(call_at=timer.call_at, clock=timer)),
    )
    with caplog.at_level(logging.INFO, LOGGER):
        monkeypatch.setattr(table, "MOST", 0)
        with pytest.raises(RateLimited, match="Change the keys"):
            admin.revoke(ALICE, ROOT)
        timer.advance(1)
        assert (caplog.messages, turned_out) == ([], [])
        assert not revocations.cover(given_at(clock.now))
        monkeypatch.undo()
        assert admin.revoke(ALICE, ROOT) == {"connections": 0}
        timer.advance(1)
    assert [extras(line)["did"] for line in caplog.records] == ["revoke alice"]
    assert revocations.cover(given_at(clock.now))
