"""What one connection of this server may cost."""

from __future__ import annotations

import re

from textstream.settings import Settings
from textstream.transport.bounds import LARGE, REFUSED_WHOLE, Bounds, Parts

_START = re.compile(r'42(?:/,)?\d*+\s*+\[\s*+"start_stream"')
"""The beginning of an Engine.IO message with a Socket.IO event: the one that brings a text."""


def is_start(head: str) -> bool:
    """Return whether a message with this beginning is a ``start_stream``."""
    return _START.match(head) is not None


def bounds_of(settings: Settings) -> Bounds:
    """Return the bounds of a connection for `settings`."""
    most = settings.max_message_bytes
    return Bounds(
        max_message=most,
        max_dropped=REFUSED_WHOLE * most,
        max_plain=min(LARGE, most),
        may_be_large=is_start,
        max_parts=Parts(),
    )
