"""The main thread comes to its signals, whichever thread the kernel gives them to."""

from __future__ import annotations

import functools
import os
import signal
import threading

AWAKE_SECONDS = 0.05
"""Within which the main thread comes to a signal, or is waked once more."""


@functools.cache
def wake_main_thread_for_signals() -> None:
    """See to it that signals' handlers are called at once, whatever the main thread waits for.

    Python calls a handler in the main thread only, when that runs. The kernel gives a signal to
    another thread while the main one has not come to one before (``complete_signal`` in its
    ``kernel/signal.c``), and to one that changes its mask just then; nothing wakes the main thread
    in that case. Of servers that waited for SIGTERM in a lock, one of 18 never ended on a machine
    with five busy threads.

    To be called in the main thread, where no greenlets stand in for threads. Again, it does
    nothing.
    """
    heard, said = os.pipe()
    os.set_blocking(said, False)
    signal.set_wakeup_fd(said, warn_on_full_buffer=False)  # whichever thread gets a signal
    awake = threading.Event()
    signal.signal(signal.SIGURG, lambda _number, _frame: awake.set())  # nobody else sends it
    main = threading.main_thread().ident
    assert main  # noqa: S101 (it runs)

    def wake() -> None:
        while True:
            if os.read(heard, 1)[0] != signal.SIGURG:
                awake.clear()
                signal.pthread_kill(main, signal.SIGURG)
                # Again, for it may have come just before the main thread began to wait.
                while not awake.wait(AWAKE_SECONDS):
                    signal.pthread_kill(main, signal.SIGURG)

    threading.Thread(target=wake, name="signals", daemon=True).start()
