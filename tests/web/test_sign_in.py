"""Until when somebody is connected, by clocks that the tests move."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.clock import ManualTimer
from textstream.access.credentials import Credentials
from textstream.access.principal import LEEWAY, Principal, user
from textstream.errors import Forbidden, Unauthorized
from textstream.hub.keeper import Keeper, Limits
from textstream.reading.dispatcher import Dispatcher
from textstream.web.identity import Identity
from textstream.web.origins import OriginPolicy
from textstream.web.sign_in import NOTICE, SignIn

EPOCH = 1_700_000_000.0


class Names:
    """A checker of tokens like ``alice 60``: good for so many seconds from `EPOCH` on."""

    blocking = False

    def principal_of(self, credentials: Credentials) -> Principal:
        name, _, seconds = (credentials.token or "").partition(" ")
        return user(name, None, EPOCH + float(seconds) if seconds else None)


class Bench:
    """A sign-in whose time a test moves; `closed` are the sessions that it has closed."""

    def __init__(self) -> None:
        self.timer = ManualTimer()
        self.began = self.timer.now
        self.emitted: list[tuple[str, dict[str, Any], str]] = []
        self.closed: list[str] = []
        dispatcher = Dispatcher(clock=self.timer, sleep=time.sleep)
        self.keeper = Keeper(dispatcher, clock=self.timer, limits=Limits())
        manager = SimpleNamespace(eio_sid_from_sid=lambda sid, _: sid)
        server = SimpleNamespace(eio=SimpleNamespace(sockets=self), manager=manager)
        socketio: Any = SimpleNamespace(
            server=server, emit=lambda name, data, to: self.emitted.append((name, data, to))
        )
        self.sign_in = SignIn(
            Identity(Names(), OriginPolicy(("*",))),
            self.keeper,
            socketio,
            call_at=self.timer.call_at,
            clock=self.timer,
            wall_clock=lambda: EPOCH + self.timer.now - self.began,
        )

    def get(self, session: str) -> Any:
        return SimpleNamespace(close=lambda **_: self.closed.append(session))

    def connect(self, connection: str, token: str) -> dict[str, Any] | None:
        visit = self.keeper.clients.enter("")
        principal = self.sign_in.identify({}, {"token": token}, visit)
        self.keeper.connect(connection, None, principal)
        return self.sign_in.begin(connection, principal)

    def renew(self, connection: str, token: str) -> dict[str, Any]:
        return self.sign_in.renew(connection, {}, {"token": token}, "")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_is_told_and_then_closed(bench: Bench) -> None:
    assert bench.connect("a", "alice 60") == {"expires": 60}
    assert bench.connect("b", "bob") is None
    bench.timer.advance(60 + LEEWAY - 0.001)
    assert bench.emitted == []
    bench.timer.advance(0.001)
    ((name, error, to),) = bench.emitted
    assert (name, to, error["reason"]) == ("stream_error", "a", "expired")
    assert bench.closed == []
    bench.timer.advance(NOTICE)
    assert bench.closed == ["a"]
    bench.timer.advance(100_000)
    assert bench.closed == ["a"]


def test_a_newer_token_before_and_a_newer_one_just_after(bench: Bench) -> None:
    bench.connect("a", "alice 60")
    bench.connect("b", "bob 60")
    bench.timer.advance(50)
    assert bench.renew("a", "alice 3600") == {"expires": 3550}
    bench.timer.advance(10 + LEEWAY)
    assert [to for _, _, to in bench.emitted] == ["b"]
    assert bench.renew("b", "bob 3600")["expires"] > 3500
    bench.timer.advance(NOTICE)
    assert bench.closed == []
    assert bench.renew("b", "bob") == {}
    bench.timer.advance(100_000)
    assert bench.closed == ["a"]


def test_another_users_changes_nothing(bench: Bench) -> None:
    bench.connect("a", "alice 60")
    with pytest.raises(Forbidden):
        bench.renew("a", "bob 3600")
    with pytest.raises(Unauthorized):
        bench.sign_in.renew("a", {}, {"token": 7}, "")
    bench.timer.advance(60 + LEEWAY + NOTICE)
    assert bench.closed == ["a"]


def test_who_has_left_is_not_closed(bench: Bench) -> None:
    for number in range(1000):
        bench.connect(str(number), "alice 60")
        bench.keeper.disconnect(str(number))
        bench.sign_in.end(str(number))
    bench.connect("a", "alice 60")
    bench.timer.advance(60 + LEEWAY)
    bench.keeper.disconnect("a")
    bench.sign_in.end("a")
    bench.timer.advance(NOTICE)
    assert bench.closed == []
    assert [to for _, _, to in bench.emitted] == ["a"]
    assert bench.timer.calls == []
