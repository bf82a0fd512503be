"""What an operator takes back."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from textstream.access import revocations as module
from textstream.access.policy import Policy
from textstream.access.principal import ANYBODY, user
from textstream.access.revocations import DAY, Revocations
from textstream.errors import Forbidden, RateLimited


def test_a_user_s_tokens_are_those_issued_until_then(clock: ManualClock) -> None:
    known = Revocations(clock)
    before = user("alice", issued=clock.now - 1)
    silent = user("alice")
    assert not known.cover(before)
    known.revoke_user("alice")
    after = user("alice", issued=clock.now + 1)
    assert known.cover(before)
    assert known.cover(silent), "it does not say since when"
    assert not known.cover(after)
    assert not known.cover(user("bob"))
    assert not known.cover(ANYBODY)


def test_a_token_is_known_by_its_name(clock: ManualClock) -> None:
    known = Revocations(clock)
    known.revoke_token("t1")
    assert known.cover(user("alice", token="t1"))
    assert not known.cover(user("alice", token="t2"))
    assert not known.cover(user("t1"))


def test_a_user_and_a_token_are_never_each_other(clock: ManualClock) -> None:
    known = Revocations(clock)
    known.revoke_user("jti:x")
    assert not known.cover(user("alice", token="x"))
    known.revoke_token("user:alice")
    assert not known.cover(user("alice"))


def test_none_is_kept_for_ever(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    known = Revocations(clock)
    for name in "abc":
        known.revoke_user(name, seconds=10)
    known.revoke_user("a", seconds=10)
    with pytest.raises(RateLimited, match="Change the keys"):
        known.revoke_user("d")
    clock.advance(10)
    assert not known.cover(user("a"))
    known.revoke_user("d", DAY)
    assert len(known) == 1


def test_the_policy_asks_on_each_event(clock: ManualClock) -> None:
    policy = Policy(clock=clock)
    alice = user("alice", issued=clock.now)
    policy.check(alice, "read")
    policy.revocations.revoke_user("alice")
    with pytest.raises(Forbidden, match="taken back"):
        policy.check(alice, "read")
    with pytest.raises(Forbidden, match="taken back"):
        policy.check(alice)
