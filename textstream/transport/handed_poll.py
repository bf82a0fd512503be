"""Polls whose sockets were taken from their WSGI server: they wait without a thread.

As a WebSocket is (``handoff``). The connection ends with the answer: what else it would carry is
the server's, which has it no longer.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from textstream.access.account import Account, Kind
from textstream.threads import ThreadPool
from textstream.transport.bounds import Bounds
from textstream.transport.handoff import reset_on_close, steal
from textstream.transport.http.answers import head
from textstream.transport.opening import leave_thread, plain_socket_of
from textstream.transport.parking import Parking, Response
from textstream.transport.reactor import Reactor
from textstream.transport.stall import Stall
from textstream.transport.waits import PARKED, WAKE, Waits

MAX_ANSWERERS = 2
"""Threads that make large answers. They run no handlers, so that no handler keeps them."""

DISCARDED = 65_536
"""Bytes that are thrown away of what a client sends behind its poll; with more it is closed."""

_HTTP = frozenset({"HTTP/1.0", "HTTP/1.1"})

_KEPT = (
    "REQUEST_METHOD",
    "QUERY_STRING",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_CONNECTION",
    "HTTP_ORIGIN",
    "HTTP_UPGRADE",
)
"""What `Parking` looks at in an environ."""

_OWN_START_RESPONSE = ("Response.start_response", "WSGIRequestHandler.run_wsgi.")
"""What ``start_response`` is called where nobody has wrapped it: gunicorn's, Werkzeug's."""


class HandedPolls:
    """Takes polls that have to wait from the WSGI servers' threads."""

    def __init__(
        self, parking: Parking, threads: Callable[[], tuple[Reactor, ThreadPool]], bounds: Bounds
    ) -> None:
        """Make it.

        Args:
            parking: where they wait.
            threads: of this process: what waits for their sockets, and what makes large answers.
            bounds: ``stall``: seconds that a client may take nothing of its answer.

        """
        self.parking = parking
        self.stall = bounds.stall
        self._threads = threads

    @property
    def reactor(self) -> Reactor:
        """The reactor of this process."""
        return self._threads()[0]

    def submit(self, job: Callable[[], None]) -> None:
        """Run what takes a moment, and does not wait for anything."""
        self._threads()[1].submit(job)

    def hand_off(self, environ: dict[str, Any], start_response: Any) -> None:
        """Let a poll wait without the thread that serves it, where that can be.

        Raises:
            StopIteration, ConnectionError: it does: the thread is to leave, as its server has it.
            Waits: it does, and its server waits for its `WAKE`.

        """
        if (wake := environ.get(WAKE)) is not None:
            if self.parking.park(environ, lambda: wake(environ[PARKED])):
                raise Waits(environ[PARKED])
            return
        raw = self.socket_of(environ, start_response)
        if raw is None or _has_body(environ):  # which would be taken for what follows
            return
        try:
            waits = self.park(environ, lambda: steal(raw))
        except OSError:  # no descriptor to hand it off with
            return
        if waits:
            leave_thread(environ)

    def park(
        self,
        environ: dict[str, Any],
        take: Callable[[], socket.socket],
        *,
        patient: bool = False,
    ) -> bool:
        """Let a poll wait here, if it may and has to; return whether it does. Does not block.

        Args:
            environ: of a poll without a body.
            take: takes its socket, which does not block, from whoever has it; may raise OSError.
            patient: see `Parking.park`.

        Raises:
            OSError: it was not to be taken; the poll does not wait.

        """
        kept = kept_of(environ)
        poll = HandedPoll(self, kept)
        if not self.parking.park(kept, poll.wake, patient=patient):
            return False
        try:
            sock = take()
        except OSError:
            self.parking.give_back(kept)
            raise
        poll.start(sock, kept[PARKED].account)
        return True

    def socket_of(self, environ: dict[str, Any], start_response: Any) -> socket.socket | None:
        """Return the socket of a request that may be taken from its server; None: it may not.

        HTTP/2 has others beside it. And a middleware that has wrapped ``start_response`` wants to
        see the answer, or to change it.
        """
        own = getattr(start_response, "__qualname__", "").startswith(_OWN_START_RESPONSE)
        http_1 = environ.get("SERVER_PROTOCOL") in _HTTP
        return plain_socket_of(environ) if own and http_1 else None


class HandedPoll:
    """One of them, or a POST. But for `wake` and `start`, in the reactor's thread."""

    __slots__ = (
        "_account",
        "_discarded",
        "_environ",
        "_out",
        "_polls",
        "_sock",
        "_stall",
        "_woken",
    )

    def __init__(self, polls: HandedPolls, environ: dict[str, Any]) -> None:
        """Wait for nothing yet."""
        self._polls = polls
        self._environ = environ
        self._account: Account | None = None
        self._sock: socket.socket | None = None
        self._woken = False
        self._out: bytes | None = None  # what is to be sent; None: not known yet
        self._discarded = 0
        self._stall: Stall | None = None

    def wake(self) -> None:
        """Have it answered. Any thread, with any lock held."""
        self._polls.reactor.call_soon(self._answer)

    def start(self, sock: socket.socket, account: Account | None = None) -> None:
        """Wait for `wake`, and for the peer's end. Any thread.

        `account` bears what the client does not take at once.
        """
        self._account = account
        self._polls.reactor.call_soon(lambda: self._begin(sock))

    def on_ready(self, readable: bool, writable: bool) -> None:
        """Read what nobody needs, or write the rest."""
        if readable and not self._discard():
            self._close()
        elif writable:
            self._write()

    def _begin(self, sock: socket.socket) -> None:
        self._sock = sock
        self._polls.reactor.watch(sock, self, read=True, write=False)
        if self._woken:
            self._answer()

    def _answer(self) -> None:
        self._woken = True
        if self._sock is None:
            return
        parking = self._polls.parking
        if parking.waits_small(self._environ):
            self._reply(parking.answer(self._environ))
        else:
            self._polls.submit(self._answer_slowly)

    def _answer_slowly(self) -> None:
        """Do it in a thread that may take a moment."""
        response = self._polls.parking.answer(self._environ)
        self._polls.reactor.call_soon(lambda: self._reply(response))

    def _reply(self, response: Response | None) -> None:
        if self._sock is not None and response is not None:
            self._out = encoded(response)
            self._count(len(self._out))
            self._write()

    def _write(self) -> None:
        sock, out = self._sock, self._out
        if sock is None or out is None:
            return
        try:
            sent = sock.send(out)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._close()
            return
        self._out = out[sent:]
        self._count(-sent)
        if not self._out:
            self._discard()  # or its end would be a reset, which may overtake the answer
            self._close()
            return
        if self._stall is None:
            self._stall = Stall(self._polls.stall, self._polls.reactor, self._check_stall)
            self._stall.begin()
            self._polls.reactor.watch(sock, self, read=True, write=True)
        elif sent:
            self._stall.moved()

    def _check_stall(self) -> None:
        if self._stall and self._stall.lasts(bool(self._out)) and self._sock is not None:
            reset_on_close(self._sock)
            self._close()

    def _discard(self) -> bool:
        """Throw away what came; return whether the connection goes on."""
        assert self._sock is not None  # noqa: S101 (it has begun)
        try:
            while data := self._sock.recv(DISCARDED):
                self._discarded += len(data)
                if self._discarded > DISCARDED:
                    return False
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            pass
        return False

    def _close(self) -> None:
        sock, self._sock = self._sock, None
        if sock is None:
            return
        if self._out:
            self._count(-len(self._out))
        if self._stall is not None:
            self._stall.close()
        self._polls.reactor.forget(sock)
        sock.close()
        self._polls.parking.leave(self._environ)

    def _count(self, more: int) -> None:
        if self._account is not None and more:
            self._account.add(Kind.OUTGOING, more)


def encoded(response: Response) -> bytes:
    """Return a response as HTTP has it, with which its connection ends."""
    return head(response.status, [*response.headers, ("Connection", "close")]) + response.body


def kept_of(environ: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a request that waits: none of the server's objects."""
    return {key: environ[key] for key in _KEPT if key in environ}


def _has_body(environ: dict[str, Any]) -> bool:
    length = environ.get("CONTENT_LENGTH", "")
    return length not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ
