"""The connection lab: for people who bring up their own front end, proxy or network.

See ``docs/lab.md``. Off with ``TEXTSTREAM_LAB=off`` or ``--no-lab``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from flask_socketio import SocketIO

from textstream.lab.audience import Audience
from textstream.lab.counter import Counter
from textstream.lab.limits import LabLimits
from textstream.lab.members import Members
from textstream.lab.namespaces import MY_RESPONSE, TEST, TestNamespace, WorkNamespace
from textstream.lab.works import Works
from textstream.reading.dispatcher import Dispatcher

__all__ = ["Audience", "Lab", "LabLimits"]


class Lab:
    """Both namespaces, and what works behind them."""

    def __init__(
        self,
        socketio: SocketIO,
        dispatcher: Dispatcher,
        audience: Audience,
        *,
        on_connect: Callable[[], None],
        limits: LabLimits | None = None,
    ) -> None:
        """Register the namespaces.

        Args:
            socketio: the server; its handlers must not be asynchronous.
            dispatcher: for timers, with ``time.monotonic`` as its clock.
            audience: whom it is for, and who hears whom.
            on_connect: called for each client; must see to it that the dispatcher runs.
            limits: see `LabLimits`.

        """
        limits = limits or LabLimits()
        self._socketio = socketio
        self._counter = Counter(socketio, self._send_count, limits.interval)
        members = Members(socketio.server, TEST, limits, time.monotonic)
        socketio.on_namespace(
            TestNamespace(
                members,
                self._counter,
                limits,
                audience,
                call_later=lambda delay, call: dispatcher.call_at(time.monotonic() + delay, call),
                on_connect=on_connect,
            )
        )
        works = Works(dispatcher.call_at, limits)
        socketio.on_namespace(WorkNamespace(works, limits, audience, on_connect=on_connect))

    def close(self, timeout: float) -> None:
        """End the counter, and wait for it for up to `timeout` seconds."""
        self._counter.close(timeout)

    def _send_count(self, count: int) -> None:
        self._socketio.emit(
            MY_RESPONSE, {"data": "Server generated event", "count": count}, namespace=TEST
        )
