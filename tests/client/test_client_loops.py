"""The loops of a connection: that of reading waits for that of writing, and ends it."""

from __future__ import annotations

import queue

from textstream.client.connection import _Task


def test_who_waits_for_the_writing_loop_ends_it() -> None:
    written: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def write() -> None:
        while written.get(timeout=30) is not None:
            pass

    task = _Task(write, (), lambda: written.put(None))
    task.start()
    task.join(5.0)
    assert not task.is_alive()
