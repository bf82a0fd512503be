"""The clients of the lab: how many events each has sent, its rooms, what it may send to others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from textstream.errors import Forbidden, InvalidRequest, RateLimited
from textstream.lab.allowance import Allowance
from textstream.lab.limits import LabLimits

BURST_SECONDS = 2.0
"""What a client has not sent to others for so long, it may send at once: a person clicks."""

EVERYBODY = ""
"""The room of all who hear one another. No client's room has that name."""


SWEEP_AT = 64
"""Addresses that are kept before those are forgotten whose clients have gone."""


@dataclass
class Member:
    """One client: events received, rooms in the order of joining, and its allowances.

    Attributes:
        group: what it has in common with those who hear it.
        fan_outs: what it may send to others.
        shared: the same, of all clients at its address.

    """

    group: str
    fan_outs: Allowance
    shared: Allowance
    count: int = 0
    rooms: dict[str, None] = field(default_factory=dict)
    leaving: bool = False

    def inner(self, room: str) -> str:
        """Return the server's name for a room. No id of a client has a space in it."""
        return f"{self.group} {room}"


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
        self._rooms: dict[str, set[str]] = {}  # by the server's name
        self._addresses: dict[str, Allowance] = {}
        self._sweep_at = SWEEP_AT
        self._deliveries = Allowance(limits.deliveries, clock(), 1.0)

    def add(self, sid: str, *, group: str, address: str) -> None:
        """Add a client that connects.

        Args:
            sid: its id.
            group: what those have in common who hear one another.
            address: what its share of events is counted by.

        """
        now = self._clock()
        allowance = Allowance(self._limits.fan_outs, now, BURST_SECONDS)
        with self._lock:
            member = Member(group, allowance, self._share(address, now))
            self._members[sid] = member
            with suppress(KeyError, ValueError):  # it has gone: its disconnect comes next
                self._enter(sid, member.inner(EVERYBODY))

    def remove(self, sid: str) -> bool:
        """Forget a client and its rooms; return whether it was known."""
        with self._lock:
            member = self._members.pop(sid, None)
            if member is None:
                return False
            for room in (EVERYBODY, *member.rooms):
                self._drop(sid, member.inner(room))
            return True

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
            InvalidRequest: that is a client's own room.

        """
        with self._lock:
            member = self._member(sid)
            if room in self._members:
                raise InvalidRequest("room: that is a client's own; choose another")
            if room not in member.rooms:
                if len(member.rooms) >= self._limits.rooms:
                    raise RateLimited(f"in {self._limits.rooms} rooms already; leave one first")
                self._enter(sid, member.inner(room))
                member.rooms[room] = None
            return [sid, *member.rooms]

    def leave(self, sid: str, room: str) -> list[str]:
        """Take the client out of a room, if it is there; return all it is in, its own first."""
        with self._lock:
            member = self._member(sid)
            if room in member.rooms:
                inner = member.inner(room)
                self._server.leave_room(sid, inner, namespace=self._namespace)
                del member.rooms[room]
                self._drop(sid, inner)
            return [sid, *member.rooms]

    def check_in(self, sid: str, room: str) -> None:
        """Raise `Forbidden` unless the client is in the room."""
        with self._lock:
            if room not in self._member(sid).rooms:
                raise Forbidden("only who is in a room may close it; join it first")

    def close(self, sid: str, room: str) -> None:
        """Take everybody out of a room that the client is in."""
        with self._lock:
            inner = self._member(sid).inner(room)
            self._server.close_room(inner, namespace=self._namespace)
            for one in self._rooms.pop(inner, ()):
                self._members[one].rooms.pop(room, None)

    def reach(self, sid: str, room: str) -> str:
        """Take an event to a room, or to `EVERYBODY`, off what the client and all may send.

        Returns:
            The server's name for the room. A client's id is the room of that client, for those
            who hear one another; for others nobody is there.

        Raises:
            RateLimited: that was too many.

        """
        now = self._clock()
        with self._lock:
            member = self._member(sid)
            other = self._members.get(room)
            to_one = other is not None and other.group == member.group
            inner = room if to_one else member.inner(room)
            self._spend(member, 1 if to_one else len(self._rooms.get(inner, ())), now)
            return inner

    # With the lock held.

    def _spend(self, member: Member, reached: int, now: float) -> None:
        # Never more than all that there is: one event to everybody is always possible.
        cost = min(reached + self._limits.fan_out_floor, int(self._limits.deliveries))
        if not member.fan_outs.allows(1, now):
            raise RateLimited(
                f"at most {self._limits.fan_outs:g} events to others per second; wait a little"
            )
        if not member.shared.allows(1, now):
            raise RateLimited(
                f"at most {self._limits.address_fan_outs:g} events to others per second from one "
                "address; wait a little"
            )
        if not self._deliveries.allows(cost, now):
            raise RateLimited("all clients together send too much to others; wait a little")
        member.fan_outs.spend(1, now)
        member.shared.spend(1, now)
        self._deliveries.spend(cost, now)

    def _share(self, address: str, now: float) -> Allowance:
        """Return what the clients of an address may send, and forget that of those who have gone.

        One that is whole again is like a new one: only what is not must outlive its clients, or
        whoever connects anew might begin anew.
        """
        share = self._addresses.get(address)
        if share is None:
            if len(self._addresses) >= self._sweep_at:
                used = {id(member.shared) for member in self._members.values()}
                self._addresses = {
                    name: one
                    for name, one in self._addresses.items()
                    if id(one) in used or not one.is_whole(now)
                }
                self._sweep_at = max(SWEEP_AT, 2 * len(self._addresses))
            share = self._addresses[address] = Allowance(self._limits.address_fan_outs, now, 1.0)
        return share

    def _member(self, sid: str) -> Member:
        member = self._members.get(sid)
        if member is None:  # its other request, of two at a time, has disconnected it
            raise InvalidRequest("not connected any more")
        return member

    def _enter(self, sid: str, inner: str) -> None:
        self._server.enter_room(sid, inner, namespace=self._namespace)
        self._rooms.setdefault(inner, set()).add(sid)

    def _drop(self, sid: str, inner: str) -> None:
        sids = self._rooms.get(inner)
        if sids is not None:
            sids.discard(sid)
            if not sids:
                del self._rooms[inner]
