"""What is set for the whole process. By the program that serves, and never by making an app.

An app may be a guest: in somebody else's program, in a test, beside others.
"""

from __future__ import annotations

import gc
import sys

from textstream.web.descriptors import raise_limit
from textstream.web.heap import GivingBack, limit_heaps
from textstream.web.server import Server

SWITCH_INTERVAL = 0.0005
"""Seconds for which a thread may keep the interpreter when another wants it.

Python's 5 ms are as much as the dispatcher's tick: a request that computes for so long, or a
source, would make every reader's next unit late.
"""

GC_THRESHOLD = 10_000
"""Objects made, and not freed by counting references, before those are looked through.

Python's 700 took a tenth of the time of starting a stream, and found next to nothing.
"""


def tune_process(server: Server) -> None:
    """Set what makes this process serve `server` well, once that is made and before it serves.

    A process that is forked from this one (gunicorn ``--preload``) has it too.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    limit_heaps()
    raise_limit()
    # What was imported stays: no need to look through it, for 50 ms each time.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    GivingBack(server.dispatcher.call_at, server.socketio.start_background_task).start()
