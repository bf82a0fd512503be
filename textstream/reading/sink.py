"""Where a reader's units go: what the core asks of it. The web layer implements it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from textstream.protocol import FormatName

MAX_UNITS_PER_STEP = 4096
"""Units handed over in one step, at most, so that one reader does not hold up the others."""

MAX_CHUNK_BYTES = 16_384
"""Bytes of text in a chunk, at most: four for each of so many units. One unit may have more."""


class Target(Protocol):
    """What takes frames: a connection."""

    lock: threading.Lock

    def offer(self, data: bytes) -> bool:
        """Write frames, with `lock` held, if the client takes them now; return whether it did."""
        ...


class Waiting(Protocol):
    """Who waits for room: a reader."""

    def wake(self) -> None:
        """Look again soon. Any thread, any lock held."""
        ...


class Ready(NamedTuple):
    """Units that a sink has encoded: a frame for each, and where to write them."""

    frames: tuple[bytes, ...]
    target: Target


class Event(NamedTuple):
    """An event of the protocol, and its payload."""

    name: str
    payload: dict[str, Any]


class Sink(Protocol):
    """Where a reader's units go. Writing never blocks and never raises."""

    def room(self, format_: FormatName) -> int:
        """Return what the next write may have; 0 or less: hold back.

        Units in format ``char``, which are an event each, of some 32 bytes of text at most on
        the average; bytes of text in format ``chunk``.
        """
        ...

    def wake_with_room(self, who: Waiting) -> bool:
        """Wake `who` once when there may be room again; return False where nobody would.

        Then `who` has to look again by and by. Called with the stream's lock held.
        """
        ...

    def write_units(
        self,
        stream_id: str,
        format_: FormatName,
        offset: int,
        units: Sequence[str],
        *,
        before: Sequence[Event] = (),
        after: Sequence[Event] = (),
    ) -> None:
        """Write `units`, the first of which has `offset`, between the events beside them.

        All in one go where that can be: to send takes as long as all the rest of it.
        """
        ...

    def write_event(self, event: Event) -> None:
        """Write an event, whatever the room."""
        ...

    def prepare(self, stream_id: str, offset: int, units: Sequence[str], done: int) -> Ready | None:
        """Encode `units`, behind the first `done` of them, to be written one by one later on.

        Return fewer where not all of them may be written without asking again; None: it is not
        worth it, or it cannot. Called in the dispatcher's thread only.
        """
        ...
