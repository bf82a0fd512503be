"""A request that waits without a thread, for something to answer it with."""

from __future__ import annotations

from collections.abc import Callable

from textstream.transport.http.environ import Environ
from textstream.transport.http.request import Request
from textstream.transport.parking import Parking
from textstream.transport.reactor import Reactor


class Waiting:
    """One, from when it begins to wait until it goes on. The reactor's thread, but for `wake`."""

    def __init__(
        self,
        request: Request,
        environ: Environ,
        parking: Parking,
        reactor: Reactor,
        go_on: Callable[[], None],
    ) -> None:
        """Make it.

        Args:
            request: that is to wait.
            environ: of it.
            parking: where it waits.
            reactor: calls `go_on`.
            go_on: has it answered.

        """
        self._connection = request.connection
        self._environ = environ
        self._parking = parking
        self._reactor = reactor
        self._go_on = go_on
        self._woken = False

    def wake(self) -> None:
        """Go on, soon. Any thread, any lock held."""
        self._reactor.call_soon(self._end)

    def begin(self) -> None:
        """Look for the client's end meanwhile."""
        if self._woken:
            return
        if self._connection.sock is None:
            self._leave()
        else:
            self._connection.expect_end(self._leave)

    def _leave(self) -> None:
        self._parking.leave(self._environ)

    def _end(self) -> None:
        self._woken = True
        if self._connection.sock is None:  # it has gone, perhaps before `begin` could look for it
            self._leave()
        else:
            self._connection.expect_end(None)
            self._go_on()
