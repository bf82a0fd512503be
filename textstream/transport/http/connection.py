"""One HTTP connection in the reactor: requests are read, and answers written, without a thread."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Protocol

from textstream.transport.handoff import reset_on_close
from textstream.transport.http.answers import CONTINUE, refusal
from textstream.transport.http.bodies import RequestBody
from textstream.transport.http.deadlines import Phase
from textstream.transport.http.files import FileBody
from textstream.transport.http.head import MAX_HEAD, BadHead, Head
from textstream.transport.http.outgoing import Outgoing
from textstream.transport.http.request import NONE, Incoming, Request
from textstream.transport.http.wire import Tables, Wire

RECEIVE = 8_192
"""Bytes read in a turn. Who has more is read again when the others have had theirs."""

LINGERED = 1 << 20
"""Bytes that are thrown away of a client that was told to stop, at most."""

STEP = 16_384
"""Bytes of an answer that a client is to take in the time of `Phase.WRITING`, at least: 1 kB/s. One
that takes a byte now and then would keep an answer, and a thread that makes it, for hours."""

WAIT = 0.02
"""Seconds until it is looked again whether there is room for more of a body.

With 0.05, 800 bodies of 2 MB took half as long again; 32 that wait take 1 % of a processor.
"""

LATE = {
    Phase.FRESH: "No whole request came in {seconds:g} s.",
    Phase.HEAD: "No whole request came in {seconds:g} s.",
    Phase.BODY: "The body of the request did not come in {seconds:g} s.",
}
"""What is said to whoever is too slow, by its phase. Whoever is in another has nothing to hear."""


class Owner(Tables, Protocol):
    """What serves the requests."""

    def body_of(self, head: Head) -> RequestBody:
        """Return what takes a request's body; raise `BadHead` where it is too large."""
        ...

    def serve(self, request: Request) -> None:
        """Have a request answered."""
        ...

    refused: Callable[[HTTPStatus], object]
    """Told of each request that the connection itself answers with an error."""


class HttpConnection(Wire):
    """A client's connection, from accepting on. The reactor's thread only.

    It reads one request, stops reading, and goes on when the answer has gone: what a client sends
    ahead waits in its kernel.
    """

    __slots__ = (
        "_answered",
        "_discarded",
        "_incoming",
        "_keep",
        "_on_drained",
        "_on_gone",
        "_outgoing",
        "_owner",
    )

    def __init__(self, sock: socket.socket, peer: str, port: int, owner: Owner) -> None:
        """Own `sock`, which does not block, of a peer: its address, "" of a Unix socket."""
        super().__init__(sock, peer, port, owner)
        self._owner: Owner = owner
        self._incoming = Incoming(owner.body_of)
        self._discarded = 0  # bytes that came after its end was announced
        self._outgoing = Outgoing()
        self._answered = False  # whether all of the answer is in `_outgoing`
        self._keep = False
        self._on_gone: Callable[[], None] | None = None
        self._on_drained: Callable[[bool], None] | None = None

    @property
    def ahead(self) -> bytes:
        """What has come behind the request that is being served."""
        return self._incoming.ahead

    def start(self, data: bytes = b"") -> None:
        """Begin to read, behind `data`. What it waits for, its client has mostly sent."""
        self._enter(Phase.FRESH)
        self._guarded(partial(self._feed, data) if data else self._receive)
        if self.phase is Phase.FRESH:
            self._watch(read=True)

    def start_with(self, data: bytes | None) -> None:
        """Begin where somebody has read already: None: nothing has come yet, b"": its end."""
        self._enter(Phase.FRESH)
        if data is None:
            self._watch(read=True)
        else:
            self._guarded(partial(self._take, data))

    # What the owner does.

    def answer(self, data: bytes, *, keep: bool, file: FileBody | None = None) -> None:
        """Send an answer, or the rest of one, and take the next request, or close.

        Args:
            data: of it.
            keep: whether there may be another request.
            file: the rest of it, which is closed.

        """
        if self.sock is None or self._answered:
            if file:
                file.close()
            return
        self._answered, self._keep = True, keep
        self._on_gone = self._on_drained = None
        self._outgoing.add(data, file)
        self._flush()

    def write(self, data: bytes, on_drained: Callable[[bool], None]) -> None:
        """Send a part of an answer.

        Args:
            data: it.
            on_drained: called once, here: True when there is room for more, False when nobody
                reads any more.

        """
        if self.sock is None or self._answered:
            on_drained(False)
            return
        self._on_drained = on_drained
        self._outgoing.add(data)
        self._flush()

    def refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer that there is nothing, with a sentence that names the cure, and close."""
        self._owner.refused(status)
        self.answer(refusal(status, why), keep=False)

    def expect_end(self, on_gone: Callable[[], None] | None) -> None:
        """Look for the client's end while its request waits; `on_gone` is called then, once.

        What it sends ahead is kept, as much as a head may have. None: look no longer.
        """
        self._on_gone = on_gone
        self._watch(read=on_gone is not None and len(self._incoming.ahead) < MAX_HEAD)

    def late(self) -> None:
        """End the phase that has lasted too long."""
        self._guarded(self._end_phase)

    def _end_phase(self) -> None:
        if text := LATE.get(self.phase):
            why = text.format(seconds=self.phase.seconds)
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, why)
            return
        if self.phase is Phase.WRITING and self.sock is not None:
            reset_on_close(self.sock)  # or the kernel goes on trying
        self.end()

    # Reading.

    def _receive(self) -> None:
        assert self.sock is not None  # noqa: S101 (looked at before)
        try:
            data = self.sock.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        self._take(data)

    def _take(self, data: bytes) -> None:
        """Take what has come; b"" is the end."""
        if not data:
            self.end()
        elif self._answered:
            self._discarded += len(data)
            if self._discarded > LINGERED:
                self.end()
        elif self.phase is Phase.WORKING:
            self._incoming.ahead += data
            self._watch(read=len(self._incoming.ahead) < MAX_HEAD)
        else:
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        """Take what has come of a request."""
        incoming, owner = self._incoming, self._owner
        try:
            incoming.feed(data)
        except BadHead as error:
            self.refuse(error.status, error.cure)
            return
        begins = self.phase is not Phase.BODY
        if incoming.head is None:
            if self.phase is Phase.IDLE:
                self._enter(Phase.HEAD)
            self._watch(read=True)
            return
        if begins:
            owner.places.busy(self)
        self._count(incoming.kept)
        if incoming.complete:
            owner.places.has_body(self)
            self._enter(Phase.WORKING)
            self._watch()
            request, kept = incoming.take(self), self._kept
            self._count(0)
            if kept:
                request.held = owner.places.hold(self.address, kept)
            owner.serve(request)
            return
        if begins:
            self._enter(Phase.BODY)
        if begins and incoming.head.expects_continue:
            self._outgoing.add(CONTINUE)
            self._flush()
        else:
            self._read_on()

    def _read_on(self, *, waited: bool = False) -> None:
        """Read more of a body, when there is room for it."""
        if self.sock is None or self.phase is not Phase.BODY:
            return
        if self._owner.places.has_room_for_body(self, self._kept):
            if waited:
                self._enter(Phase.BODY)  # the time was not the client's
            self._watch(read=True)
        else:
            self._watch()
            wait_over = partial(self._guarded, partial(self._read_on, waited=True))
            self._owner.reactor.call_later(WAIT, wait_over)

    # Writing.

    def _flush(self) -> None:
        assert self.sock is not None  # noqa: S101 (looked at before)
        outgoing = self._outgoing
        try:
            all_gone = outgoing.send(self.sock)
        except OSError:  # the client has gone, or the rest of the file
            self.end()
            return
        if all_gone:
            self._drained()
            return
        if self.phase is not Phase.WRITING or outgoing.taken >= STEP:
            outgoing.taken = 0
            self._enter(Phase.WRITING)
        self._watch(write=True)

    def _drained(self) -> None:
        """Go on with what is next, now that all has gone."""
        if self._answered:
            self._end_answer()
        elif self._incoming.head is not None:  # it was told to send its body
            if self.phase is Phase.WRITING:
                self._enter(Phase.BODY)
            self._read_on()
        elif self._on_drained:
            on_drained, self._on_drained = self._on_drained, None
            if self.phase is Phase.WRITING:
                self._enter(Phase.WORKING)
            self._watch()
            on_drained(True)

    def _end_answer(self) -> None:
        self._count(0)
        if not self._keep:
            self._linger()
            return
        self._answered = False
        self._enter(Phase.IDLE)
        if self._incoming.ahead:
            self._watch()
            # Not here: requests that a client has sent all at once would be as deep a stack.
            self._owner.reactor.call_soon(self._begin_again)
        else:
            self._owner.places.idle(self)
            self._watch(read=True)

    def _begin_again(self) -> None:
        """Take the next request, of which something has come already."""
        if self.sock is not None:
            self._owner.places.idle(self)
            ahead, self._incoming.ahead = self._incoming.ahead, NONE
            self._guarded(lambda: self._feed(ahead))

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

    def _left(self) -> None:
        """Tell whoever waits that it has ended."""
        self._outgoing.close()
        on_gone, self._on_gone = self._on_gone, None
        on_drained, self._on_drained = self._on_drained, None
        if on_gone:
            on_gone()
        if on_drained:
            on_drained(False)
