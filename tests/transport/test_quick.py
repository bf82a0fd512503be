"""Events that are handled in the reactor's thread: which, how many, and in which order."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from socketio.exceptions import ConnectionRefusedError  # noqa: A004 (the library's name)

from tests.sources.waiting import wait_until
from tests.transport.conftest import Dial, LocalServer, StartLocal
from tests.transport.manual_reactor import ManualReactor
from tests.transport.raw import RawWebSocket
from tests.transport.test_receiver import Jobs
from tests.transport.test_strict import Polling
from textstream.transport.assembler import Message
from textstream.transport.bounds import Bounds
from textstream.transport.inbox import Inbox
from textstream.transport.quick import MAX_BYTES, PER_SECOND, PER_TURN, AtOnce, QuickHandlers

REACTOR, WORKER = "reactor", "worker"


@pytest.fixture
def local(start_local: StartLocal) -> LocalServer:
    """A server with the quick event ``where``, which answers with its thread and its arguments."""
    local = start_local(async_handlers=False)
    server = local.socketio.server

    def where(_sid: str, *args: Any) -> list[Any]:
        return [threading.current_thread().name, *args]

    server.on("where", where)
    local.transport.quick.add("where", where, lambda _sid, args: "slow" not in args)
    hear(local)
    return local


def hear(local: LocalServer) -> None:
    """Have connections and their ends noted, with the thread, by handlers that are quick."""
    server, record = local.socketio.server, local.record

    def connect(_sid: str, _environ: object, _auth: object = None) -> None:
        record.add("connect", threading.current_thread().name)

    def disconnect(_sid: str, reason: str) -> None:
        record.add(reason, threading.current_thread().name)

    server.on("connect", connect)
    server.on("disconnect", disconnect)
    local.transport.quick.add_life(connect=connect, disconnect=disconnect)


def life(local: LocalServer, then: Callable[[], object]) -> list[tuple[str, object]]:
    """Have connections begin with a handler that says nothing; return what it was called with."""
    calls: list[tuple[str, object]] = []
    server = local.socketio.server

    def connect(sid: str, _environ: object, auth: object = None) -> object:
        calls.append((sid, auth))
        return then()

    def disconnect(_sid: str, _reason: str) -> None: ...

    server.on("connect", connect)
    server.on("disconnect", disconnect)
    local.transport.quick.add_life(connect=connect, disconnect=disconnect, is_silent=lambda: True)
    return calls


def opened(dial: Dial, local: LocalServer) -> RawWebSocket:
    """Open a session that is not connected yet."""
    ws = dial(local, connected=False)
    assert next(ws.messages()).startswith("0{")
    return ws


def connected(ws: RawWebSocket) -> str:
    """Connect; return the Socket.IO id."""
    (answer,) = ask(ws, "40")
    assert answer.startswith("40")
    return str(json.loads(answer[2:])["sid"])


def ask(ws: RawWebSocket, *packets: str) -> list[str]:
    """Send packets; return as many messages."""
    for packet in packets:
        ws.send(packet)
    return list(itertools.islice(ws.messages(), len(packets)))


def test_a_quick_event_is_handled_in_the_reactor_s_thread(local: LocalServer, dial: Dial) -> None:
    assert ask(dial(local), '427["where",1]') == ['437[["reactor",1]]']


def test_one_that_is_not_quick_this_time_is_not(local: LocalServer, dial: Dial) -> None:
    assert ask(dial(local), '427["where","slow"]') == ['437[["worker","slow"]]']


def test_nor_one_that_is_large(local: LocalServer, dial: Dial) -> None:
    text = "x" * MAX_BYTES
    assert ask(dial(local), f'427["where","{text}"]') == [f'437[["worker","{text}"]]']


def test_nor_one_of_another_namespace_or_with_bytes(local: LocalServer, dial: Dial) -> None:
    ws = dial(local)
    ws.send("40/room,")
    list(itertools.islice(ws.messages(), 2))
    assert ask(ws, '42/room,7["echo",1]') == ["43/room,7[1]"]
    ws.send('451-8["where",{"_placeholder":true,"num":0}]')
    ws.send_frame("binary", b"x")
    assert next(ws.messages()).startswith('461-8[["worker",{"_placeholder":true')


def test_nor_where_somebody_else_has_taken_the_event(local: LocalServer, dial: Dial) -> None:
    local.socketio.server.on("where", lambda _sid: threading.current_thread().name)
    assert ask(dial(local), '427["where"]') == ['437["worker"]']


def test_the_order_is_kept_when_some_are_quick(local: LocalServer, dial: Dial) -> None:
    said = ["slow", "a", "b", "slow", "c"]
    answers = ask(dial(local), *(f'42{n}["where","{what}"]' for n, what in enumerate(said)))
    assert [answer[: answer.index("[")] for answer in answers] == [f"43{n}" for n in range(5)]
    assert '"worker","slow"' in answers[0]


@pytest.mark.parametrize(
    ("returned", "told"),
    [(None, "[]"), ((1, "b"), '[1,"b"]'), ([1], "[[1]]"), ({"é": "\U0001f600"}, None)],
)
def test_an_answer_is_told_as_python_socketio_tells_it(
    local: LocalServer, dial: Dial, returned: object, told: str | None
) -> None:
    server = local.socketio.server
    for event in ("stock", "quick"):
        server.on(event, lambda _sid: returned)
    local.transport.quick.add("quick", server.handlers["/"]["quick"])
    stock, quick = ask(dial(local), '427["stock"]', '427["quick"]')
    assert stock == quick
    assert told is None or quick == f"437{told}"


def test_a_handler_that_raises_is_logged_once_and_the_connection_goes_on(
    local: LocalServer, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_sid: str) -> None:
        raise RuntimeError("scripted")

    local.socketio.server.on("fail", fail)
    local.transport.quick.add("fail", fail)
    ws = dial(local)
    ws.send('42["fail"]')
    assert ask(ws, '427["where"]') == ['437[["reactor"]]']
    assert [one.getMessage() for one in caplog.records] == ["message handler error"]


def test_a_session_that_polls_has_the_same_answers(local: LocalServer) -> None:
    with closing(Polling(local.url)) as client:
        client.post("40")
        assert client.poll().status_code == 200
        client.post('427["where",1]')
        answer = client.poll().text
        assert answer.startswith('437[["')
        assert REACTOR not in answer


def test_who_hears_of_connections_may_be_quick(local: LocalServer, dial: Dial) -> None:
    record = local.record
    leaving, gone, elsewhere = dial(local), dial(local), dial(local)
    record.wait_for("connect", REACTOR)
    leaving.send("41")
    record.wait_for("client disconnect", REACTOR)
    gone.close()
    record.wait_for("transport close", REACTOR)
    # One that is in another namespace too: its handlers there are somebody else's.
    elsewhere.send("40/room,")
    list(itertools.islice(elsewhere.messages(), 2))
    elsewhere.close()
    record.wait_for("transport close", WORKER)


def test_a_connect_that_emits_nothing_takes_the_short_way(local: LocalServer, dial: Dial) -> None:
    calls = life(local, lambda: None)
    ws = opened(dial, local)
    sid = connected(ws)
    manager = local.socketio.server.manager
    wait_until(lambda: manager.is_connected(sid, "/"))
    assert calls == [(sid, None)]
    ws.send("40")  # a second one
    assert ws.close_code() == 1008


@pytest.mark.parametrize("packet", ["40", '40{"token":"x"}'])
def test_one_that_is_refused_is_told_why_either_way(
    local: LocalServer, dial: Dial, packet: str
) -> None:
    def refuse() -> None:
        raise ConnectionRefusedError("full", {"code": "x"})

    life(local, refuse)
    ws = opened(dial, local)
    assert ask(ws, packet) == ['44{"message":"full","data":{"code":"x"}}']
    rooms = local.socketio.server.manager.rooms
    wait_until(lambda: not rooms.get("/", {}).get(None))  # let go of when it was told
    life(local, lambda: False)
    assert ask(ws, packet)[0].startswith('44{"message":')
    life(local, lambda: None)
    assert connected(ws)


def test_no_reserved_name_can_be_quick() -> None:
    with pytest.raises(ValueError, match="no event"):
        QuickHandlers().add("connect", print)


# How many


class Taker:
    """What is handled at once, and what in the pool."""

    def __init__(self) -> None:
        self.reactor = ManualReactor()
        self.pool = Jobs()
        self.at_once: list[Message | None] = []
        self.later: list[Message] = []
        self.slow: set[Message] = set()
        self.ended = False
        self.inbox = Inbox(
            self.pool,
            Bounds(),
            on_message=self.later.append,
            on_end=self._end,
            at_once=AtOnce(self._take, self.reactor.as_reactor()).take,
        )

    def put(self, *messages: Message | None) -> None:
        """Put messages in one turn."""
        self.reactor.turns += 1
        for message in messages:
            self.inbox.put(message)

    def _take(self, message: Message | None) -> bool:
        if message in self.slow:
            return False
        self.at_once.append(message)
        return True

    def _end(self) -> None:
        self.ended = True


def test_a_turn_has_so_many_of_a_connection_and_the_rest_are_for_workers() -> None:
    taker = Taker()
    sent = [f"{n}" for n in range(PER_TURN + 3)]
    taker.put(*sent)
    assert taker.at_once == sent[:PER_TURN]
    taker.put("next turn")  # workers are at it still
    taker.pool.work()
    assert taker.later == [*sent[PER_TURN:], "next turn"]
    taker.put("at once again")
    assert taker.at_once[-1] == "at once again"


def test_a_second_has_so_many_of_a_connection() -> None:
    taker = Taker()
    sent = [f"{n}" for n in range(PER_SECOND + 1)]
    for one in sent:
        taker.put(one)
    assert taker.at_once == sent[:PER_SECOND]
    taker.pool.work()
    assert taker.later == sent[PER_SECOND:]
    taker.reactor.advance(1)
    taker.put("the next second")
    assert taker.at_once[-1] == "the next second"


def test_the_end_comes_last_also_when_it_is_quick() -> None:
    taker = Taker()
    taker.slow = {"slow"}
    taker.put("slow", None)
    assert taker.at_once == []
    taker.pool.work()
    assert taker.later == ["slow"]
    assert taker.ended


def test_nothing_is_handled_after_an_end_that_was_quick() -> None:
    taker = Taker()
    taker.put(None, "late", None)
    taker.pool.work()
    assert taker.at_once == [None]
    assert (taker.later, taker.ended) == ([], False)
