"""Ids of sessions and of their namespaces' clients."""

from __future__ import annotations

import os
from binascii import b2a_base64

RANDOM_BYTES = 15
"""In an id: 120 bits, all of them random. Engine.IO has 96, and a number that tells its neighbours'
order. 15 bytes are 20 characters of base64, without padding, as its ids are."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")  # RFC 4648, 5


def new_id() -> str:
    """Return an id that nobody can guess, as Engine.IO's look, in a third of the time."""
    return b2a_base64(os.urandom(RANDOM_BYTES), newline=False).translate(_URL_SAFE).decode()
