"""Who is connected and in which rooms, safe for the threading mode."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from socketio import Manager

logger = logging.getLogger("textstream.transport")

_TABLES = (
    "_generate_ack_id",
    "basic_close_room",
    "connect",
    "eio_sid_from_sid",
    "is_connected",
    "pre_connect",
    "pre_disconnect",
)
"""The methods that look at several entries of the tables, or change them. They call nobody."""


class ThreadSafeManager(Manager):
    """python-socketio's manager, for one thread at a time.

    Its own makes a room, or drops an empty one, in several steps: of two clients that join at the
    same moment one is lost, and one that connects while the last other leaves is never connected.
    ``_lock`` guards all tables. It is an innermost lock, and reentrant: the methods call each
    other. Callbacks and emits run without it.

    And it knows which rooms each client is in, but for the two that all have: that of all, and one
    of its own. Stock, all rooms there are, one for each client at least, are looked through for
    each that leaves: 0.1 ms with a thousand, 1 ms with ten.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._more_rooms: dict[tuple[str, str], dict[Any, None]] = {}  # by namespace and client

    def basic_enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None
    ) -> None:
        """Add a client to a room; None is the room of all."""
        with self._lock:
            super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
            if room is not None and room != sid:
                self._more_rooms.setdefault((namespace, sid), {})[room] = None

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Remove a client from a room."""
        with self._lock:
            super().basic_leave_room(sid, namespace, room)
            rooms = self._more_rooms.get((namespace, sid))
            if rooms is not None:
                rooms.pop(room, None)
                if not rooms:
                    del self._more_rooms[namespace, sid]

    def basic_disconnect(self, sid: str, namespace: str, **_options: Any) -> None:
        """Remove a client from all its rooms, and from what waits for it."""
        with self._lock:
            for room in (*self._more_rooms.get((namespace, sid), ()), sid, None):
                self.basic_leave_room(sid, namespace, room)
            self.callbacks.pop(sid, None)
            for waiting in (self.pending_connect, self.pending_disconnect):
                if sid in waiting.get(namespace, ()):
                    waiting[namespace].remove(sid)
                    if not waiting[namespace]:
                        del waiting[namespace]

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """Return the rooms a client is in, but for that of all."""
        with self._lock:
            own = sid in self.rooms.get(namespace, {}).get(sid, ())
            return [sid] * own + list(self._more_rooms.get((namespace, sid), ()))

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Return who is in a room now: pairs of Socket.IO and Engine.IO ids."""
        with self._lock:
            return iter(list(super().get_participants(namespace, room)))


def _locked(name: str) -> Callable[..., Any]:
    method = getattr(Manager, name)

    @wraps(method)
    def call(self: ThreadSafeManager, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            return method(self, *args, **kwargs)

    return call


for _name in _TABLES:
    setattr(ThreadSafeManager, _name, _locked(_name))


def make_thread_safe(manager: Any) -> None:
    """Make python-socketio's own manager a `ThreadSafeManager`, in place.

    Before anybody has connected. Any other manager, one that talks to Redis say, stays as it is:
    it may have tables and threads of its own that we know nothing of.
    """
    if type(manager) is not Manager:
        logger.debug("%s is left as it is", type(manager).__name__)
        return
    # In place, and not a new one: whoever has it already shall not go on with the old tables.
    manager.__class__ = ThreadSafeManager
    manager._begin()
