"""Who waits until something is ready."""

from __future__ import annotations

import threading
from collections.abc import Callable

Ready = Callable[[], bool]

Wake = Callable[[], object]
"""Called once, by any thread, with any lock held: it must return at once."""


class Watchers:
    """Calls each once, when what it watches is ready.

    ``_lock`` is its owner's, and guards what is watched, too: both of a pair are called under it.
    """

    __slots__ = ("_lock", "_waiting")

    def __init__(self, lock: threading.Lock) -> None:
        """Watch nothing yet."""
        self._lock = lock
        self._waiting: list[tuple[Ready, Wake]] | None = None

    def wait_for(self, ready: Ready, seconds: float) -> bool:
        """Wait until it is `ready`, in this thread; return whether it is."""
        changed = threading.Event()
        if self.watch(ready, changed.set) or changed.wait(seconds):
            return True
        self.remove(changed.set)
        with self._lock:
            return ready()

    def watch(self, ready: Ready, wake: Wake) -> bool:
        """Call `wake` once, as soon as it is `ready`. True: it is now, and nobody is called."""
        with self._lock:
            now = ready()
            if not now:
                self.add(ready, wake)
            return now

    def remove(self, wake: Wake) -> None:
        """Do not call `wake` any more."""
        with self._lock:
            if self._waiting:
                self._waiting = [one for one in self._waiting if one[1] != wake]

    # With the lock held.

    def add(self, ready: Ready, wake: Wake) -> None:
        """Call `wake` at the first `tell` at which it is `ready`."""
        self._waiting = self._waiting or []
        self._waiting.append((ready, wake))

    def tell(self) -> None:
        """Call those for whom it is ready now: something has changed."""
        if self._waiting:
            waiting, self._waiting = self._waiting, None
            for ready, wake in waiting:
                if ready():
                    wake()
                else:
                    self.add(ready, wake)
