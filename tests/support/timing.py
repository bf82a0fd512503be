"""One unit of time for whatever waits for a machine, or holds a watch to it.

The bounds are for a machine like CI's, with room for one that has other work. On a much slower one
set ``TEXTSTREAM_TEST_PATIENCE``: everything may then take so many times as long.
"""

from __future__ import annotations

import os

_PATIENCE = float(os.environ.get("TEXTSTREAM_TEST_PATIENCE", "1"))


def patient(seconds: float) -> float:
    """Return `seconds`, or on a machine that is said to be slow as many times that."""
    return seconds * _PATIENCE


SLACK = patient(2.0)
"""Seconds that an end may take beyond the time it has to wait for."""
