"""The table of connections and rooms, used by many threads at once."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import socketio
from hypothesis import given
from hypothesis import strategies as st
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


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["connect", "enter", "leave", "close", "ack", "disconnect"]),
        st.integers(0, 3),
        st.sampled_from(["a", "b", "sid 0"]),
    ),
    max_size=40,
)


def walked(manager: Manager, steps: list[tuple[str, int, str]]) -> tuple[Any, ...]:
    """Return what a manager knows after these steps."""
    numbers = itertools.count()
    manager.server = SimpleNamespace(
        eio=SimpleNamespace(generate_id=lambda: f"sid {next(numbers)}")
    )
    here: dict[int, str] = {}
    for step, who, room in steps:
        with suppress(ValueError):  # a client's own room is not for others
            take(manager, here, step, who, room)
    rooms = {sid: sorted(map(str, manager.get_rooms(sid, "/x"))) for sid in here.values()}
    tables = {
        name: {room: dict(of) for room, of in all_.items()} for name, all_ in manager.rooms.items()
    }
    waiting = manager.pending_connect, manager.pending_disconnect, list(manager.callbacks)
    return tables, rooms, waiting


def take(manager: Manager, here: dict[int, str], step: str, who: int, room: str) -> None:
    """Take a step; `here` are the clients that are there."""
    if step == "connect" and who not in here:
        here[who] = manager.connect(manager.pre_connect(f"eio {who}", "/x"), "/x")
    elif step == "close":
        manager.close_room(room, "/x")
    elif step != "connect" and who in here:
        sid = here[who]
        if step == "enter":
            manager.enter_room(sid, "/x", room)
        elif step == "leave":
            manager.leave_room(sid, "/x", room)
        elif step == "ack":
            manager._generate_ack_id(sid, print)
        else:
            del here[who]
            manager.pre_disconnect(sid, "/x")
            manager.disconnect(sid, "/x")


@given(STEPS)
def test_its_tables_are_those_of_the_stock_manager(steps: list[tuple[str, int, str]]) -> None:
    assert walked(ThreadSafeManager(), steps) == walked(Manager(), steps)


def test_who_leaves_is_looked_for_in_its_own_rooms_only() -> None:
    manager = ThreadSafeManager()
    walked(manager, [("connect", who, "") for who in range(100)])
    sid = manager.sid_from_eio_sid("eio 7", "/x")
    assert sid is not None

    class Unasked(dict[Any, Any]):
        """A namespace's rooms, which nobody goes through."""

        def copy(self) -> Any:
            raise AssertionError("all rooms are looked through")

        items = copy

    manager.rooms["/x"] = Unasked(manager.rooms["/x"])
    manager.pre_disconnect(sid, "/x")
    manager.disconnect(sid, "/x")
    assert not manager.is_connected(sid, "/x")
    assert len(manager.rooms["/x"]) == 100, "its own room has gone; there is that of all"
    assert not manager._more_rooms
