"""Several worker processes: each has its own sessions and streams, and says so to who meets it.

With a store that they share, this is what goes.
"""

from __future__ import annotations

RUN_ONE_WORKER = (
    "Run one worker, with threads: gunicorn -w 1 --threads 16. It carries thousands of WebSockets."
)
