"""The table of connections and rooms, used by many threads at once."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import socketio
from socketio import Manager

from textstream.transport import install
from textstream.transport.manager import ThreadSafeManager

THREADS = 4
ROUNDS = 1000


@pytest.fixture
def _threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def one_client(manager: Manager, eio_sid: str) -> None:
    sid = manager.connect(manager.pre_connect(eio_sid, "/test"), "/test")
    assert manager.is_connected(sid, "/test")
    manager.enter_room(sid, "/test", "room")
    assert "room" in manager.get_rooms(sid, "/test")
    assert sid in dict(manager.get_participants("/test", "room"))
    manager.pre_disconnect(sid, "/test")
    manager.disconnect(sid, "/test")


def churn(manager: Manager) -> list[str]:
    """Connect, enter the same room and leave, in several threads; return what went wrong."""
    numbers = itertools.count()
    eio = SimpleNamespace(generate_id=lambda: f"sid {next(numbers)}")
    manager.server = SimpleNamespace(eio=eio)
    wrong: list[str] = []

    def many(name: int) -> None:
        for number in range(ROUNDS):
            if wrong:
                return
            try:
                one_client(manager, f"{name} {number}")
            except (AssertionError, KeyError, RuntimeError, ValueError) as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=many, args=(name,)) for name in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


@pytest.mark.usefixtures("_threads_take_turns_often")
@pytest.mark.parametrize("how", ["made", "installed"])
def test_clients_that_come_and_go_at_the_same_moment(how: str) -> None:
    if how == "made":
        manager = ThreadSafeManager()
    else:
        server = socketio.Server(async_mode="threading")
        manager = server.manager
        assert install(server)
    assert churn(manager) == []
    assert manager.rooms == {}
    assert manager.pending_connect == manager.pending_disconnect == {}


def test_another_manager_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    class Own(Manager):
        pass

    server = socketio.Server(async_mode="threading", client_manager=Own())
    assert install(server)
    assert type(server.manager) is Own
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
