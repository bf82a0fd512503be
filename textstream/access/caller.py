"""Who asks."""

from __future__ import annotations

from typing import NamedTuple

from textstream.access.quotas import Quota


class Caller(NamedTuple):
    """Whoever asks for something: one connection of an address.

    Attributes:
        address: what shares are counted by: an IPv4 address, or the /64 of an IPv6 one, as text;
            "" where it is not known.
        connection: its Socket.IO id; "" before it has one.
        user: the id of whoever that is, if it has said so, as in `Principal`; "" else.
        quota: what that user may have.

    """

    address: str = ""
    connection: str = ""
    user: str = ""
    quota: Quota | None = None

    @property
    def who(self) -> str:
        """Between whom turns go round: the user, whatever its address; who is nobody's address."""
        return self.user or self.address


NOBODY = Caller()
"""Who asks where it is not known, or does not matter."""
