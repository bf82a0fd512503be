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
    "basic_disconnect",
    "basic_enter_room",
    "basic_leave_room",
    "connect",
    "eio_sid_from_sid",
    "get_rooms",
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
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

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
    manager._lock = threading.RLock()
    manager.__class__ = ThreadSafeManager
