"""What a hub asks of whoever knows the streams of other processes: see `textstream.store`.

A hub that has none keeps its streams to itself, and calls nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from textstream.access.principal import Principal
from textstream.hub.keeper import Keeper
from textstream.protocol import StreamDescription
from textstream.stream.start import Start
from textstream.stream.stream import Stream


class Name(NamedTuple):
    """What a new stream is called, and what makes whoever shows it its owner."""

    id: str
    key: str


class Directory(Protocol):
    """The streams of all processes.

    `create`, `find`, `ready` and `describe` may wait, for seconds: never under a lock, nor in a
    thread that others wait for.
    """

    def serve(self, keeper: Keeper, *, on_access: Callable[[Stream], object]) -> None:
        """Know who keeps the streams of this process.

        `on_access` is called, with no lock held, when it was said elsewhere who may read a stream.
        """
        ...

    def create(self, start: Start, key: str | None, principal: Principal) -> Name | Stream:
        """Return what a new stream is called; or the one that the same request has started.

        Args:
            start: what it is started with.
            key: what the request is known by, where it has a name.
            principal: who starts it.

        Raises:
            Unavailable: nobody can tell now.

        """
        ...

    def make(self, stream_id: str, start: Start, owner: str, **options: Any) -> Stream:
        """Return a new stream of a name from `create`; arguments as those of `Stream`."""
        ...

    def created(self, name: Name, stream: Stream | None) -> None:
        """Know that the stream of a name was made, and runs; None: it was not."""
        ...

    def find(self, stream_id: str) -> Stream | None:
        """Return a stream that is not kept here; None: there is none.

        Raises:
            Unavailable: nobody can tell now.

        """
        ...

    def ready(self, stream: Stream, offset: int) -> Stream:
        """Return the stream, when it has come to `offset`, or will not soon."""
        ...

    def describe(self, stream: Stream, described: StreamDescription) -> StreamDescription:
        """Return how a stream is, as its owner knows it."""
        ...

    def shared(self, stream: Stream) -> None:
        """Know that who may read a stream has changed, and that grants may have ended."""
        ...

    def release(self) -> None:
        """Let others have what can go on elsewhere: this process goes down."""
        ...
