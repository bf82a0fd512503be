"""Sharing a stream with the Python client: a grant for others, and its end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.running_server import RunningServer
from tests.support.tokens import make_token
from textstream import errors
from textstream.chaos import ChaosProxy
from textstream.client import StreamClient

pytestmark = pytest.mark.live

TEXT = "0123456789" * 100
SLOW: dict[str, Any] = {"text": TEXT * 5, "rate": 20}

BOTH = pytest.mark.parametrize("transports", [["websocket"], ["polling"]])


def owner_at(url: str, transports: list[str], user: str = "alice") -> StreamClient:
    return StreamClient(url, auth=lambda: make_token(user), transports=transports)


@BOTH
def test_who_has_the_grant_reads_until_the_sharing_is_ended(
    guarded: RunningServer, transports: list[str]
) -> None:
    with (
        owner_at(guarded.url, transports) as owner,
        StreamClient(guarded.url, transports=transports) as guest,
        owner_at(guarded.url, transports, "bob") as other,
    ):
        stream = owner.stream(**SLOW)
        with pytest.raises(errors.Forbidden):
            other.resume(stream.id)
        grant = stream.share(expires=3600)
        watched = guest.resume(stream.id, grant=grant)
        assert next(watched) == "0"
        assert other.resume(stream.id, grant=grant).id == stream.id
        assert stream.unshare() == 2
        with pytest.raises(errors.Forbidden):
            list(watched)
        assert next(stream) == "0", "its owner reads on"


@BOTH
def test_what_is_somebody_elses_is_not_shared(
    guarded: RunningServer, transports: list[str]
) -> None:
    with (
        owner_at(guarded.url, transports) as owner,
        StreamClient(guarded.url, transports=transports) as guest,
    ):
        stream = owner.stream(**SLOW)
        watched = guest.resume(stream.id, grant=stream.share())
        for ask in (watched.share, watched.unshare):
            with pytest.raises(errors.Forbidden):
                ask()
        assert next(watched) == "0", "and it is read on"


@pytest.mark.parametrize("expires", [0, -1, 604_801, float("nan")])
def test_how_long_is_checked_before_it_is_sent(guarded: RunningServer, expires: float) -> None:
    with owner_at(guarded.url, ["websocket"]) as owner:
        stream = owner.stream(**SLOW)
        with pytest.raises(errors.InvalidRequest, match="expires"):
            stream.share(expires)


def test_of_what_is_over_it_says_what_to_do(guarded: RunningServer) -> None:
    with owner_at(guarded.url, ["websocket"]) as owner:
        stream = owner.stream(text="abc", rate=0)
        assert "".join(stream) == "abc"
        with pytest.raises(errors.InvalidRequest, match="Resume it with its key"):
            stream.share()


def test_while_the_connection_is_away_it_is_waited_for(guarded: RunningServer) -> None:
    with (
        ChaosProxy(guarded.address) as proxy,
        owner_at(proxy.url, ["websocket"]) as owner,
        StreamClient(guarded.url) as guest,
    ):
        stream = owner.stream(**SLOW)
        assert next(stream) == "0"
        proxy.cut_all()
        assert next(guest.resume(stream.id, grant=stream.share())) == "0"
