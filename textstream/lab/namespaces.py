"""The namespaces of the lab, with the event names of Flask-SocketIO's own example.

Event names are method names: ``on_my_event`` handles ``my_event``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request
from flask_socketio import ConnectionRefusedError as Refusal
from flask_socketio import Namespace

from textstream import __version__
from textstream.errors import INTERNAL_ERROR, RateLimited, TextStreamError, UnknownEvent
from textstream.lab import payloads
from textstream.lab.audience import Audience
from textstream.lab.counter import Counter
from textstream.lab.limits import LabLimits
from textstream.lab.members import EVERYBODY, Members
from textstream.lab.request_facts import describe_connection
from textstream.lab.works import Works
from textstream.loggable import log_exception

logger = logging.getLogger("textstream.lab")

TEST = "/test"
WORK = "/testnamespace"

MY_RESPONSE = "my_response"
RESPONSE = "response"

Answer = dict[str, Any] | tuple[Any, ...]


class LabNamespace(Namespace):
    """What both have in common: a handler's answer is its acknowledgement, an error's too."""

    audience: Audience

    def trigger_event(self, event: Any, *args: Any) -> Any:
        """Dispatch an event.

        A client may send any JSON for a name, ``connect`` and ``disconnect`` too: those are the
        server's own words for a client that is not connected yet, or not any more.
        """
        own = not self.socketio.server.manager.is_connected(args[0], self.namespace)
        if (event in ("connect", "disconnect")) != own:
            return None
        if not own and not (isinstance(event, str) and hasattr(self, f"on_{event}")):
            error = UnknownEvent(f"{self.namespace} has no event {ascii(event)[:64]}")
            return {"ok": False, "error": error.to_wire()}
        return super().trigger_event(event, *args)

    def admit(self) -> None:
        """Refuse whom the lab is not for, in the words for a namespace that there is not."""
        if not self.audience.admits(request.environ):
            raise Refusal("Invalid namespace")

    def refuse(self, sid: str, error: dict[str, Any]) -> None:
        """Tell a client that asked for no acknowledgement."""
        raise NotImplementedError

    def backlog(self, sid: str) -> int:
        """Return how many packets wait for the client."""
        server = self.socketio.server
        session = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, self.namespace))
        return session.queue.qsize() if session else 0


Handler = Callable[..., Answer | None]


def answering(work: Handler) -> Callable[..., Answer]:
    """Make a handler of ``work(self, sid, *arguments)``: check, do it, acknowledge."""

    @wraps(work)
    def handle(self: Any, *arguments: Any) -> Answer:
        sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO sets it
        if self.backlog(sid) > self.limits.backlog:
            error = RateLimited("fetch first what was sent to you").to_wire()
            return {"ok": False, "error": error}
        try:
            payloads.check(arguments, self.limits)
            answer = work(self, sid, *arguments)
        except TextStreamError as refused:
            error = refused.to_wire()
        except Exception as failure:  # noqa: BLE001 (of whatever kind)
            log_exception(logger, "%s failed", work.__name__, error=failure)
            error = INTERNAL_ERROR
        else:
            return {"ok": True} if answer is None else answer
        self.refuse(sid, error)
        return {"ok": False, "error": error}

    return handle


class TestNamespace(LabNamespace):
    """``/test``: echo, rooms, broadcast, round trips, and a counter."""

    __test__ = False  # for pytest: no test

    def __init__(
        self,
        members: Members,
        counter: Counter,
        limits: LabLimits,
        audience: Audience,
        *,
        call_later: Callable[[float, Callable[[], None]], None],
        on_connect: Callable[[], None],
    ) -> None:
        super().__init__(TEST)
        self.limits = limits
        self.audience = audience
        self._members = members
        self._counter = counter
        self._call_later = call_later
        self._on_connect = on_connect

    def on_connect(self, auth: Any = None) -> None:  # noqa: ARG002 (Flask-SocketIO passes it)
        """Say hello."""
        self.admit()
        sid: str = request.sid  # type: ignore[attr-defined]
        self._on_connect()
        audience, environ = self.audience, request.environ
        address = audience.address_of(environ)
        self._members.add(sid, group=audience.group(environ), address=address)
        self._counter.enter()
        self.emit(MY_RESPONSE, {"data": "Connected", "count": 0}, room=sid)

    def on_disconnect(self, *reason: Any) -> None:  # noqa: ARG002 (the same)
        """Forget the client."""
        if self._members.remove(request.sid):  # type: ignore[attr-defined]
            self._counter.leave()

    @answering
    def on_my_event(self, sid: str, *arguments: Any) -> None:
        """Echo."""
        self._respond(sid, payloads.member(arguments, "data"), room=sid)

    @answering
    def on_my_broadcast_event(self, sid: str, *arguments: Any) -> None:
        """Send to everybody who hears this client."""
        data = payloads.member(arguments, "data")
        payloads.check_shared(arguments, self.limits)
        self._respond(sid, data, room=self._members.reach(sid, EVERYBODY))

    @answering
    def on_join(self, sid: str, *arguments: Any) -> None:
        """Enter a room."""
        rooms = self._members.join(sid, payloads.room_name(arguments, self.limits))
        self._respond(sid, "In rooms: " + ", ".join(rooms), room=sid)

    @answering
    def on_leave(self, sid: str, *arguments: Any) -> None:
        """Leave a room."""
        rooms = self._members.leave(sid, payloads.room_name(arguments, self.limits))
        self._respond(sid, "In rooms: " + ", ".join(rooms), room=sid)

    @answering
    def on_my_room_event(self, sid: str, *arguments: Any) -> None:
        """Send to a room, whoever is in it; a client's id is the room of that client."""
        room = payloads.room_name(arguments, self.limits)
        data = payloads.member(arguments, "data")
        payloads.check_shared(arguments, self.limits)
        self._respond(sid, data, room=self._members.reach(sid, room))

    @answering
    def on_close_room(self, sid: str, *arguments: Any) -> None:
        """Tell a room that it closes, and take everybody out."""
        room = payloads.room_name(arguments, self.limits)
        self._members.check_in(sid, room)
        inner = self._members.reach(sid, room)
        self._respond(sid, f"Room {room} is closing.", room=inner)
        self._members.close(sid, room)

    @answering
    def on_disconnect_request(self, sid: str, *_arguments: Any) -> None:
        """Say goodbye; disconnect when the client has acknowledged it, or a while later."""
        if self._members.is_leaving(sid):
            return
        self._respond(sid, "Disconnected!", room=sid, callback=lambda *_: self._let_go(sid))
        self._call_later(self.limits.farewell, lambda: self._let_go(sid))

    @answering
    def on_my_ping(self, sid: str, *_arguments: Any) -> None:
        """Answer at once, for the client to measure the round trip."""
        self.emit("my_pong", room=sid)

    @answering
    def on_my_connection(self, sid: str, *_arguments: Any) -> Answer:
        """Say in the acknowledgement how the client is connected."""
        server = self.socketio.server
        return {
            "ok": True,
            "sid": sid,
            **describe_connection(request.environ, server.transport(sid, TEST)),
            "server": __version__,
        }

    @answering
    def on_message(self, sid: str, *arguments: Any) -> Answer:
        """Send the arguments back, as the same event and as the acknowledgement."""
        self.emit("message", arguments, room=sid)
        return arguments

    @answering
    def on_json(self, sid: str, *arguments: Any) -> Answer:
        """Do the same for ``json``."""
        self.emit("json", arguments, room=sid)
        return arguments

    def refuse(self, sid: str, error: dict[str, Any]) -> None:
        """Answer like anything else: existing clients show it."""
        self._respond(sid, error["message"], room=sid, error=error)

    def _respond(
        self, sid: str, data: Any, *, room: str, callback: Any = None, **more: Any
    ) -> None:
        """Count an event of `sid` and send ``my_response`` to a room, by the server's name."""
        response = {"data": data, "count": self._members.count(sid), **more}
        self.emit(MY_RESPONSE, response, room=room, callback=callback)

    def _let_go(self, sid: str) -> None:
        self.socketio.server.disconnect(sid, namespace=TEST)


class WorkNamespace(LabNamespace):
    """``/testnamespace``: a request that takes its time, and holds up nobody."""

    def __init__(
        self,
        works: Works,
        limits: LabLimits,
        audience: Audience,
        *,
        on_connect: Callable[[], None],
    ) -> None:
        super().__init__(WORK)
        self.limits = limits
        self.audience = audience
        self._works = works
        self._on_connect = on_connect

    def on_connect(self, auth: Any = None) -> None:  # noqa: ARG002 (Flask-SocketIO passes it)
        """See to it that the timers run."""
        self.admit()
        self._on_connect()

    @answering
    def on_request_for_response(self, sid: str, *arguments: Any) -> None:
        """Answer twice."""
        payloads.member(arguments, "param")
        self._works.admit(sid)
        self._respond(sid, "200", "The work has begun.")
        self._works.start(sid, lambda: self._respond(sid, "200", "The work is done."))

    def refuse(self, sid: str, error: dict[str, Any]) -> None:
        """Answer once, with a code as in HTTP."""
        code = {"invalid_request": "400", "rate_limited": "429"}.get(error["code"], "500")
        self._respond(sid, code, error["message"])

    def _respond(self, sid: str, code: str, message: str) -> None:
        self.emit(RESPONSE, {"code": code, "msg": message}, room=sid)
