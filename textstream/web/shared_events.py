"""Flask-SocketIO's emits across the processes that share a store: rooms, broadcasts, callbacks.

Its own `RedisManager` speaks the same messages, and waits for Redis in whoever emits: with a store
that stood still for 6 s every reader of the process did, and each character of a client that polls
was published to all processes (measured). Here nobody waits, and what is for a client of this
process goes to it and nowhere else.
"""

from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

from socketio.pubsub_manager import PubSubManager

from textstream.loggable import log_exception
from textstream.transport.manager import ThreadSafeManager

if TYPE_CHECKING:
    from textstream.store.bus import Bus
    from textstream.store.node import Node

logger = logging.getLogger("textstream.store")

CHANNEL = "flask-socketio"
"""Flask-SocketIO's own: other programs' ``SocketIO(message_queue=…)`` emit on it."""

METHODS = ("emit", "disconnect", "enter_room", "leave_room", "close_room")


class SharedManager(PubSubManager, ThreadSafeManager):
    """Python-socketio's manager of many processes, by way of a `Bus`."""

    name = "textstream"
    bus: Bus
    own: str

    def initialize(self) -> None:
        """Start no thread: the bus has one."""

    def emit(  # noqa: PLR0917 (python-socketio's)
        self,
        event: str,
        data: Any,
        namespace: str | None = None,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        """Emit to a client, to a room, or to everybody, wherever they are."""
        room = to or room
        namespace = namespace or "/"
        if isinstance(room, str) and self._is_for_here(room, namespace):
            ThreadSafeManager.emit(
                self, event, data, namespace, room=room, skip_sid=skip_sid, callback=callback
            )
            return
        super().emit(event, data, namespace, room, skip_sid, callback, **options)

    def hear(self, message: bytes) -> None:
        """Do what another process asks, or a program that has no clients."""
        try:
            asked = json.loads(message)
            method = asked.get("method")
            if method == "callback":
                self._handle_callback(asked)
            elif method in METHODS and asked.get("host_id") != self.host_id:
                getattr(self, f"_handle_{method}")(asked)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("what was published on %s is no event: %r", self.channel, error)
        except Exception as error:  # noqa: BLE001 (of whatever kind)
            log_exception(logger, "an event of another server failed", error=error)

    def _is_for_here(self, room: str, namespace: str) -> bool:
        """Return whether a room is a client of this process, or one that it had."""
        return self.is_sid_room(namespace, room) or bool(self.own and room.startswith(self.own))

    def _publish(self, data: Any) -> None:
        try:
            message = json.dumps(data, separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            log_exception(logger, "an event cannot be sent to other servers", error=error)
            return
        self.bus.publish(message)


def share_events(manager: Any, node: Node, name: str) -> None:
    """Let a manager's emits reach the clients of all processes; before anybody has connected.

    Args:
        manager: of the server, a `ThreadSafeManager`.
        node: speaks with the store.
        name: what ids of this process's clients begin with; "": with nothing in particular.

    """
    if type(manager) is not ThreadSafeManager:
        logger.debug("%s is left as it is", type(manager).__name__)
        return
    manager.__class__ = SharedManager  # in place: others have it already
    manager.channel, manager.write_only = CHANNEL, False
    manager.host_id = uuid.uuid4().hex
    manager.own = f"{name}." if name else ""
    manager.bus = node.listen(CHANNEL, manager.hear)
