"""The Python client.

::

    with StreamClient("http://127.0.0.1:5002") as client:
        for piece in client.stream("Tell me a story"):
            print(piece, end="", flush=True)

It reconnects by itself and goes on at the right unit: none is lost, none comes twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from textstream.client.address import DEFAULT_URL, parse_address
from textstream.client.api import Api
from textstream.client.assembler import Assembler
from textstream.client.auth import Auth, Tokens
from textstream.client.reader import Chunk, Reader, StreamResult
from textstream.client.reconnect import ReconnectPolicy
from textstream.client.session import Session, State
from textstream.client.stream import TextStream
from textstream.client.wire_errors import not_understood
from textstream.errors import InvalidRequest, ServerUnreachable
from textstream.protocol import OnDisconnect, Rate, ResumeStream, StartStream, UnitName, parse

__all__ = [
    "DEFAULT_URL",
    "Chunk",
    "ReconnectPolicy",
    "State",
    "StreamClient",
    "StreamResult",
    "TextStream",
]

STOP_PATIENCE = 2.0
"""Seconds that `StreamClient.close` waits for the server to confirm the stops."""


class StreamClient:
    """A connection to a textstream server, made when the first stream is asked for.

    May be used from several threads, and read several streams at a time.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        path: str | None = None,
        transports: Sequence[str] | None = None,
        reconnect: bool | ReconnectPolicy = True,
        timeout: float = 10.0,
        on_state: Callable[[State], None] | None = None,
        on_position: Callable[[str, int | None], None] | None = None,
        auth: Auth = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        Args:
            url: the server's address, with the path under which a proxy has it:
                ``https://example.org/stream/``. ``host:port`` alone is http; the address of a
                page of the server (``…/app/``) will do; ``user:password@`` is sent as HTTP Basic
                authentication, a query with every request. See `parse_address`.
            path: the path of Socket.IO on the host, where it is not ``socket.io`` behind that of
                `url`.
            transports: ``"websocket"``, ``"polling"`` or both in the order to use them. None
                is WebSocket, and polling where that does not get through.
            reconnect: whether, or how long, a connection is tried again: one that was lost, and
                the first one to a server that is not there yet (5 s). What does not pass by
                itself, as a name that is not found, is not tried again.
            timeout: seconds the server has for each answer. One that stays silent for longer
                counts as lost.
            on_state: called when the client begins to connect, to stream, to reconnect, or has
                nothing left to read. It runs in the client's thread: it must not block, nor
                call the client.
            on_position: called with a stream's id and its place in the line of its source, 1 is
                next, whenever that is another; None: it does not wait any more. As `on_state` is.
            auth: the token, where the server asks for one; or what returns one. That is called for
                each connection, and once more when the server does not take what it gave: so a
                token that has expired is followed by the next, and streams go on at the right
                unit. It runs in the client's thread, and in that of whoever asks for `sources`.

        Raises:
            InvalidRequest: `url` is no address, `path` no path, there is no such transport,
                `timeout` is not above 0, or `auth` is neither a text nor can be called.

        """
        if timeout <= 0:
            raise InvalidRequest("timeout: must be above 0 seconds")
        address = parse_address(url, path)
        self.url = address.url
        """The server's address, without what is nobody's business: password and query."""
        self._timeout = timeout
        policy = reconnect if isinstance(reconnect, ReconnectPolicy) else ReconnectPolicy()
        tokens = Tokens(auth)
        self._api = Api(
            address, timeout=timeout, policy=policy if reconnect else None, tokens=tokens
        )
        self._session = Session(
            address,
            transports=transports,
            policy=policy if reconnect else None,
            timeout=timeout,
            on_state=on_state,
            on_position=on_position,
            tokens=tokens,
        )
        self._streams: list[tuple[TextStream, Reader]] = []

    def stream(
        self,
        prompt: str | None = None,
        *,
        source: str | None = None,
        text: str | None = None,
        unit: UnitName = "char",
        rate: Rate | None = None,
        params: Mapping[str, Any] | None = None,
        on_disconnect: OnDisconnect = "continue",
        request_id: str | None = None,
    ) -> TextStream:
        """Start a stream and return it once the server has accepted it.

        Args:
            prompt: what the source is to answer.
            source: one of `sources`; None is the server's default for clients that name none.
            text: for the source ``text``: what to stream, instead of a prompt.
            unit: ``"char"`` (a user-perceived character), ``"word"`` or ``"token"``.
            rate: units per second, 0 (as fast as possible), ``"auto"``, None: the source's.
            params: options of the source.
            on_disconnect: ``"continue"``: a stream that nobody reads goes on for the server's time
                of grace, so that it can be resumed; ``"cancel"``: it ends at once.
            request_id: makes the start idempotent. By default a random one, so that a start
                whose answer is lost with the connection is not done twice.

        Raises:
            ServerUnreachable: nothing answers at the address, or not in time.
            TextStreamError: the server refused it; see `textstream.errors`.

        """
        # Through JSON-like plain values: the server's own model says what is wrong, and where.
        fields = {
            "prompt": prompt,
            "source": source,
            "text": text,
            "unit": unit,
            "rate": rate,
            "params": dict(params or {}),
            "on_disconnect": on_disconnect,
            "request_id": request_id or str(uuid.uuid4()),
            "format": "chunk",
        }
        start = parse(StartStream, fields)
        request = start.model_dump(exclude_none=True)
        return self._read(Reader(request=request, rate=rate), owned=True)

    def resume(
        self,
        id: str,  # noqa: A002
        offset: int = 0,
        rate: Rate | None = None,
        *,
        key: str | None = None,
        grant: str | None = None,
    ) -> TextStream:
        """Read a stream that exists, running or ended, from unit `offset` on.

        With its `key` (see `TextStream.key`) as its owner, who may stop it. With a `grant`, from
        its owner, where its id alone does not open it; that needs no token.

        Raises:
            Forbidden: it is another stream's key, or not yours to read, or the grant has ended.
            UnknownStream: there is none of this id, or it was forgotten.
            OffsetGone: the text there was trimmed.
            InvalidRequest: the stream is not that long.
            ServerUnreachable: nothing answers at the address, or not in time.

        """
        parse(ResumeStream, {"id": id, "offset": offset, "rate": rate, "key": key, "grant": grant})
        reader = Reader(id=id, key=key, grant=grant, assembler=Assembler(offset), rate=rate)
        return self._read(reader, owned=False)

    def sources(self) -> dict[str, Any]:
        """Return what ``GET /api/sources`` says: the sources, and which one is preferred.

        Raises:
            ServerUnreachable: nothing answers at the address, or not in time.
            Unauthorized: the server asks for a token, and does not take this one.
            StreamFailed: the answer makes no sense; is this a textstream server?

        """
        answer = self._api.get("/api/sources")
        if not isinstance(answer, dict) or not isinstance(answer.get("sources"), list):
            raise not_understood("a wrong list of sources")
        return answer

    def close(self) -> None:
        """Stop the streams that this client started, disconnect, and end its threads.

        Waits up to 2 s for the server to confirm the stops. Doing it again does nothing.
        """
        for stream, _reader in self._streams:
            stream.close()
        self._session.close(STOP_PATIENCE)

    def __enter__(self) -> StreamClient:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()

    def _read(self, reader: Reader, *, owned: bool) -> TextStream:
        stream = TextStream(self._session, reader, owned=owned, timeout=self._timeout)
        changed = self._session.changed
        with changed:
            self._streams = [(s, r) for s, r in self._streams if not r.over]
            self._streams.append((stream, reader))
        try:
            self._session.add(reader)
            with changed:
                changed.wait_for(lambda: reader.info is not None or reader.over)
        except BaseException:
            # Also when interrupted: what may have been started must not go on unread.
            stream.close()
            raise
        if reader.info is None:
            raise reader.error or ServerUnreachable("The server gave no answer.")
        return stream
