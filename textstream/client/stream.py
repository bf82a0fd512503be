"""A stream as its consumer sees it: an iterator of text that can be stopped and paced."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from textstream.client.asking import Asking
from textstream.client.reader import Chunk, Reader, StreamResult
from textstream.client.session import Session
from textstream.client.wire_errors import not_understood
from textstream.protocol import (
    SET_RATE,
    SHARE_STREAM,
    UNSHARE_STREAM,
    Rate,
    SetRate,
    ShareStream,
    StreamInfo,
    parse,
)


class TextStream:
    """The text of one stream, piece by piece, each unit exactly once and in order.

    ``for piece in stream`` yields the text as it arrives: usually a unit, several when they
    arrived together. Leaving the loop early stops the stream on the server, if this client
    started it; one that was resumed goes on there for its other readers. The same holds for
    `close` and for the end of a ``with`` block. May be used from several threads.

    What the consumer does not take waits here, at most some 260,000 characters: then the server
    is told to stand still until there is room.
    """

    def __init__(self, session: Session, reader: Reader, *, owned: bool, timeout: float) -> None:
        """Made by `StreamClient.stream` and `StreamClient.resume`."""
        self._session = session
        self._reader = reader
        self._owned = owned
        self._asking = Asking(session, reader, timeout)
        self._offset = reader.assembler.offset
        self._closed = False

    @property
    def id(self) -> str:
        """The stream's id: with `offset`, what `StreamClient.resume` needs."""
        return self.info.id

    @property
    def key(self) -> str | None:
        """Makes whoever has it the stream's owner, who may stop it: for `StreamClient.resume`.

        None where the stream was resumed without it. Give others the `id` alone.
        """
        return self._reader.key

    @property
    def info(self) -> StreamInfo:
        """What the server said when the stream began."""
        info = self._reader.info
        assert info is not None, "set before the stream is handed out"  # noqa: S101
        return info

    @property
    def offset(self) -> int:
        """The unit after the last one that was yielded, counted from the start of the text."""
        return self._offset

    @property
    def position(self) -> int | None:
        """Its place in the line of its source, 1 is next; None while it does not wait for one."""
        return None if self._reader.over else self._reader.position or None

    @property
    def result(self) -> StreamResult | None:
        """How the stream ended; None before the last piece has arrived."""
        return self._reader.result

    def __iter__(self) -> Iterator[str]:
        """Yield the text as it arrives.

        Raises:
            TextStreamError: the stream failed; all the text before that was yielded.

        """
        for chunk in self.chunks():
            yield chunk.text

    def __next__(self) -> str:
        """Return the next piece of text; raises as iterating does."""
        return self._next().text

    def chunks(self) -> Iterator[Chunk]:
        """Yield what iterating does, with offsets and the time of arrival."""
        try:
            while True:
                try:
                    chunk = self._next()
                except StopIteration:
                    return
                yield chunk
        finally:
            self.close()

    def stop(self, timeout: float = 5.0) -> bool:
        """Stop the stream on the server, for all its readers.

        What has arrived can still be read.

        Returns:
            Whether the server has confirmed it within `timeout` seconds.

        Raises:
            Forbidden: it is somebody else's, and this client has not got its key. It goes on.

        """
        reader = self._reader
        self._session.stop(reader)
        with self._session.changed:
            if not self._session.is_own_thread:
                self._session.changed.wait_for(lambda: reader.over or reader.unstoppable, timeout)
            if reader.unstoppable:
                raise reader.unstoppable
            return reader.over

    def pause(self) -> None:
        """Let the stream stand still for this reader, from the next piece on."""
        self._set_paused(True)

    def continue_(self) -> None:
        """Go on after `pause`."""
        self._set_paused(False)

    resume = continue_

    def set_rate(self, rate: Rate) -> None:
        """Change this reader's pace: units per second, 0 (at once) or ``"auto"``.

        While the connection is lost, the new pace holds from the reconnection on.

        Raises:
            InvalidRequest: there is no such pace, or the server does not allow it.
            ServerUnreachable: the server did not answer in time.

        """
        parse(SetRate, {"id": self.id, "rate": rate})

        def accepted(_answer: object) -> None:
            self._reader.rate = rate

        with self._session.changed:
            # Again when the connection is lost before the answer: whether it counts is not known.
            while not self._reader.over:
                link = self._session.link
                if link is None:
                    self._reader.rate = rate
                    return
                if self._asking.ask(link, SET_RATE, {"rate": rate}, accepted):
                    return

    def share(self, expires: float | None = None) -> str:
        """Let others read the stream; return a grant, for `StreamClient.resume`.

        Whoever has it may read the stream, with no token, and no more. From then on the id alone
        opens the stream to nobody.

        Args:
            expires: seconds that the grant is good for, up to 604,800 (7 days); None: a day.

        Raises:
            Forbidden: it is somebody else's, and this client has not got its key.
            InvalidRequest: the server makes no grant for so long; or this client does not read the
                stream any more: resume it with its key first.
            ServerUnreachable: there is no connection, or the server did not answer in time.

        """
        asked = {} if expires is None else {"expires": expires}
        parse(ShareStream, {"id": self.id, **asked})
        grant = self._asking.owners(SHARE_STREAM, **asked).get("grant")
        if not isinstance(grant, str):
            raise not_understood(f"a wrong answer to {SHARE_STREAM}")
        return grant

    def unshare(self) -> int:
        """End all grants of the stream; return how many readers were let go of for it.

        Raises:
            Forbidden, InvalidRequest, ServerUnreachable: see `share`.

        """
        detached = self._asking.owners(UNSHARE_STREAM).get("detached")
        return detached if isinstance(detached, int) else 0

    def close(self) -> None:
        """Leave the stream; stop it on the server if this client started it. Does not wait."""
        with self._session.changed:
            self._closed = True
            self._reader.discard()
            if self._owned:
                self._session.stop(self._reader)
            else:
                self._session.leave(self._reader)
            self._session.changed.notify_all()

    def __enter__(self) -> TextStream:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the stream, as `close` does."""
        self.close()

    def _set_paused(self, paused: bool) -> None:
        with self._session.changed:
            self._reader.paused = paused
            if self._session.link:
                self._session.link.adjust(self._reader)

    def _next(self) -> Chunk:
        reader = self._reader
        with self._session.changed:
            self._session.changed.wait_for(lambda: self._closed or reader.over or reader.waiting)
            chunk = None if self._closed else reader.take()
            if chunk is not None:
                self._offset = chunk.next
                if self._session.link:
                    self._session.link.adjust(reader)
                return chunk
            if reader.error and not self._closed:
                raise reader.error
            raise StopIteration
