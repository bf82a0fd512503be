"""How a producer that holds no thread comes back to its source."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textstream.sources.base import CancelToken, Wait


class Resumption:
    """Resumes a producer once for each wait: when that is over, or when it is cancelled before.

    Between two waits it holds nothing of the producer's, so that a token which outlives it does not
    keep it. ``_lock`` guards everything; nothing is called while it is held.
    """

    __slots__ = ("_cancel", "_go_on", "_lock", "_wait")

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel
        self._lock = threading.Lock()
        self._wait: Wait | None = None
        self._go_on: Callable[[], None] | None = None
        cancel.on_cancel(self._cancelled)

    def after(self, wait: Wait, go_on: Callable[[], None]) -> None:
        """Call `go_on` once, maybe before this returns, maybe in another thread.

        From then on the producer may be at work there: who calls this touches nothing of it.
        """
        with self._lock:
            self._wait, self._go_on = wait, go_on
        wait.then(self._resume)
        if self._cancel.cancelled:  # it may have been before there was anything to resume
            wait.forget(self._resume)
            self._resume()

    def _resume(self) -> None:
        with self._lock:
            go_on, self._go_on, self._wait = self._go_on, None, None
        if go_on:
            go_on()

    def _cancelled(self) -> None:
        with self._lock:
            wait = self._wait
        if wait:
            wait.forget(self._resume)
        self._resume()
