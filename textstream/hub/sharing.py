"""Who else may read a stream: grants, their end, and the readers that had come with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textstream.access.expiry import Expiries
from textstream.access.grants import ENDED, Grant, Grants
from textstream.access.policy import Policy
from textstream.access.principal import Principal
from textstream.errors import Forbidden
from textstream.hub.directory import Directory
from textstream.hub.keeper import Keeper
from textstream.reading.dispatcher import Dispatcher
from textstream.stream.attached import AttachedReader
from textstream.stream.stream import Stream


class Sharing:
    """The sharings of a hub's streams. Any thread; nothing is kept of a grant that nobody uses."""

    def __init__(
        self,
        keeper: Keeper,
        dispatcher: Dispatcher,
        policy: Policy,
        *,
        grants: Grants,
        clock: Callable[[], float],
        directory: Directory | None = None,
    ) -> None:
        """Share what `keeper` keeps; `clock` is the dispatcher's."""
        self._directory = directory
        self._keeper = keeper
        self._dispatcher = dispatcher
        self._policy = policy
        self._grants = grants
        self._clock = clock
        self._expiries = Expiries(self._over, call_at=dispatcher.call_at, clock=clock)

    def share(
        self, stream_id: str, connection: str, *, key: str | None, expires: float
    ) -> dict[str, Any]:
        """Return a grant of a stream that is good for `expires` seconds.

        From then on its id alone opens the stream to nobody: a grant that ends would end nothing.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.
            Unauthorized, Forbidden: it is not the connection's to share.

        """
        stream = self._keeper.find(stream_id)
        self._policy.check_share(stream, self._keeper.principal(connection), connection, key)
        if not stream.is_private:
            stream.is_private = True
            if self._directory is not None:
                self._directory.shared(stream)
        return {"grant": self._grants.make(stream_id, stream.share, expires), "expires": expires}

    def unshare(self, stream_id: str, connection: str, key: str | None = None) -> dict[str, Any]:
        """End all grants of a stream, and let go of its readers that do not own it.

        Its id, which they know, opens it to nobody.

        Raises:
            UnknownStream, Unauthorized, Forbidden: see `share`.

        """
        stream = self._keeper.find(stream_id)
        principal = self._keeper.principal(connection)
        self._policy.check_share(stream, principal, connection, key)
        return {"detached": self._end(stream, connection)}

    def end(self, stream_id: str) -> int:
        """Do the same for an operator, who is no reader; return how many were let go of.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.

        """
        return self._end(self._keeper.find(stream_id))

    def _end(self, stream: Stream, by: str = "") -> int:
        with stream.lock:
            stream.share += 1
            stream.is_private = True
        if self._directory is not None:
            self._directory.shared(stream)
        return self.dismiss(stream, by)

    def dismiss(self, stream: Stream, by: str = "") -> int:
        """Let go of the readers here that do not own it, but for `by`; return how many."""
        with stream.lock:
            readers = [one for one in stream.readers if one.connection != by]
        others = [one for one in readers if not self._may_stay(stream, one.connection)]
        # In its thread, where all that a reader is sent is written.
        self._dispatcher.call_at(self._clock(), lambda: _let_go(others))
        return len(others)

    def check_read(
        self,
        stream: Stream,
        principal: Principal,
        connection: str,
        *,
        key: str | None,
        grant: str | None,
    ) -> Grant | None:
        """Return the grant that lets somebody read a stream; None: it may by itself.

        Raises:
            Unauthorized, Forbidden: it may not; see `Policy.check_read`.

        """
        check = self._policy.check_read
        if grant is None or (key is None and self._may_stay(stream, connection)):
            check(stream, principal, connection, key=key)
            return None
        read = self._grants.read(grant)
        check(stream, principal, connection, key=key, grant=read)
        return read

    def watch(self, stream: Stream, connection: str, grant: Grant | None) -> None:
        """Let a reader go when its grant expires; None: it has none, whatever it had before."""
        name = _name(stream, connection)
        if grant is not None:
            self._keeper.on_left = self._left  # not before: it is one more call for each stream
            self._expiries.watch(name, self._grants.left(grant))
        elif self._expiries.ends:
            self._expiries.forget(name)

    def _may_stay(self, stream: Stream, connection: str) -> bool:
        principal = self._keeper.principal(connection)
        return self._policy.may_read_on(stream, principal, connection)

    def _left(self, stream: Stream, reader: AttachedReader) -> None:
        """Watch nobody who has gone; the stream's lock is held.

        One that was told of the end goes a moment later: its connection may read anew by then.
        """
        if self._keeper.reader(reader.connection, stream.id) in (None, reader):
            self._expiries.forget(_name(stream, reader.connection))

    def _over(self, name: str) -> None:
        stream_id, _, connection = name.partition(" ")
        if reader := self._keeper.reader(connection, stream_id):
            _let_go([reader])


def _let_go(readers: list[AttachedReader]) -> None:
    for reader in readers:
        if reader.reading:
            reader.drop(Forbidden(ENDED).to_wire())


def _name(stream: Stream, connection: str) -> str:
    return f"{stream.id} {connection}"
