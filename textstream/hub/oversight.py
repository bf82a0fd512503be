"""What an operator sees, and may do, of everybody's streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textstream.access.principal import Principal
from textstream.hub.joining import describe
from textstream.hub.keeper import Keeper
from textstream.protocol import StreamDescription


@dataclass(frozen=True, slots=True)
class Seen:
    """A stream, and whose it is.

    Attributes:
        stream: how it is now.
        principal: who has started it: the id, "" of nobody in particular.
        address: from where.

    """

    stream: StreamDescription
    principal: str
    address: str


class Oversight:
    """Everybody's streams and connections. Who may ask is for the caller to know."""

    def __init__(self, keeper: Keeper) -> None:
        """Look over what `keeper` has."""
        self._keeper = keeper

    def streams(self) -> list[Seen]:
        """Return all streams, the newest first."""
        return [
            Seen(describe(entry.stream), entry.stream.principal.id, entry.visit.address)
            for entry in reversed(self._keeper.entries())
        ]

    def stop(self, stream_id: str) -> int:
        """Stop a stream for everyone; return the number of its units.

        Raises:
            UnknownStream: there is none of this id, or it was forgotten.

        """
        return self._keeper.find(stream_id).stop("stopped")

    def turn_out(self, wanted: Callable[[Principal], bool]) -> list[str]:
        """End what some principals read, and stop what they run; return their connections."""
        connections = self._keeper.connections_of(wanted)
        for connection in connections:
            self._keeper.detach(connection)
        owned = [stream for one in connections for stream in self._keeper.owned(one)]
        away = [stream for stream in self._keeper.all() if wanted(stream.principal)]
        for stream in {*owned, *away}:
            stream.stop("stopped")
        return connections
