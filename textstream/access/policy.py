"""What a principal may do with a stream. The one place that decides; it is asked on each event."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import Protocol

from textstream.access.grants import ENDED, Grant, guest
from textstream.access.principal import Principal, Scope
from textstream.access.revocations import REVOKED, Revocations
from textstream.errors import Forbidden, Unauthorized

NOT_OWNER = (
    "Only who started this stream may do that: on the connection that did, with the client_key of "
    "that client at CONNECT, or with the key that the answer to start_stream had."
)

NOT_YOURS = (
    "This stream is somebody else's. Ask whoever started it for a link: share_stream makes one."
)

WRONG_KEY = "This is not the key of that stream: the answer to its start_stream had it."

EXPIRED = "The token has expired. Get a new one, and connect again, or send it with authenticate."


class Owned(Protocol):
    """A stream, as far as this goes.

    Attributes:
        owner: the connection that has it now.
        principal: who started it.
        key: makes whoever has it its owner.
        is_private: whether its id alone opens it to nobody, whatever the server's rule.
        share: which of its sharings counts: grants of those before it have ended.

    """

    id: str
    owner: str
    principal: Principal
    key: str
    is_private: bool
    share: int


def check_key(stream: Owned, key: str | None) -> None:
    """Refuse a key that is not the stream's; none is no wrong one.

    Raises:
        Forbidden: it is another.

    """
    if key is not None and not hmac.compare_digest(key.encode(), stream.key.encode()):
        raise Forbidden(WRONG_KEY)


def owns(stream: Owned, principal: Principal, connection: str, key: str | None = None) -> bool:
    """Return whether somebody may do with a stream what changes it for others.

    Args:
        stream: it.
        principal: who asks, as it is now.
        connection: by which.
        key: the stream's, if it was shown.

    Raises:
        Forbidden: it is another stream's key.

    """
    check_key(stream, key)
    return (
        key is not None
        or stream.owner == connection
        # By the id alone: its token may be a newer one.
        or (principal.known and principal.id == stream.principal.id)
    )


class Policy:
    """Decides. It keeps nothing of whom it was asked about, so that each answer is of now.

    Attributes:
        revocations: whom an operator has taken back what.

    """

    def __init__(
        self,
        *,
        private: bool = False,
        clock: Callable[[], float] = time.time,
        revocations: Revocations | None = None,
    ) -> None:
        """Decide by this clock, in seconds since 1970.

        `private`: a stream is read by its owner, and by whoever has a grant of it. Else by whoever
        knows its id, which is hard to guess.
        """
        self._private = private
        self._clock = clock
        self.revocations = Revocations(clock) if revocations is None else revocations

    def check(self, principal: Principal, scope: Scope | None = None, source: str = "") -> None:
        """Refuse who has expired, or lacks a scope.

        Args:
            principal: who asks, as it is now.
            scope: what is needed; None: nothing but to be there.
            source: of the stream that is to be started.

        Raises:
            Unauthorized: it has expired.
            Forbidden: it lacks the scope, or was taken back.

        """
        if principal.is_over(self._clock()):
            raise Unauthorized(EXPIRED, reason="expired")
        if self.revocations.cover(principal):
            raise Forbidden(REVOKED)
        if scope is not None and not principal.may(scope, source):
            wanted = f"{scope}, or {scope}:{source}" if source else scope
            raise Forbidden(
                f"Your token does not allow that: it lacks the scope {wanted}. Ask whoever gave it "
                "to you."
            )

    def may_read_on(self, stream: Owned, principal: Principal, connection: str) -> bool:
        """Return whether somebody may read a stream by being who it is, without any grant."""
        if owns(stream, principal, connection) or principal.may("admin"):
            return True
        return not (self._private or stream.is_private)

    def check_read(
        self,
        stream: Owned,
        principal: Principal,
        connection: str,
        *,
        key: str | None = None,
        grant: Grant | None = None,
    ) -> None:
        """Refuse to let somebody read a stream.

        Args:
            stream: it.
            principal: who asks, as it is now.
            connection: by which.
            key: the stream's, if it was shown.
            grant: a grant that was shown, and has not expired.

        Raises:
            Unauthorized: it has expired.
            Forbidden: it lacks the scope, or the stream is somebody else's, or the grant is another
                stream's, or of a sharing that has ended.

        """
        check_key(stream, key)
        if grant is not None:
            self.check(principal)
            taken_back = self.revocations.cover(guest(grant))
            if taken_back or grant.stream != stream.id or grant.share != stream.share:
                raise Forbidden(ENDED)
            return
        self.check(principal, "read")
        if key is None and not self.may_read_on(stream, principal, connection):
            raise Forbidden(NOT_YOURS)

    def check_share(
        self, stream: Owned, principal: Principal, connection: str, key: str | None = None
    ) -> None:
        """Refuse to let somebody decide who else reads a stream.

        Raises:
            Unauthorized, Forbidden: see `check` and `owns`.

        """
        self.check(principal, "share")
        if not owns(stream, principal, connection, key) and not principal.may("admin"):
            raise Forbidden(NOT_OWNER)

    def check_control(
        self, stream: Owned, principal: Principal, connection: str, key: str | None = None
    ) -> None:
        """Refuse what changes a stream for others to whoever does not own it.

        Raises:
            Unauthorized, Forbidden: see `check` and `owns`.

        """
        self.check(principal, "control")
        if not owns(stream, principal, connection, key) and not principal.may("admin"):
            raise Forbidden(NOT_OWNER)
