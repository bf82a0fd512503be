"""Keeps a client connected, and brings every stream back to its offset after a loss.

One thread per client connects, reads, and reconnects. The answers and events of a connection
are handled in it, one at a time and in order; it waits for nothing else.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from textstream.client.address import ServerAddress
from textstream.client.auth import Tokens
from textstream.client.connection import Connection
from textstream.client.failures import refused_for_good
from textstream.client.link import EVENTS, Link
from textstream.client.reader import Reader
from textstream.client.reconnect import ReconnectPolicy
from textstream.client.transports import Attempt, attempts_of, connect_by
from textstream.client.wire_errors import not_understood
from textstream.errors import (
    InvalidRequest,
    ServerUnreachable,
    StreamFailed,
    TextStreamError,
)

CLOSE_PATIENCE = 5.0
"""Seconds that ending the connection's threads may take, beside a handshake under way."""

State = Literal["connecting", "streaming", "reconnecting", "ended"]


class Session:
    """The streams that a client reads, and the connection they come over.

    ``changed`` is the client's one lock and condition: it guards this object, its link and its
    readers, and is notified whenever one of them changes.
    """

    def __init__(
        self,
        address: ServerAddress,
        *,
        transports: Sequence[str] | None,
        policy: ReconnectPolicy | None,
        timeout: float,
        on_state: Callable[[State], None] | None,
        on_position: Callable[[str, int | None], None] | None = None,
        tokens: Tokens,
    ) -> None:
        """Make a session; it connects when there is a stream to read. See `StreamClient`."""
        self.changed = threading.Condition()
        self.link: Link | None = None
        self._address = address
        self._attempts = attempts_of(transports)
        self._policy = policy
        self._timeout = timeout
        self._on_state = on_state
        self._on_position = on_position
        self._tokens = tokens
        self._state: State = "ended"
        self._readers: list[Reader] = []  # those that are not over
        self._thread: threading.Thread | None = None
        self._closed = False
        self._client_key = str(uuid.uuid4())  # on each connection: the server knows it is the same
        self._attempt = 0  # tries since the last sign of life
        self._sought_since = 0.0  # from when on there is no connection, though one is wanted

    # For the consumer's threads.

    def add(self, reader: Reader) -> None:
        """Read one more stream.

        Raises:
            StreamFailed: the client is closed.
            InvalidRequest: it reads this stream already.

        """
        with self.changed:
            if self._closed:
                raise _closed()
            self._tidy()  # one may be over, and the session's thread not have come to it
            if reader.id is not None and any(other.id == reader.id for other in self._readers):
                raise InvalidRequest(
                    "id: this client already reads that stream. Read it again with another client."
                )
            self._readers.append(reader)
            if self.link:
                self.link.attach(reader)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="textstream-client", daemon=True
                )
                self._thread.start()
            self.changed.notify_all()

    def stop(self, reader: Reader) -> None:
        """Stop the reader's stream on the server, now or as soon as that is possible."""
        with self.changed:
            if not reader.stopping and not reader.over:
                reader.stopping, reader.unstoppable = True, None
                if self.link:
                    self.link.stop(reader)
                self.changed.notify_all()

    def leave(self, reader: Reader) -> None:
        """Read the reader's stream no longer, on no later connection either; it goes on."""
        with self.changed:
            reader.leave()
            self._tidy()
            if self.link:
                self.link.leave(reader)
                self.link.wake()  # There may be nothing to read any more.

    def close(self, patience: float) -> None:
        """Wait up to `patience` seconds for the stops that were asked for, then disconnect."""
        with self.changed:
            if not self.is_own_thread:
                self.changed.wait_for(lambda: not self._stopping(), patience)
            self._closed = True
            for reader in self._readers:
                reader.fail(_closed())
            if self.link:
                self.link.wake()
            self._tidy()
            thread = self._thread
        if thread and not self.is_own_thread:
            # Bounded: it may be in a handshake with a server that stays silent.
            thread.join(2 * self._timeout + CLOSE_PATIENCE)

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller is the session's thread, where waiting would be for ever."""
        return threading.current_thread() is self._thread

    def _stopping(self) -> bool:
        return self.link is not None and any(reader.stopping for reader in self._readers)

    # The session's thread.

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                connection = self._connect()
                if connection:
                    self._serve(connection)
        except BaseException:
            with self.changed:
                self._closed = True
                self._fail(StreamFailed("client_error", "The client itself broke."))
            raise
        self._report("ended")

    def _wait_for_work(self) -> bool:
        if not self._readers:
            self._report("ended")
        with self.changed:
            if not self._readers:
                self._attempt = 0
            self.changed.wait_for(lambda: self._closed or self._readers)
            return not self._closed

    def _connect(self) -> Connection | None:
        """Connect, again and again as the policy has it; None when nobody waits any more."""
        while True:
            with self.changed:
                again = any(reader.asked for reader in self._readers)
                delay = self._delay(again)
            self._report("reconnecting" if again else "connecting")
            with self.changed:
                if self.changed.wait_for(lambda: self._closed or not self._readers, delay):
                    return None
                self._attempt += 1
            try:
                connect = partial(self._connection, self._tokens.next())
                connection = connect_by(self._attempts, connect, self._timeout)
            except TextStreamError as error:
                if self._tokens.may_mend(error):
                    continue
                with self.changed:
                    self._fail(error, partial(self._is_hopeless, error))
            else:
                self._tokens.accepted()
                return connection

    def _delay(self, again: bool) -> float:
        """Return the seconds until the next attempt; a first one is due at once."""
        if self._attempt == 0 and not again:
            self._sought_since = time.monotonic()
            return 0.0
        return self._policy.delay(self._attempt) if self._policy else 0.0

    def _connection(self, token: str | None, transports: Attempt, timeout: float) -> Connection:
        shown = {} if token is None else {"token": token}
        if token is None:  # a grant may do in its place
            with self.changed:
                grants = [reader.grant for reader in self._readers if reader.grant is not None]
            shown = {"grant": grants[0]} if grants else {}
        return Connection(
            self._address,
            transports=transports,
            timeout=timeout,
            handlers={event: self._handler(event) for event in EVENTS},
            lock=self.changed,
            auth={"client_key": self._client_key, **shown},
        )

    def _is_hopeless(self, error: TextStreamError, reader: Reader) -> bool:
        """Tell whether to give up on a reader after a connection that could not be made."""
        # A network that was there comes back, also when its names cannot be found meanwhile. What
        # never was there is another thing: a wrong name stays wrong.
        first = not reader.asked
        for_good = refused_for_good(error) or self._tokens.is_final(error)
        return for_good or (first and not error.retryable) or self._given_up(first=first)

    def _serve(self, connection: Connection) -> None:
        opened = time.monotonic()
        with self.changed:
            self.link = link = Link(connection, lambda: self._readers, self._timeout)
            for reader in list(self._readers):
                link.attach(reader)
        try:
            while self._pump(connection, link):
                pass
        finally:
            with self.changed:
                self.link = None
                self._lost(link.fruitful, time.monotonic() - opened)
            connection.close()

    def _pump(self, connection: Connection, link: Link) -> bool:
        with self.changed:
            left = None if link.deadline is None else max(0.0, link.deadline - time.monotonic())
        alive, failure = False, None
        try:
            alive = connection.pump(left)
        except StreamFailed as error:
            failure = error
        except Exception:  # noqa: BLE001  # python-socketio raises anything for a bad packet
            failure = not_understood("a packet that cannot be read")
        with self.changed:
            if failure:
                self._fail(failure)
            if link.overdue:
                silent = ServerUnreachable(f"The server gave no answer in {self._timeout:g} s.")
                self._fail(silent, lambda reader: reader.info is None)
            positions = self._new_positions()
            self._tidy()
            state = self._current_state()
            over = self._closed or link.overdue or link.expired or link.unserved
            alive = alive and not over
        self._report(state)
        for stream_id, position in positions:
            if self._on_position:
                self._on_position(stream_id, position or None)
        return alive

    def _new_positions(self) -> list[tuple[str, int]]:
        """Return the places that are to be told, by stream."""
        found = []
        for reader in self._readers:
            if reader.id is not None and reader.position != reader.told_position:
                reader.told_position = reader.position
                found.append((reader.id, reader.position))
        return found

    def _handler(self, event: str) -> Callable[[Any], None]:
        def handle(data: Any) -> None:
            if self.link:
                self.link.receive(event, data)

        return handle

    def _lost(self, fruitful: bool, lasted: float) -> None:
        """Let go of the connection, which is gone after `lasted` seconds."""
        if fruitful or (self._policy and lasted > self._policy.maximum):
            self._attempt = 0
        if self._attempt <= 1:
            self._sought_since = time.monotonic()
        for reader in self._readers:
            reader.detached()
        if self._given_up():
            self._fail(ServerUnreachable("The connection to the server was lost."))

    def _given_up(self, *, first: bool = False) -> bool:
        elapsed = time.monotonic() - self._sought_since
        return self._policy is None or self._policy.exhausted(self._attempt, elapsed, first=first)

    def _fail(
        self, error: TextStreamError, concerned: Callable[[Reader], bool] = lambda _reader: True
    ) -> None:
        for reader in self._readers:
            if concerned(reader):
                reader.fail(error)
        self._tidy()

    def _tidy(self) -> None:
        self._readers = [reader for reader in self._readers if not reader.over]
        self.changed.notify_all()

    def _current_state(self) -> State:
        if not self._readers:
            return "ended"
        attached = any(reader.attached for reader in self._readers)
        return "streaming" if attached else self._state

    def _report(self, state: State) -> None:
        # Without the lock: the callback is somebody else's code.
        if state != self._state:
            self._state = state
            if self._on_state:
                self._on_state(state)


def _closed() -> StreamFailed:
    return StreamFailed("closed", "The client was closed.")
