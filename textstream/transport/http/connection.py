"""One HTTP connection in the reactor: requests are read, and answers written, without a thread."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Protocol

from textstream.access.address import counted
from textstream.transport.http.answers import CONTINUE, refusal
from textstream.transport.http.bodies import RequestBody, size_of
from textstream.transport.http.deadlines import Deadlines, Phase
from textstream.transport.http.files import FileBody
from textstream.transport.http.head import MAX_HEAD, BadHead, Head, find_end, parse_head
from textstream.transport.http.places import Places
from textstream.transport.reactor import Reactor

RECEIVE = 8_192
"""Bytes read in a turn. Who has more is read again when the others have had theirs."""

LINGERED = 1 << 20
"""Bytes that are thrown away of a client that was told to stop, at most."""

BLOCKS = 4
"""Blocks of a file that are written in a turn."""

WAIT = 0.05
"""Seconds until it is looked again whether there is room for more of a body."""

LATE = {
    Phase.FRESH: "No whole request came in {seconds:g} s.",
    Phase.HEAD: "No whole request came in {seconds:g} s.",
    Phase.BODY: "The body of the request did not come in {seconds:g} s.",
}
"""What is said to whoever is too slow, by its phase. Whoever is in another has nothing to hear."""


class Request:
    """A request that has come whole.

    Attributes:
        head: its head.
        body: its content; the beginning only where it was too large to keep.
        size: bytes of the content as it came.
        connection: brings the answer.

    """

    __slots__ = ("body", "connection", "head", "size")

    def __init__(self, head: Head, body: bytes, size: int, connection: HttpConnection) -> None:
        self.head = head
        self.body = body
        self.size = size
        self.connection = connection


class Owner(Protocol):
    """What serves the requests."""

    reactor: Reactor
    places: Places
    deadlines: Deadlines[HttpConnection]

    def body_of(self, head: Head) -> RequestBody:
        """Return what takes a request's body; raise `BadHead` where it is too large."""
        ...

    def serve(self, request: Request) -> None:
        """Have a request answered."""
        ...

    def gone(self, connection: HttpConnection) -> None:
        """Note that a connection has ended, or is somebody else's."""
        ...


class HttpConnection:
    """A client's connection, from accepting on. The reactor's thread only.

    It reads one request, stops reading, and goes on when the answer has gone: what a client sends
    ahead waits in its kernel.
    """

    __slots__ = (
        "_answered",
        "_body",
        "_discarded",
        "_file",
        "_head",
        "_in",
        "_keep",
        "_kept",
        "_on_drained",
        "_on_gone",
        "_out",
        "_owner",
        "_rest",
        "_watched",
        "address",
        "peer",
        "phase",
        "port",
        "sock",
    )

    def __init__(self, sock: socket.socket, peer: str, port: int, owner: Owner) -> None:
        """Own `sock`, which does not block, of a peer: its address, "" of a Unix socket."""
        self.sock: socket.socket | None = sock
        self.peer = peer
        self.port = port
        self.address = counted(peer)
        self.phase = Phase.FRESH
        self._owner = owner
        self._in = bytearray()
        self._head: Head | None = None
        self._body: RequestBody | None = None
        self._kept = 0  # bytes of the body that are counted
        self._discarded = 0  # bytes that came after its end was announced
        self._rest = b""  # what came behind the request
        self._out = bytearray()
        self._file: FileBody | None = None
        self._answered = False  # whether all of the answer is in `_out` and `_file`
        self._keep = False
        self._watched = (False, False)
        self._on_gone: Callable[[], None] | None = None
        self._on_drained: Callable[[bool], None] | None = None

    def start(self) -> None:
        """Begin to read. What it waits for, its client has mostly sent."""
        self._owner.deadlines.enter(self, Phase.FRESH)
        self._receive()
        if self.sock is not None and self.phase is Phase.FRESH:
            self._watch(read=True)

    def on_ready(self, readable: bool, writable: bool) -> None:
        """Read, or write."""
        if writable and self.sock is not None:
            self._flush()
        if readable and self.sock is not None:
            self._receive()

    # What the owner does.

    def answer(self, data: bytes, *, keep: bool, file: FileBody | None = None) -> None:
        """Send an answer, or the rest of one, and take the next request, or close.

        Args:
            data: of it.
            keep: whether there may be another request.
            file: the rest of it, which is closed.

        """
        if self.sock is None:
            if file:
                file.close()
            return
        self._answered, self._keep, self._file = True, keep, file
        self._on_gone = self._on_drained = None
        self._out += data
        self._flush()

    def write(self, data: bytes, on_drained: Callable[[bool], None]) -> None:
        """Send a part of an answer.

        Args:
            data: it.
            on_drained: called once, here: True when there is room for more, False when nobody
                reads any more.

        """
        if self.sock is None:
            on_drained(False)
            return
        self._out += data
        self._on_drained = on_drained
        self._flush()

    def refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer that there is nothing, with a sentence that names the cure, and close."""
        self.answer(refusal(status, why), keep=False)

    def expect_end(self, on_gone: Callable[[], None] | None) -> None:
        """Look for the client's end while its request waits; `on_gone` is called then, once.

        What it sends ahead is kept, as much as a head may have. None: look no longer.
        """
        self._on_gone = on_gone
        self._watch(read=on_gone is not None and len(self._rest) < MAX_HEAD)

    def take(self) -> tuple[socket.socket, bytes]:
        """Hand over the socket, for good, and what has come behind the request.

        It stays watched, for this that is nobody's any more, until it is watched for another.
        """
        sock, rest = self.sock, self._rest
        assert sock is not None  # noqa: S101 (its request is being served)
        self.sock = None
        self._leave()
        return sock, rest

    def give_way(self) -> None:
        """Close: it has asked for nothing that is not answered."""
        self.end()

    def late(self) -> None:
        """End the phase that has lasted too long."""
        if text := LATE.get(self.phase):
            why = text.format(seconds=self.phase.seconds)
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, why)
        else:
            self.end()

    def end(self) -> None:
        """Close, whatever it is at."""
        sock, self.sock = self.sock, None
        if sock is None:
            return
        self._owner.reactor.forget(sock)
        sock.close()
        self._leave()

    # Reading.

    def _receive(self) -> None:
        assert self.sock is not None  # noqa: S101 (looked at before)
        try:
            data = self.sock.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.end()
        elif self.phase is Phase.WORKING or self._answered:
            self._take_ahead(data)
        else:
            self._feed(data)

    def _take_ahead(self, data: bytes) -> None:
        """Keep what comes before its time; throw away what nobody will look at."""
        if self.phase is Phase.WORKING:
            self._rest += data
            self._watch(read=len(self._rest) < MAX_HEAD)
            return
        self._discarded += len(data)
        if self._discarded > LINGERED:
            self.end()

    def _feed(self, data: bytes) -> None:
        try:
            if self._body is None:
                self._take_head(data)
            else:
                self._take_body(self._body, data)
        except BadHead as error:
            self.refuse(error.status, error.cure)

    def _take_head(self, data: bytes) -> None:
        start = max(0, len(self._in) - 3)
        self._in += data
        end = find_end(self._in, start)
        if end < 0:
            if len(self._in) > MAX_HEAD:
                raise BadHead(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                    f"A request's head may have {MAX_HEAD} bytes.",
                )
            if self.phase is Phase.IDLE:
                self._enter(Phase.HEAD)
            self._watch(read=True)
            return
        whole = bytes(self._in)
        self._in.clear()
        self._head = head = parse_head(whole[:end])
        self._owner.places.busy(self)
        body = self._body = self._owner.body_of(head)
        self._take_body(body, whole[end:])
        if not body.complete:
            self._enter(Phase.BODY)
            self._watch(read=True)
            if head.expects_continue:
                self._out += CONTINUE
                self._flush()

    def _take_body(self, body: RequestBody, data: bytes) -> None:
        self._rest = body.feed(data)
        self._count(len(body.content))
        if body.complete:
            head, self._head, self._body = self._head, None, None
            assert head is not None  # noqa: S101 (a body has one)
            self._enter(Phase.WORKING)
            self._watch()
            self._owner.serve(Request(head, bytes(body.content), size_of(body), self))
        elif not self._owner.places.has_room_for_bodies(self):
            self._watch()
            self._owner.reactor.call_later(WAIT, self._go_on)

    def _go_on(self) -> None:
        """Read more of a body, if there is room now."""
        if self.sock is None or self.phase is not Phase.BODY:
            return
        if self._owner.places.has_room_for_bodies(self):
            self._watch(read=True)
        else:
            self._owner.reactor.call_later(WAIT, self._go_on)

    # Writing.

    def _flush(self) -> None:
        assert self.sock is not None  # noqa: S101 (looked at before)
        moved = False
        for _ in range(BLOCKS):
            if not self._out and not self._read_file():
                self._drained()
                return
            try:
                sent = self.sock.send(self._out)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                self.end()
                return
            del self._out[:sent]
            moved = True
        if moved or self.phase is not Phase.WRITING:
            self._enter(Phase.WRITING)
        self._watch(write=True)

    def _read_file(self) -> bool:
        """Take the next block of the file; return whether there was one."""
        if self._file is None:
            return False
        block = self._file.read()
        self._out += block
        if not block:
            self._file.close()
            self._file = None
        return bool(block)

    def _drained(self) -> None:
        """Go on with what is next, now that all has gone."""
        if self._answered:
            self._end_answer()
        elif self._body is not None:  # it was told to send it
            if self.phase is Phase.WRITING:
                self._enter(Phase.BODY)
            self._watch(read=True)
        elif self._on_drained:
            on_drained, self._on_drained = self._on_drained, None
            if self.phase is Phase.WRITING:
                self._enter(Phase.WORKING)
            self._watch()
            on_drained(True)

    def _end_answer(self) -> None:
        assert self.sock is not None  # noqa: S101 (its answer has just gone)
        self._count(0)
        if not self._keep:
            self._linger()
            return
        self._answered = False
        self._owner.places.idle(self)
        self._enter(Phase.IDLE)
        if self._rest:
            rest, self._rest = self._rest, b""
            # Not here: requests that a client has sent all at once would be as deep a stack.
            self._owner.reactor.call_soon(lambda: self._begin_again(rest))
        else:
            self._watch(read=True)

    def _begin_again(self, rest: bytes) -> None:
        if self.sock is not None:
            self._watch(read=True)
            self._feed(rest)

    def _linger(self) -> None:
        """End our half, and wait for theirs.

        What is there unread when a socket is closed makes a reset of its end (RFC 1122, 4.2.2.13),
        which may overtake the answer.
        """
        assert self.sock is not None  # noqa: S101 (its answer has just gone)
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self._enter(Phase.LINGERING)
        self._watch(read=True)

    # Where it stands.

    def _enter(self, phase: Phase) -> None:
        self._owner.deadlines.leave(self, self.phase)
        self.phase = phase
        self._owner.deadlines.enter(self, phase)

    def _watch(self, *, read: bool = False, write: bool = False) -> None:
        if self.sock is not None and self._watched != (read, write):
            self._watched = (read, write)
            self._owner.reactor.watch(self.sock, self, read=read, write=write)

    def _count(self, kept: int) -> None:
        if kept != self._kept:
            self._owner.places.keep(self, kept - self._kept)
            self._kept = kept

    def _leave(self) -> None:
        """Leave all tables, and tell whoever waits."""
        self._count(0)
        self._owner.deadlines.leave(self, self.phase)
        self._owner.places.leave(self)
        self._owner.gone(self)
        if self._file:
            self._file.close()
            self._file = None
        on_gone, self._on_gone = self._on_gone, None
        on_drained, self._on_drained = self._on_drained, None
        if on_gone:
            on_gone()
        if on_drained:
            on_drained(False)
