"""A gate lets a number of callers in at a time, first come first served."""

from __future__ import annotations

import threading
from collections import deque

from textstream.sources.base import CancelToken


class Gate:
    """A semaphore that is fair, and whose waiting can be cancelled.

    ``threading.Semaphore`` is neither: a waiter can only poll for its cancelling, and a
    newcomer can overtake it.
    """

    def __init__(self, limit: int) -> None:
        """Let at most `limit` callers in at a time."""
        self._changed = threading.Condition()  # guards _free and _queue
        self._free = limit
        self._queue: deque[object] = deque()

    def enter(self, cancel: CancelToken) -> bool:
        """Wait for a place; return False, without one, when `cancel` is cancelled first.

        True must be followed by one `leave`, from any thread.
        """
        # Registered before the lock is taken: a token that is already cancelled calls back here.
        cancel.on_cancel(self._wake)
        place = object()
        with self._changed:
            self._queue.append(place)
            self._changed.wait_for(
                lambda: cancel.cancelled or (self._free and self._queue[0] is place)
            )
            self._queue.remove(place)
            entered = not cancel.cancelled
            if entered:
                self._free -= 1
            # Whoever is first in the queue now may have a place to take.
            self._changed.notify_all()
            return entered

    def leave(self) -> None:
        """Give a place back."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
