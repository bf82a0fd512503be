"""The Socket.IO handlers. They decode, call the hub, and answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask_socketio import SocketIO
from socketio.exceptions import ConnectionRefusedError  # noqa: A004 (the library's name)

from textstream.access.caller import NOBODY, Caller
from textstream.access.principal import Principal, principal_of
from textstream.access.visits import Visit
from textstream.errors import (
    INTERNAL_ERROR,
    InvalidRequest,
    LimitReached,
    NotReading,
    TextStreamError,
    Unauthorized,
    UnknownEvent,
    UnknownStream,
)
from textstream.hub.hub import Hub
from textstream.loggable import log_exception
from textstream.measure import Unread
from textstream.protocol import (
    CONTINUE_STREAM,
    DESCRIBE_STREAM,
    LEAVE_STREAM,
    PAUSE_STREAM,
    RESUME_STREAM,
    SERVER_DRAINING,
    SET_RATE,
    START_STREAM,
    STOP_STREAM,
    STREAM_ERROR,
    DescribeStream,
    OwnStream,
    ResumeStream,
    SetRate,
    StreamRef,
    parse,
)
from textstream.reading.sink import Sink
from textstream.sources import SourceRegistry
from textstream.transport.admission import Refused
from textstream.transport.foreign import RUN_ONE_WORKER, has_siblings
from textstream.transport.quick import QuickHandlers
from textstream.web.access_events import AccessEvents
from textstream.web.admission import Admission
from textstream.web.quick_events import quick_events
from textstream.web.sign_in import SignIn
from textstream.web.sinks import ConnectionSink, EmitSink
from textstream.web.starts import RequestLimits, read_start
from textstream.web.watch import CONNECT, Watch

logger = logging.getLogger("textstream.events")

MAX_NAME = 64
"""Characters of an unknown event's name that are told in the answer."""

UNKNOWN = "unknown"
"""What any event that nobody handles is counted as."""

ELSEWHERE = f" Or another worker process has it: each keeps its streams to itself. {RUN_ONE_WORKER}"

Answer = dict[str, Any]
Handler = Callable[[str, Any], Answer]


class Events:
    """Handles the events of the protocol. ``sid`` is the connection, ``payload`` its argument."""

    def __init__(
        self,
        socketio: SocketIO,
        hub: Hub,
        registry: SourceRegistry,
        *,
        limits: RequestLimits,
        clock: Callable[[], float],
        on_connect: Callable[[], None],
        draining: Callable[[], dict[str, Any]],
        handed_off: bool,
        admission: Admission,
        watch: Watch,
        sign_in: SignIn | None = None,
    ) -> None:
        self._socketio = socketio
        self._hub = hub
        self._registry = registry
        self._limits = limits
        self._clock = clock
        self._on_connect = on_connect
        self._draining = draining
        self._new_sink = ConnectionSink if handed_off else EmitSink
        self._admission = admission
        self._watch = watch
        self._sign_in = sign_in
        self._access = AccessEvents(
            hub,
            sign_in,
            address_of=lambda sid: self._caller(sid).address,
            environ_of=socketio.server.get_environ,
            watch=watch,
        )
        # By connection: one, or none before its first stream. In a list: whoever makes it while the
        # connection goes leaves nothing behind.
        self._sinks: dict[str, list[Sink]] = {}
        # By connection; and whether it was made here, and is to be ended here; and who asks.
        self._visits: dict[str, tuple[Visit, bool, Caller]] = {}

    def register(self, quick: QuickHandlers | None = None) -> None:
        """Register all handlers with the server, and with what runs quick ones at once."""
        handlers: dict[str, Handler] = {
            START_STREAM: self.start,
            STOP_STREAM: self.stop,
            PAUSE_STREAM: self.pause,
            CONTINUE_STREAM: self.go_on,
            SET_RATE: self.set_rate,
            RESUME_STREAM: self.resume,
            LEAVE_STREAM: self.leave,
            DESCRIBE_STREAM: self.describe,
            **self._access.handlers,
        }
        self._names = ", ".join(handlers)
        # With the server beneath Flask-SocketIO: these handlers need no request context, and
        # making one takes as long as starting a stream.
        server = self._socketio.server
        answering = {name: self._answering(name, handler) for name, handler in handlers.items()}
        for event, handler in answering.items():
            server.on(event, handler)
        server.on("*", self.unknown)
        connect, disconnect = self.connect, self.disconnect  # one object each: it is compared
        server.on("connect", connect)
        server.on("disconnect", disconnect)
        if quick is not None:
            waits = self._sign_in is not None and self._sign_in.waits
            for event, when in quick_events(self._hub, self._registry, waits=waits).items():
                quick.add(event, answering[event], when)
            quick.add_life(
                connect=connect,
                disconnect=disconnect,
                is_silent=lambda: not self._hub.closing,
                waits=waits,
            )

    def connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> dict[str, Any] | None:
        """Know a connection from now on; return what its client is told of it."""
        self._on_connect()
        visit = self._visit(sid, environ)
        sign_in = self._sign_in
        asked = sign_in is not None and sign_in.asks(environ)
        principal = self._identify(sid, environ, auth) if asked else principal_of(auth)
        self._sinks[sid] = []
        self._hub.connect(sid, visit, principal)
        self._watch.connect(self._caller(sid), environ)
        if self._hub.closing:
            self._socketio.emit(SERVER_DRAINING, self._draining(), to=sid)
        if sign_in is None or principal.expires is None:
            return None
        return sign_in.begin(sid, principal)

    def disconnect(self, sid: str, *_reason: Any) -> None:
        """Let go of all that a connection has read; it is gone."""
        self._sinks.pop(sid, None)  # first: see what is looked for after each event
        known = self._visits.pop(sid, None)
        if known:
            self._watch.disconnect(known[2])
        self._hub.disconnect(sid)
        if known and known[1]:
            known[0].leave()
        if self._sign_in is not None and sid in self._sign_in.watched:
            self._sign_in.end(sid)

    def start(self, sid: str, payload: Any) -> Answer:
        """``start_stream``."""
        caller = self._caller(sid)
        start = read_start(payload, self._registry, self._limits, caller)
        sinks = self._sinks.get(sid)
        sink = sinks[0] if sinks else self._make_sink(sid)
        reader = self._hub.start(start, connection=sid, sink=sink)
        self._watch.start(caller, reader)
        answer: Answer = {"stream": reader.info, "key": reader.stream.key}
        if position := reader.stream.position:
            answer["position"] = position
        return answer

    def stop(self, sid: str, payload: Any) -> Answer:
        """``stop_stream``: the one named, or the connection's own."""
        if payload is not None:
            asked = parse(OwnStream, payload)
            offset = self._hub.stop(asked.id, sid, asked.key)
            self._watch.stop(self._caller(sid), (asked.id,))
            return {"offset": offset}
        stopped = self._hub.stop_own(sid)
        self._watch.stop(self._caller(sid), stopped)
        return {"offset": next(reversed(stopped.values()), 0), "stopped": stopped}

    def pause(self, sid: str, payload: Any) -> Answer:
        """``pause_stream``."""
        reader = self._hub.reader(parse(StreamRef, payload).id, sid)
        reader.pause()
        return {"offset": reader.cursor}

    def go_on(self, sid: str, payload: Any) -> Answer:
        """``continue_stream``."""
        reader = self._hub.reader(parse(StreamRef, payload).id, sid)
        reader.go_on(self._clock())
        return {"offset": reader.cursor}

    def set_rate(self, sid: str, payload: Any) -> Answer:
        """``set_rate``."""
        change = parse(SetRate, payload)
        self._limits.check_rate(change.rate)
        reader = self._hub.reader(change.id, sid)
        reader.set_rate(change.rate, self._clock())
        return {"rate": change.rate}

    def resume(self, sid: str, payload: Any) -> Answer:
        """``resume_stream``."""
        resume = parse(ResumeStream, payload)
        self._limits.check_rate(resume.rate)
        sinks = self._sinks.get(sid)
        reader = self._hub.resume(
            resume.id,
            offset=resume.offset,
            connection=sid,
            sink=sinks[0] if sinks else self._make_sink(sid),
            rate=resume.rate,
            format_=resume.format,
            key=resume.key,
            grant=resume.grant,
        )
        self._watch.read(self._caller(sid), reader)
        answer: Answer = {"stream": reader.info, "recovered": True}
        if position := reader.stream.position:
            answer["position"] = position
        return answer

    def leave(self, sid: str, payload: Any) -> Answer:
        """``leave_stream``."""
        return {"offset": self._hub.leave(parse(StreamRef, payload).id, sid)}

    def describe(self, sid: str, payload: Any) -> Answer:
        """``describe_stream``."""
        asked = parse(DescribeStream, payload)
        described = self._hub.describe(asked.id, sid, key=asked.key, grant=asked.grant)
        return {"stream": described.model_dump()}

    def unknown(self, event: Any, sid: Any = None, *_args: Any) -> Answer:
        """Answer whoever waits for the answer to an event that nobody handles."""
        if isinstance(event, str) and event in self._visits:
            event, sid = "*", event  # by that name it is called as if it were its own handler
        said = ascii(event[:MAX_NAME] if isinstance(event, str) else event)[:MAX_NAME]
        error = UnknownEvent(f"There is no event {said}. There are: {self._names}")
        return self._refuse(sid, UNKNOWN, error.to_wire())

    def _make_sink(self, sid: str) -> Sink:
        sink = self._new_sink(self._socketio, sid)
        self._sinks.get(sid, []).append(sink)
        return sink

    def _caller(self, sid: str) -> Caller:
        known = self._visits.get(sid)
        if known is None:
            return NOBODY
        visit, _, caller = known
        # A newer token may have another one.
        return caller if caller.quota is visit.quota else caller._replace(quota=visit.quota)

    def _visit(self, sid: str, environ: dict[str, Any]) -> Visit:
        """Return what is counted for a connection."""
        try:
            visit, made = self._admission.visit_of(environ)
        except Refused as refused:
            raise ConnectionRefusedError(str(refused), refused.error) from None
        self._visits[sid] = visit, made, Caller(visit.address, sid)
        return visit

    def _identify(self, sid: str, environ: dict[str, Any], auth: object) -> Principal:
        """Return who connects; refuse the connection where that cannot be said."""
        assert self._sign_in is not None  # noqa: S101 (for the type checker)
        visit, made, caller = self._visits[sid]
        try:
            principal = self._sign_in.identify(environ, auth, visit)
        except TextStreamError as error:
            del self._visits[sid]
            if made:
                visit.leave()
            self._admission.refuse(CONNECT, caller.address, error)
            raise ConnectionRefusedError(error.message, error.to_wire()) from None
        if visit.user is not None:
            caller = caller._replace(user=visit.user.id, quota=visit.quota)
            self._visits[sid] = visit, made, caller
        return principal

    def _answering(self, event: str, handler: Handler) -> Callable[..., Answer]:
        """Return the handler as the server calls it: its return value is the acknowledgement."""

        def handle(sid: str, *args: Any) -> Answer:
            if len(args) > 1:
                many = InvalidRequest(f"{event} takes one argument at most, got {len(args)}")
                return self._refuse(sid, event, many.to_wire())
            payload = args[0] if args else None
            try:
                if isinstance(payload, Unread):
                    raise InvalidRequest(payload.reason)  # noqa: TRY301 (answered like the others)
                answer = handler(sid, payload)
            except TextStreamError as error:
                # Under this name alone: under another it would keep its own frame, and the payload
                # with that, until the collector of cyclic garbage comes.
                return self._refuse(sid, event, self._told(sid, error))
            except Exception as error:  # noqa: BLE001 (of whatever kind)
                log_exception(logger, "%s failed", event, error=error)
                return self._refuse(sid, event, INTERNAL_ERROR)
            if sid not in self._sinks:
                # It broke meanwhile, and its disconnect came before: undo what was begun.
                self._hub.disconnect(sid)
            return {"ok": True, **answer}

        return handle

    def _told(self, sid: str, error: TextStreamError) -> dict[str, Any]:
        """Return the error object for a client; count, and log, what is to be."""
        address = self._caller(sid).address
        if isinstance(error, UnknownStream) and not isinstance(error, NotReading):
            error = self._admission.count_wrong_id(address, error)
        if isinstance(error, LimitReached | Unauthorized):
            self._admission.tell(address, error)
        return self._explain(sid, error)

    def _explain(self, sid: str, error: TextStreamError) -> dict[str, Any]:
        """Return the error object; of a stream that another process may have, it says so."""
        if isinstance(error, UnknownStream) and not (
            isinstance(error, NotReading) or self._hub.is_shared
        ):
            environ = self._socketio.server.get_environ(sid)
            if environ and has_siblings(environ):
                error = UnknownStream(error.message + ELSEWHERE)
        return error.to_wire()

    def _refuse(self, sid: str, event: str, error: dict[str, Any]) -> Answer:
        self._watch.refuse(event, self._caller(sid), error)
        if event in {START_STREAM, RESUME_STREAM}:
            # A plain client asks for no acknowledgement, but must learn of it.
            self._socketio.emit(STREAM_ERROR, error, to=sid)
        return {"ok": False, "error": error}
