"""What a client of the lab may cost, and the lab's times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LabLimits:
    """Bounds of the connection lab. Times are in seconds.

    Attributes:
        payload: characters of one event's arguments, as JSON.
        shared: the same, of an event to others.
        arguments: arguments of a ``message`` or ``json`` event.
        depth: arrays and objects within each other.
        room_name: characters of a room's name.
        rooms: rooms that a client may be in.
        fan_outs: events to others per second and client; twice as many at once after a rest.
        address_fan_outs: the same, of all clients at an address; no more at once.
        deliveries: what all clients' events to others may be delivered per second.
        fan_out_floor: deliveries that an event to others counts as beside the real ones, so that
            many clients together cannot flood a few.
        backlog: packets that wait for a client that polls; with more it is answered nothing.
        works: requests of one client that are in work.
        works_in_all: the same for all clients.
        work: the work of ``request_for_response``.
        interval: between two events that the server sends by itself.
        farewell: for the client to acknowledge that it is about to be disconnected.

    """

    payload: int = 4096
    shared: int = 1024
    arguments: int = 16
    depth: int = 32
    room_name: int = 64
    rooms: int = 16
    fan_outs: float = 5.0
    address_fan_outs: float = 20.0
    deliveries: float = 5000.0
    fan_out_floor: int = 50
    backlog: int = 1024
    works: int = 16
    works_in_all: int = 128
    work: float = 1.0
    interval: float = 10.0
    farewell: float = 5.0
