"""What lets others read: signed, for a time, and not to be made up."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from tests.support.clock import ManualClock
from textstream.access.grants import AUDIENCE, MAX_GRANT, Grants
from textstream.errors import Forbidden

SECRET = b"a secret of more than thirty-two bytes"

CLAIMS: dict[str, Any] = {
    "aud": AUDIENCE, "stream": "s", "share": 0, "exp": 2e6, "jti": "j", "can": ["read"],
}  # fmt: skip


def test_it_says_what_it_is_for_until_it_expires(clock: ManualClock) -> None:
    grants = Grants(clock=clock)
    made = [grants.make("the stream", 3, 60) for _ in range(2)]
    assert made[0] != made[1], "each is told from the others"
    read = grants.read(made[0])
    assert (read.stream, read.share, read.expires) == ("the stream", 3, clock.now + 60)
    assert grants.left(read) == 60
    assert len(made[0]) <= MAX_GRANT
    clock.advance(59.999)
    grants.read(made[0])
    clock.advance(0.001)
    with pytest.raises(Forbidden, match="expired"):
        grants.read(made[0])


def test_each_server_has_its_own_key_unless_one_is_set(clock: ManualClock) -> None:
    with pytest.raises(Forbidden):
        Grants(clock=clock).read(Grants(clock=clock).make("s", 0, 60))
    made = Grants(SECRET, clock=clock).make("s", 0, 60)
    assert Grants(SECRET, clock=clock).read(made).stream == "s"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "textstream"},
        {"aud": None},
        {"exp": None},
        {"exp": "never"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"jti": None},
        {"stream": None},
        {"share": "x"},
        {"share": None},
    ],
    ids=repr,
)
def test_what_is_signed_and_no_grant_is_none(clock: ManualClock, change: dict[str, Any]) -> None:
    claims = {k: v for k, v in (CLAIMS | change).items() if v is not None}
    with pytest.raises(Forbidden):
        Grants(SECRET, clock=clock).read(jwt.encode(claims, SECRET))
    Grants(SECRET, clock=clock).read(jwt.encode(CLAIMS, SECRET))


@pytest.mark.parametrize("text", ["", "x", "x.y.z", "é", "x" * (MAX_GRANT + 1)])
def test_what_is_not_signed_is_none(clock: ManualClock, text: str) -> None:
    for grant in (text, jwt.encode(CLAIMS, "", "none")):
        with pytest.raises(Forbidden):
            Grants(SECRET, clock=clock).read(grant)
