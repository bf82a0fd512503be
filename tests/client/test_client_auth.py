"""The token that a client shows: for each connection, and when it has expired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.client.reading import until_it_fails
from tests.conftest import Connect
from tests.support.running_server import RunningServer
from tests.support.tokens import OTHER_SECRET, about_to_expire, make_token
from textstream import errors
from textstream.client import ReconnectPolicy, StreamClient
from textstream.client.auth import Tokens

FOREIGN = make_token(secret=OTHER_SECRET)
TEXT = "".join(chr(0x4E00 + number) for number in range(700))


class Giver:
    """Gives these tokens, one after the other, and the last one again and again."""

    def __init__(self, *tokens: Callable[[], str] | str | Exception) -> None:
        self.tokens = list(tokens)
        self.given = 0

    def __call__(self) -> str:
        token = self.tokens[min(self.given, len(self.tokens) - 1)]
        self.given += 1
        if isinstance(token, Exception):
            raise token
        return token if isinstance(token, str) else token()


@pytest.mark.live
@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
class TestAtAServer:
    def test_a_token_lets_it_in(self, guarded: RunningServer, transports: list[str]) -> None:
        for auth in (make_token(), make_token):
            with StreamClient(guarded.url, auth=auth, transports=transports) as client:
                assert "".join(client.stream(text="abc", rate=0)) == "abc"
                assert client.sources()["sources"]

    @pytest.mark.parametrize(
        "auth", [None, "", "wrong", FOREIGN], ids=["none", "empty", "wrong", "foreign"]
    )
    def test_without_it_says_so_at_once(
        self, guarded: RunningServer, transports: list[str], auth: str | None
    ) -> None:
        patient = ReconnectPolicy(first_give_up_after=3600)
        with StreamClient(
            guarded.url, auth=auth, transports=transports, reconnect=patient
        ) as client:
            for ask in (lambda: client.stream(text="abc"), client.sources):
                with pytest.raises(errors.Unauthorized) as caught:
                    ask()
                assert not caught.value.retryable

    def test_a_newer_one_after_a_wrong_one(
        self, guarded: RunningServer, transports: list[str]
    ) -> None:
        for first in ("wrong", make_token(left=-60)):
            giver = Giver(first, make_token)
            with StreamClient(guarded.url, auth=giver, transports=transports) as client:
                assert "".join(client.stream(text="abc", rate=0)) == "abc"
                assert giver.given == 2
            giver = Giver(first, make_token)
            with StreamClient(guarded.url, auth=giver) as client:
                assert client.sources()["sources"]
                assert giver.given == 2

    def test_one_that_stays_wrong_is_asked_for_twice(
        self, guarded: RunningServer, transports: list[str]
    ) -> None:
        giver = Giver("wrong")
        with StreamClient(guarded.url, auth=giver, transports=transports) as client:
            with pytest.raises(errors.Unauthorized):
                client.stream(text="abc")
            assert giver.given == 2

    def test_it_expires_in_mid_stream_and_no_character_is_lost(
        self, guarded: RunningServer, transports: list[str]
    ) -> None:
        giver = Giver(about_to_expire, make_token)
        states: list[str] = []
        with StreamClient(
            guarded.url, auth=giver, transports=transports, on_state=states.append
        ) as client:
            stream = client.stream(text=TEXT, rate=500)
            assert "".join(stream) == TEXT
        assert stream.result
        assert stream.result.verified
        assert giver.given == 2
        assert "reconnecting" in states

    def test_one_for_good_that_expires_ends_it_with_the_reason(
        self, guarded: RunningServer, transports: list[str]
    ) -> None:
        token = about_to_expire()
        with StreamClient(guarded.url, auth=token, transports=transports) as client:
            stream = client.stream(text=TEXT, rate=50)
            got, error = until_it_fails(stream)
        assert isinstance(error, errors.Unauthorized)
        assert error.reason == "expired"
        assert got
        assert TEXT.startswith(got)

    def test_a_grant_does_in_the_place_of_a_token_until_it_ends(
        self, guarded: RunningServer, sio: Connect, transports: list[str]
    ) -> None:
        owner = sio(guarded, auth={"token": make_token()})
        started = owner.call("start_stream", {"text": TEXT, "rate": 50, "format": "chunk"})
        named = {"id": started["stream"]["id"]}
        grant = owner.call("share_stream", named)["grant"]
        with StreamClient(guarded.url, transports=transports) as client:
            stream = client.resume(named["id"], grant=grant)
            first = next(stream)
            with pytest.raises(errors.Forbidden):
                stream.stop()
            assert owner.call("unshare_stream", named)["ok"]
            rest, error = until_it_fails(stream)
            assert isinstance(error, errors.Forbidden)
            assert TEXT.startswith(first + rest)
            with pytest.raises(errors.TextStreamError):
                client.resume(named["id"], grant="x")

    def test_another_user_s_token_does_not_take_over(
        self, guarded: RunningServer, transports: list[str]
    ) -> None:
        """As bob one may read on, and not own: the key is the client's, and it has it."""
        with StreamClient(guarded.url, auth=make_token("bob"), transports=transports) as client:
            stream = client.stream(text=TEXT, rate=20)
            with (
                StreamClient(guarded.url, auth=make_token(), transports=transports) as other,
                pytest.raises(errors.Forbidden),
            ):
                other.resume(stream.id).stop()


@pytest.mark.parametrize("auth", [7, True, b"bytes", ["token"]], ids=repr)
def test_what_is_no_token_is_refused_at_once(auth: Any) -> None:
    with pytest.raises(errors.InvalidRequest, match="auth"):
        StreamClient(auth=auth)


def test_what_raises_may_pass_and_what_gives_none_may_not() -> None:
    with pytest.raises(errors.Unauthorized, match="OSError: away") as caught:
        Tokens(Giver(OSError("away"))).next()
    assert caught.value.retryable
    assert not Tokens(make_token).may_mend(caught.value)
    wrong: Any = lambda: None  # noqa: E731
    with pytest.raises(errors.Unauthorized, match="gave None") as caught:
        Tokens(wrong).next()
    assert not caught.value.retryable
    forbidden = errors.Forbidden("no")
    with pytest.raises(errors.Forbidden):
        Tokens(Giver(forbidden)).next()


@pytest.mark.live
def test_what_gives_tokens_may_be_away_for_a_while(guarded: RunningServer) -> None:
    giver = Giver(OSError("away"), OSError("away"), make_token)
    with StreamClient(guarded.url, auth=giver) as client:
        assert "".join(client.stream(text="abc", rate=0)) == "abc"
    assert giver.given == 3
