"""The clients of the lab: how many events each has sent, its rooms, what it may send to others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from textstream.errors import Forbidden, InvalidRequest, RateLimited
from textstream.lab.allowance import Allowance
from textstream.lab.limits import LabLimits

BURST_SECONDS = 2.0
"""What a client has not sent to others for so long, it may send at once: a person clicks."""


@dataclass
class Member:
    """One client: events received, rooms in the order of joining, and its allowance."""

    fan_outs: Allowance
    count: int = 0
    rooms: dict[str, None] = field(default_factory=dict)
    leaving: bool = False


class Members:
    """All clients of one namespace.

    Beside python-socketio's own table of rooms, which would have to be looked through as a whole
    to say in which rooms a client is. ``_lock`` guards everything, and keeps both in step; while
    it is held only the manager is called.
    """

    def __init__(
        self, server: Any, namespace: str, limits: LabLimits, clock: Callable[[], float]
    ) -> None:
        """Make an empty table.

        Args:
            server: python-socketio's, which knows the rooms.
            namespace: the one whose clients they are.
            limits: what each may do.
            clock: seconds, monotonic.

        """
        self._server = server
        self._namespace = namespace
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._members: dict[str, Member] = {}
        self._rooms: dict[str, set[str]] = {}
        self._deliveries = Allowance(limits.deliveries, clock(), 1.0)

    def add(self, sid: str) -> None:
        """Add a client that connects."""
        allowance = Allowance(self._limits.fan_outs, self._clock(), BURST_SECONDS)
        with self._lock:
            self._members[sid] = Member(allowance)

    def remove(self, sid: str) -> bool:
        """Forget a client and its rooms; return whether it was known."""
        with self._lock:
            member = self._members.pop(sid, None)
            for room in member.rooms if member else ():
                self._drop(sid, room)
            return member is not None

    def count(self, sid: str) -> int:
        """Count an event; return how many the client has sent, 0 if it has gone meanwhile."""
        with self._lock:
            member = self._members.get(sid)
            if member is None:
                return 0
            member.count += 1
            return member.count

    def is_leaving(self, sid: str) -> bool:
        """Mark the client as one to be disconnected; return whether it was already."""
        with self._lock:
            member = self._member(sid)
            was, member.leaving = member.leaving, True
            return was

    def join(self, sid: str, room: str) -> list[str]:
        """Put the client into a room; return all it is in, its own first.

        Raises:
            RateLimited: it is in too many.
            InvalidRequest: that is somebody's own room.

        """
        with self._lock:
            member = self._member(sid)
            if room not in member.rooms:
                if len(member.rooms) >= self._limits.rooms:
                    raise RateLimited(f"in {self._limits.rooms} rooms already; leave one first")
                try:
                    self._server.enter_room(sid, room, namespace=self._namespace)
                except ValueError:
                    raise InvalidRequest("room: that is a client's own; choose another") from None
                member.rooms[room] = None
                self._rooms.setdefault(room, set()).add(sid)
            return [sid, *member.rooms]

    def leave(self, sid: str, room: str) -> list[str]:
        """Take the client out of a room, if it is there; return all it is in, its own first."""
        with self._lock:
            member = self._member(sid)
            if room in member.rooms:
                self._server.leave_room(sid, room, namespace=self._namespace)
                del member.rooms[room]
                self._drop(sid, room)
            return [sid, *member.rooms]

    def check_in(self, sid: str, room: str) -> None:
        """Raise `Forbidden` unless the client is in the room."""
        with self._lock:
            if room not in self._member(sid).rooms:
                raise Forbidden("only who is in a room may close it; join it first")

    def close(self, room: str) -> None:
        """Take everybody out of a room."""
        with self._lock:
            self._server.close_room(room, namespace=self._namespace)
            for sid in self._rooms.pop(room, ()):
                self._members[sid].rooms.pop(room, None)

    def spend(self, sid: str, room: str | None) -> None:
        """Take an event to a room, or to everybody, off what the client and all may send.

        Raises:
            RateLimited: that was too many.

        """
        now = self._clock()
        with self._lock:
            own = self._member(sid).fan_outs
            reached = len(self._members) if room is None else len(self._rooms.get(room, ()))
            # Never more than all that there is: one event to everybody is always possible.
            cost = min(reached + self._limits.fan_out_floor, int(self._limits.deliveries))
            if not own.allows(1, now):
                raise RateLimited(
                    f"at most {self._limits.fan_outs:g} events to others per second; wait a little"
                )
            if not self._deliveries.allows(cost, now):
                raise RateLimited("all clients together send too much to others; wait a little")
            own.spend(1, now)
            self._deliveries.spend(cost, now)

    # With the lock held.

    def _member(self, sid: str) -> Member:
        member = self._members.get(sid)
        if member is None:  # its other request, of two at a time, has disconnected it
            raise InvalidRequest("not connected any more")
        return member

    def _drop(self, sid: str, room: str) -> None:
        sids = self._rooms.get(room)
        if sids is not None:
            sids.discard(sid)
            if not sids:
                del self._rooms[room]
