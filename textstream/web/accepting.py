"""Accepting connections, also when there is no descriptor for one, and turning one away."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from textstream.transport.http.answers import RETRY_AFTER
from textstream.web.descriptors import CURE, STALE_SECONDS, Usage, for_connections, in_use, limit

logger = logging.getLogger("textstream.server")

Accepted = tuple[socket.socket, Any]
"""A connection and its peer's address, as ``socket.accept`` returns them."""

FULL = frozenset({errno.EMFILE, errno.ENFILE})
"""What ``accept`` fails with where a table of descriptors is full: the process's, the system's."""

SCARCE = FULL | {errno.ENOBUFS, errno.ENOMEM}
"""What it fails with while the connection goes on waiting, and so fails again at once."""

PAUSE = 0.1
"""Seconds until the next try, where nothing else can be done."""

DISCARDED = 16
"""Reads of 64 kB, at most, of what one that is turned away has sent: who accepts serves others."""

EARLY = 8
"""With so few descriptors left for connections, room is made for the next."""

UNSEEN, PLENTY = 64, 512
"""Connections that are accepted without another look at how many descriptors are left, at most, and
for a second at most: where so many are. A look takes 3 µs."""

TELL_SECONDS = 60.0
"""Seconds between two lines in the log about the same trouble, at least."""

_BODY = json.dumps(
    {
        "code": "too_busy",
        "message": f"The server has no room for another connection. Try again in {RETRY_AFTER} s.",
        "retry_after": RETRY_AFTER,
    }
).encode()

_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n"
    b"Retry-After: %d\r\n"
    b"Connection: close\r\n"
    b"\r\n%b"
) % (len(_BODY), RETRY_AFTER, _BODY)


def turn_away(sock: socket.socket) -> None:
    """Answer 503 to whatever is asked, and close. Does not wait, and never raises."""
    with suppress(OSError):
        sock.setblocking(False)
        sock.send(_ANSWER)
        sock.shutdown(socket.SHUT_WR)
        # What is there unread when a socket is closed makes a reset of its end (RFC 1122,
        # 4.2.2.13), which may overtake the answer.
        for _ in range(DISCARDED):
            if not sock.recv(65_536):
                break
    sock.close()


class Trouble:
    """A warning that is written at once, and then once a minute at most, with how often it was."""

    def __init__(self, message: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Make it.

        Args:
            message: with a place for the count, then for the arguments of the last call.
            clock: seconds, monotonic.

        """
        self._message = message
        self._clock = clock
        self._count = 0
        self._next = float("-inf")

    def __call__(self, *args: object) -> None:
        """Write it, or count it."""
        self._count += 1
        now = self._clock()
        if now >= self._next:
            self._next = now + TELL_SECONDS
            count, self._count = self._count, 0
            logger.warning(self._message, count, *args)


class Acceptor:
    """Accepts connections while there are descriptors. One thread.

    Where there are too few, a connection is taken, told so, and closed at once: it would be tried
    again and again otherwise, and keep a processor busy with that.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        limit: Callable[[], int] = limit,
        in_use: Callable[[], int] = in_use,
        make_room: Callable[[int], int] = lambda _: 0,
        on_refused: Callable[[], object] = lambda: None,
    ) -> None:
        """Make it, with a descriptor in reserve: in the process that accepts.

        Args:
            clock: seconds, monotonic.
            sleep: waits so many seconds.
            limit: how many descriptors there may be.
            in_use: how many there are.
            make_room: is to close so many connections, and returns how many it could.
            on_refused: told of each connection that is turned away.

        """
        self._sleep = sleep
        self._limit = limit
        self._make_room = make_room
        self._on_refused = on_refused
        self._usage = Usage(clock=clock, limit=limit, in_use=in_use)
        self._turned_away = Trouble(
            "connections turned away: %d, too few descriptors are left of %d. " + CURE, clock
        )
        self._failed = Trouble("connections could not be accepted, %d times: %s", clock)
        self._clock = clock
        self._listener: socket.socket | None = None
        self._listener_family = 0
        self._plenty = self._unseen = 0  # how many are accepted without a look, and were
        self._until = 0.0  # when there is one in any case
        self._reserve: int | None = None
        self._refill()

    def accept(self, listener: socket.socket) -> Accepted:
        """Accept a connection.

        Raises:
            BlockingIOError: there is none that can be served.
            OSError: of other kinds than `SCARCE`, as ``accept`` raises it.

        """
        try:
            # What `accept` itself calls, which asks the kernel and an enumeration once more.
            number, peer = listener._accept()  # type: ignore[attr-defined]
        except OSError as error:
            if error.errno not in SCARCE:
                raise
            self._without(listener, error)
            raise BlockingIOError(errno.EAGAIN, "no descriptor for a connection") from None
        sock = socket.socket(self._family(listener), socket.SOCK_STREAM, 0, number)
        if self._unseen < self._plenty and self._clock() < self._until:
            self._unseen += 1
        else:
            self._look(sock)
        return sock, peer

    def _family(self, listener: socket.socket) -> int:
        if listener is not self._listener:
            self._listener, self._listener_family = listener, int(listener.family)
        return self._listener_family

    def _look(self, sock: socket.socket) -> None:
        """Look how many descriptors are left behind a connection.

        Raises:
            BlockingIOError: too few. It was refused.

        """
        self._refill()
        self._usage.closed(-self._unseen)
        self._unseen = 0
        left = for_connections(self._limit()) - self._usage.opened(sock.fileno())
        self._plenty = UNSEEN if left >= PLENTY else 0
        self._until = self._clock() + STALE_SECONDS
        if left < EARLY:
            self._see_to_room(EARLY - left)
        if left < 0:
            self._refuse(sock)
            raise BlockingIOError(errno.EAGAIN, "too few descriptors for a connection")

    def close(self) -> None:
        """Close the descriptor in reserve."""
        reserve, self._reserve = self._reserve, None
        if reserve is not None:
            os.close(reserve)

    def _see_to_room(self, count: int) -> None:
        self._usage.closed(self._make_room(count))

    def _without(self, listener: socket.socket, error: OSError) -> None:
        """Take a connection with the descriptor in reserve, and turn it away; or wait a moment."""
        self._plenty = 0  # whatever was seen when it was looked at
        if error.errno in FULL and self._reserve is not None:
            self.close()
            try:
                sock, _ = listener.accept()
            except OSError as again:  # another thread was faster
                error = again
            else:
                self._refuse(sock)
                self._refill()
                self._see_to_room(EARLY)
                return
        self._refill()
        if error.errno in SCARCE:
            self._failed(error.strerror)
            self._sleep(PAUSE)

    def _refuse(self, sock: socket.socket) -> None:
        turn_away(sock)
        self._usage.closed(1)
        self._on_refused()
        self._turned_away(self._limit())

    def _refill(self) -> None:
        if self._reserve is not None:
            return
        with suppress(OSError):
            self._reserve = os.open(os.devnull, os.O_RDONLY)
