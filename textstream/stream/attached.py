"""What a stream knows of those that read it."""

from __future__ import annotations

from typing import Any, Protocol

from textstream.protocol import EndReason


class AttachedReader(Protocol):
    """What a stream knows of a reader. Its attributes are guarded by the stream's lock."""

    connection: str
    first: int  # the offset at which it began
    paused: bool
    parked: bool

    @property
    def cursor(self) -> int:
        """The offset of the next unit."""
        ...

    @property
    def reading(self) -> bool:
        """Whether it goes on: it is neither over nor told to end."""
        ...

    def settle(self) -> None:
        """Send nothing more by itself, with the stream's lock held; its cursor is exact then."""
        ...

    def end_now(self, reason: EndReason) -> None:
        """Settle what was sent, and send ``stream_end`` next, whatever is left to read."""
        ...

    def drop(self, problem: dict[str, Any]) -> None:
        """End it with an error object. The dispatcher's thread only."""
        ...

    def wake(self) -> None:
        """Be served soon."""
        ...
