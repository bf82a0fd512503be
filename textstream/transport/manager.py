"""Who is connected and in which rooms, safe for the threading mode."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from socketio import Manager

logger = logging.getLogger("textstream.transport")

_TABLES = ("_generate_ack_id", "basic_close_room", "pre_disconnect")
"""The methods of python-socketio's that look at several entries of the tables, or change them. They
call nobody."""


class ThreadSafeManager(Manager):
    """python-socketio's manager, for one thread at a time.

    Its own makes a room, or drops an empty one, in several steps: of two clients that join at the
    same moment one is lost, and one that connects while the last other leaves is never connected.
    ``_lock`` guards all tables. It is an innermost lock, and reentrant: the methods call each
    other. Callbacks and emits run without it.

    And it knows which rooms each client is in, but for the two that all have: that of all, and one
    of its own. Stock, all rooms there are, one for each client at least, are looked through for
    each that leaves: 0.1 ms with a thousand, 1 ms with ten.

    And a room is a dict, where stock has a ``bidict``: two of them were a twelfth of what a
    connection cost. Who has an Engine.IO id is known in one table for each namespace.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._more_rooms: dict[tuple[str, str], dict[Any, None]] = {}  # by namespace and client
        self._sids: dict[str, dict[str, str]] = {}  # by namespace and Engine.IO id

    # Connecting.

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Know a client, which is not connected yet; return its id, None: it is known already."""
        sid: str = self.server.eio.generate_id()
        with self._lock:
            sids = self._sids.setdefault(namespace, {})
            if eio_sid in sids:
                return None
            sids[eio_sid] = sid
            rooms = self.rooms.setdefault(namespace, {})
            rooms.setdefault(None, {})[sid] = eio_sid
            rooms[sid] = {sid: eio_sid}
            self.pending_connect.setdefault(namespace, []).append(sid)
        return sid

    def connect(self, sid: str, namespace: str) -> str | None:
        """Know a client as connected. One that is not known yet is given by its Engine.IO id."""
        with self._lock:
            pending = self.pending_connect.get(namespace)
            if not pending or sid not in pending:
                return super().connect(sid, namespace)  # type: ignore[no-any-return]
            pending.remove(sid)
            if not pending:
                del self.pending_connect[namespace]
            return sid

    def is_connected(self, sid: str, namespace: str) -> bool:
        """Return whether a client is connected: neither on its way in nor out."""
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                return False
        everybody = self.rooms.get(namespace, {}).get(None)  # whole at any time: no lock
        return everybody is not None and sid in everybody

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """Return a client's id by its Engine.IO id; None: it is not known."""
        sids = self._sids.get(namespace)  # whole at any time: no lock
        return None if sids is None else sids.get(eio_sid)

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """Return a client's Engine.IO id; None: it is not known."""
        everybody = self.rooms.get(namespace, {}).get(None)  # the same
        return None if everybody is None else everybody.get(sid)

    # Rooms.

    def basic_enter_room(
        self, sid: str, namespace: str, room: Any, eio_sid: str | None = None
    ) -> None:
        """Add a client to a room; None is the room of all.

        Raises:
            ValueError: it is not connected, or the room is another client's own.

        """
        with self._lock:
            if eio_sid is None and namespace not in self.rooms:
                raise ValueError("sid is not connected to requested namespace")
            if sid != room and self.is_sid_room(namespace, room):
                raise ValueError("cannot enter a sid room")
            rooms = self.rooms.setdefault(namespace, {})
            if eio_sid is None:
                eio_sid = rooms[None][sid]
            rooms.setdefault(room, {})[sid] = eio_sid
            if room is None:
                self._sids.setdefault(namespace, {})[eio_sid] = sid
            elif room != sid:
                self._more_rooms.setdefault((namespace, sid), {})[room] = None

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        """Remove a client from a room."""
        with self._lock:
            self._leave(sid, namespace, room)
            rooms = self._more_rooms.get((namespace, sid))
            if rooms is not None:
                rooms.pop(room, None)
                if not rooms:
                    del self._more_rooms[namespace, sid]

    def basic_disconnect(self, sid: str, namespace: str, **_options: Any) -> None:
        """Remove a client from all its rooms, and from what waits for it."""
        with self._lock:
            for room in (*self._more_rooms.pop((namespace, sid), ()), sid, None):
                self._leave(sid, namespace, room)
            self.callbacks.pop(sid, None)
            for waiting in (self.pending_connect, self.pending_disconnect):
                self._forget(waiting, sid, namespace)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        """Return the rooms a client is in, but for that of all."""
        with self._lock:
            own = sid in self.rooms.get(namespace, {}).get(sid, ())
            return [sid] * own + list(self._more_rooms.get((namespace, sid), ()))

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """Return who is in a room now, or in one of several: Socket.IO and Engine.IO ids."""
        several = hasattr(room, "__len__") and not isinstance(room, str)  # as stock tells them
        with self._lock:
            rooms = self.rooms.get(namespace, {})
            if not several:
                return iter(list(rooms.get(room, {}).items()))
            inside: dict[str, str] = {}
            for one in room:
                inside.update(rooms.get(one, {}))
            return iter(list(inside.items()))

    # With the lock held.

    def _leave(self, sid: str, namespace: str, room: Any) -> None:
        rooms = self.rooms.get(namespace, {})
        inside = rooms.get(room)
        eio_sid = None if inside is None else inside.pop(sid, None)
        if eio_sid is None:
            return
        if room is None:
            del self._sids[namespace][eio_sid]
        if not inside:
            del rooms[room]
            if not rooms:
                del self.rooms[namespace], self._sids[namespace]

    @staticmethod
    def _forget(waiting: dict[str, list[str]], sid: str, namespace: str) -> None:
        """Remove a client from those who wait."""
        names = waiting.get(namespace, ())
        if sid in names:
            waiting[namespace].remove(sid)
            if len(names) == 0:
                del waiting[namespace]


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
