"""Handlers of events that are quick, and the short way of an event to one of them.

A handler that takes less than half a millisecond, waits for nothing and calls nobody's code but its
owner's may run in the reactor's thread. It costs the server less than handing the event over to a
worker does. Which handlers those are, `QuickHandlers` is told; what they do, nobody here knows.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio.exceptions import ConnectionRefusedError  # noqa: A004 (the library's name)
from socketio.packet import CONNECT_ERROR

from textstream.transport.assembler import Message
from textstream.transport.frames import message_frame
from textstream.transport.packets import RESERVED_EVENTS
from textstream.transport.reactor import Reactor

Handler = Callable[..., Any]
Check = Callable[[str, list[Any]], bool]
"""Told the Socket.IO id and the arguments of an event: whether its handler is quick with them."""

MAX_BYTES = 4096
"""Characters of a message that may be handled at once: what a handler does with it is bounded."""

PER_TURN = 16
"""Messages of a connection that are handled at once in a turn of the reactor."""

PER_SECOND = 64
"""The same in a second. Who sends more is kept for the workers: it must not keep others waiting."""

_EVENT = re.compile(r'2(0|[1-9][0-9]{0,15})?(?=\[[ \t\r\n]*"([^"\\]*)")', re.ASCII)
"""An event in the namespace ``/``, without attachments, with or without a number to answer to, and
its name: who is quick is known by it, before the rest is read."""

_NAMESPACE = "/"


def always(_sid: str, _arguments: list[Any]) -> bool:
    """Say that a handler is quick with whatever it is called with."""
    return True


class QuickHandlers:
    """Which handlers of a server are quick. Filled before anybody connects.

    An entry counts while its handler is the one that the server has: who registers another for the
    same event has it run in a worker, as ever.
    """

    def __init__(self) -> None:
        self._events: dict[str, tuple[Handler, Check]] = {}
        self._lives: dict[str, Handler] = {}
        self._waits = False
        self.is_silent: Callable[[], bool] = bool
        self.behind: Callable[[], object] = bool
        """Called in the reactor's thread behind an event that was handled there, with its answer
        written: what this writes to the same client goes with that, in one send."""

    def add(self, event: str, handler: Handler, when: Check = always) -> None:
        """Say that `handler` of an event in the namespace ``/`` is quick, as often as `when` says.

        Raises:
            ValueError: a name that no client may send; of ``connect`` and ``disconnect`` see
                `add_life`.

        """
        if event in RESERVED_EVENTS:
            raise ValueError(f"{event} is no event of a client's")
        self._events[event] = handler, when

    def add_life(
        self,
        *,
        connect: Handler,
        disconnect: Handler,
        is_silent: Callable[[], bool] = bool,
        waits: bool = False,
    ) -> None:
        """Say that those who hear of connections to the namespace ``/`` are quick, and of ends.

        Args:
            connect: called with Socket.IO id, environ and ``auth``. It may return a dictionary,
                which is told to the client beside its id.
            disconnect: called with Socket.IO id and reason.
            is_silent: says, each time, whether `connect` will emit nothing: its answer needs
                nothing held back then, and takes the short way. By default it may emit.
            waits: whether `connect` is not quick, for it may wait.

        """
        self._lives = {"connect": connect, "disconnect": disconnect}
        self._waits = waits
        self.is_silent = is_silent

    def find(self, event: str, handlers: dict[str, Handler]) -> tuple[Handler, Check] | None:
        """Return the entry of an event, if its handler is among those that the server has."""
        entry = self._events.get(event)
        return entry if entry is not None and handlers.get(event) is entry[0] else None

    def has_life(self, event: str, handlers: dict[str, Handler]) -> bool:
        """Return whether ``connect``, or ``disconnect``, is a handler that was added."""
        known = self._lives.get(event)
        return known is not None and handlers.get(event) is known

    def is_quick_to_connect(self, handlers: dict[str, Handler]) -> bool:
        """Return whether ``connect`` is one, and quick."""
        known = self._lives.get("connect")  # not by `has_life`: it is asked for each connection
        return known is not None and handlers.get("connect") is known and not self._waits


class Call(NamedTuple):
    """An event, and who handles it.

    Attributes:
        eio_sid: the client's Engine.IO session id.
        sid: its Socket.IO id.
        handler: is called with that, and with the `arguments`.
        arguments: of the event.
        number: what its acknowledgement is known by, "": it wants none.
        when: says whether the handler is quick with them.

    """

    eio_sid: str
    sid: str
    handler: Handler
    arguments: list[Any]
    number: str
    when: Check

    @property
    def is_quick(self) -> bool:
        """Whether it may run in the reactor's thread."""
        return self.when(self.sid, self.arguments)


class Direct:
    """Takes an event from its text to its handler, and the answer back: nothing in between.

    Engine.IO and python-socketio make a packet of everything, twice for each answer. Here that is
    left out for the events of `QuickHandlers` and for nothing else, and only where all is as it
    should be: whatever is odd about a message is not found, and goes the long way, which knows what
    to do with it.
    """

    def __init__(self, server: Any, quick: QuickHandlers) -> None:
        """Serve `server`, python-socketio's, whose packets are texts."""
        self._server = server
        self._quick = quick

    def find(self, eio_sid: str, text: str) -> Call | None:
        """Return what to do with a Socket.IO packet; None: it goes the long way."""
        server = self._server
        head = _EVENT.match(text)
        if head is None or eio_sid in server._binary_packet:
            return None
        handlers = server.handlers.get(_NAMESPACE)
        if not handlers or server.logger.isEnabledFor(logging.INFO):  # it logs each event
            return None
        entry = self._quick.find(head[2], handlers)
        manager = server.manager
        sid = manager.sid_from_eio_sid(eio_sid, _NAMESPACE) if entry else None
        if entry is None or sid is None or not manager.is_connected(sid, _NAMESPACE):
            return None
        data = _read(server.packet_class.json, text, head.end())
        if type(data) is not list:
            return None
        del data[0]
        return Call(eio_sid, sid, entry[0], data, head[1] or "", entry[1])

    def run(self, call: Call, *, at_once: bool = False) -> None:
        """Have an event handled, and acknowledge it. What the handler raises is its caller's.

        `at_once` in the reactor's thread.
        """
        answer = call.handler(call.sid, *call.arguments)
        session = self._server.eio.sockets.get(call.eio_sid) if call.number else None
        if session is None:
            return
        if not isinstance(answer, tuple):
            answer = () if answer is None else (answer,)
        told = self._server.packet_class.json.dumps(answer, separators=(",", ":"))
        told = f"3{call.number}{told}"
        connection = session.queue.connection if at_once and session.is_well else None
        if connection is None:
            session.send(EnginePacket(MESSAGE, data=told))
            return
        connection.cork()
        try:
            connection.write(message_frame(f"{MESSAGE}{told}"))
            self._quick.behind()
        finally:
            connection.uncork()

    def may_connect(self, text: str) -> bool:
        """Return whether a CONNECT is one to the namespace ``/`` that is quick."""
        handlers = self._server.handlers.get(_NAMESPACE, {})
        return text[1:2] in ("", "{") and self._quick.is_quick_to_connect(handlers)

    def connect(self, eio_sid: str, text: str) -> bool:
        """Have a CONNECT handled that may be, and answer it; return False: it goes the long way.

        What python-socketio does with it, in the same order.
        """
        server = self._server
        auth = None if text == "0" else _read(server.packet_class.json, text, 1)
        if (
            (text != "0" and type(auth) is not dict)
            or eio_sid in server._binary_packet
            or not self._quick.is_silent()
        ):
            return False
        return self.let_in(eio_sid, auth)

    def may_let_in(self, namespace: str) -> bool:
        """Return whether `let_in` is for a CONNECT to a namespace, in whatever thread."""
        handlers = self._server.handlers.get(_NAMESPACE, {})
        return namespace == _NAMESPACE and self._quick.has_life("connect", handlers)

    def let_in(self, eio_sid: str, auth: Any) -> bool:
        """Have a CONNECT handled, and answer it; return False: that is for python-socketio."""
        server = self._server
        manager, session = server.manager, server.eio.sockets.get(eio_sid)
        if session is None or server.always_connect:
            return False
        sid = manager.pre_connect(eio_sid, _NAMESPACE)
        if sid is None:
            return False  # a second one
        try:
            handler = server.handlers[_NAMESPACE]["connect"]
            told = handler(sid, server.environ[eio_sid], auth or None)
            if told is False:
                raise ConnectionRefusedError  # noqa: TRY301 (the other way to say it)
        except ConnectionRefusedError as refused:
            server._send_packet(eio_sid, server.packet_class(CONNECT_ERROR, refused.error_args))
            manager.disconnect(sid, _NAMESPACE, ignore_queue=True)
        else:
            answer = f'{{"sid":"{sid}"}}'
            if type(told) is dict:
                answer = server.packet_class.json.dumps({"sid": sid, **told})
            self._send(session, f"0{answer}")
            manager.connect(sid, _NAMESPACE)
        return True

    def _send(self, session: Any, text: str) -> None:
        """Send a Socket.IO packet; to a WebSocket in this turn of the reactor."""
        connection = session.queue.connection
        if connection is not None and session.is_well:
            connection.write_last(message_frame(f"{MESSAGE}{text}"))
        else:
            session.send(EnginePacket(MESSAGE, data=text))

    def may_leave(self, eio_sid: str) -> bool:
        """Return whether the end of a session is quick: those who hear of it are."""
        manager, handlers = self._server.manager, self._server.handlers.get(_NAMESPACE, {})
        return self._quick.has_life("disconnect", handlers) and not any(
            manager.sid_from_eio_sid(eio_sid, namespace)
            for namespace in list(manager.get_namespaces())
            if namespace != _NAMESPACE
        )


def _read(json: Any, text: str, start: int) -> Any:
    """Return the JSON value from `start` to the end of `text`; None where there is none.

    With what reads packets, and by its ``scan_once`` where it has one: three calls less.
    """
    scan = getattr(json, "scan_once", None)
    try:
        if scan is None:
            return json.loads(text[start:])
        value, end = scan(text, start)
    except (ValueError, RecursionError, StopIteration):
        return None
    return value if end == len(text) else None


class AtOnce:
    """Handles messages of one connection in the reactor's thread, within bounds."""

    __slots__ = ("_handle", "_in_second", "_in_turn", "_reactor", "_second", "_turn")

    def __init__(self, handle: Callable[[Message | None], bool], reactor: Reactor) -> None:
        """Let `handle` have what is small: it returns whether it has handled it.

        None is the end of the connection.
        """
        self._handle = handle
        self._reactor = reactor
        self._turn = self._in_turn = self._in_second = 0
        self._second = 0.0

    def take(self, message: Message | None) -> bool:
        """Handle a message now, if that is quick; return whether it was."""
        if message is None:
            return self._handle(None)
        if type(message) is not str or len(message) > MAX_BYTES:
            return False
        turn, now = self._reactor.turns, self._reactor.clock()
        if turn != self._turn:
            self._turn, self._in_turn = turn, 0
        if now - self._second >= 1:
            self._second, self._in_second = now, 0
        if self._in_turn >= PER_TURN or self._in_second >= PER_SECOND:
            return False
        self._in_turn += 1
        self._in_second += 1
        return self._handle(message)
