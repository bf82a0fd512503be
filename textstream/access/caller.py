"""Who asks."""

from __future__ import annotations

from typing import NamedTuple


class Caller(NamedTuple):
    """Whoever asks for something: one connection of an address.

    Attributes:
        address: what shares are counted by: an IPv4 address, or the /64 of an IPv6 one, as text;
            "" where it is not known.
        connection: its Socket.IO id; "" before it has one.

    """

    address: str = ""
    connection: str = ""


NOBODY = Caller()
"""Who asks where it is not known, or does not matter."""
