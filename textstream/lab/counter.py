"""The counter: events that the server sends by itself, from a background task."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask_socketio import SocketIO


class Counter:
    """One task while anybody is there, none otherwise. The count goes on from one to the next.

    A task of its own, not a timer of the dispatcher: sending to some thousand clients takes long
    enough to make the next unit of a stream late. ``_lock`` guards everything.
    """

    def __init__(self, socketio: SocketIO, send: Callable[[int], object], interval: float) -> None:
        """Make one that rests.

        Args:
            socketio: starts the task.
            send: called in the task with 1, 2, …
            interval: seconds from one to the next.

        """
        self._socketio = socketio
        self._send = send
        self._interval = interval
        self._lock = threading.Lock()
        self._watchers = 0
        self._count = 0
        self._ended = threading.Event()  # of the current task
        self._task: Any = None
        self._closed = False

    def enter(self) -> None:
        """Count somebody in; the first starts the task."""
        with self._lock:
            self._watchers += 1
            if self._watchers == 1 and not self._closed:
                self._ended = threading.Event()
                self._task = self._socketio.start_background_task(self._run, self._ended)

    def leave(self) -> None:
        """Count somebody out; the last ends the task."""
        with self._lock:
            self._watchers -= 1
            if self._watchers == 0:
                self._ended.set()

    def close(self, timeout: float) -> None:
        """End the task for good, and wait for it for up to `timeout` seconds."""
        with self._lock:
            self._closed = True
            self._ended.set()
            task = self._task
        if task:
            task.join(timeout)

    def _run(self, ended: threading.Event) -> None:
        while not ended.wait(self._interval):
            with self._lock:
                if ended.is_set():
                    return
                self._count += 1
                count = self._count
            self._send(count)
