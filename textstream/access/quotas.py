"""What a user may have at a time, and do in a minute: beside the share of the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from textstream.access.rates import Rate, parse_rate

MOST = 2**53 - 1
"""The largest number in a claim: what a JSON number holds exactly (RFC 8259, 6)."""

MAX_RATE = 64
"""The longest rate in a claim, in characters."""

MAX_WINDOW = 100_000
"""The most that may be done in a window that a claim names: the times of so many are remembered."""


class BadQuota(ValueError):
    """A claim makes no sense; says what it has to be, and not what it is."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What one user may have and do, over all its connections. 0, or an empty rate: any number.

    Attributes:
        connections: at a time.
        starts: streams started, in a time.
        streams: that run at a time, those without a connection in their time of grace included.
        running: its answers of one source with slots, at a time; None: as many as an address.
        waiting: its starts that wait for such a source; None: as many as an address.
        nbytes: bytes of all kinds that are kept for it.
        kept: ended streams that are kept for it.
        given: the names, as a claim has them, of what was given to this user by name. It may have
            as much whatever the share of its address, but for connections and bytes.

    """

    connections: int = 0
    starts: Rate = ()
    streams: int = 0
    running: int | None = None
    waiting: int | None = None
    nbytes: int = 0
    kept: int = 0
    given: frozenset[str] = frozenset()


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise BadQuota("is a whole number, 0 for no limit")
    return value


def _rate(value: object) -> Rate:
    if not isinstance(value, str) or len(value) > MAX_RATE:
        raise BadQuota('is a rate, as "60/minute; 1000/day", or "0" for no limit')
    try:
        rate = parse_rate(value)
    except ValueError as error:
        raise BadQuota('is no rate, as "60/minute; 1000/day" is') from error
    if any(window.amount > MAX_WINDOW for window in rate):
        raise BadQuota(f"has more than {MAX_WINDOW} in a window: 0 is no limit")
    return rate


_CLAIM: dict[str, tuple[str, Callable[[object], Any]]] = {
    "connections": ("connections", _whole),
    "starts": ("starts", _rate),
    "streams": ("streams", _whole),
    "running": ("running", _whole),
    "waiting": ("waiting", _whole),
    "bytes": ("nbytes", _whole),
}
"""The names in a claim: the field of a `Quota` that each is, and what checks it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A quota that a token, or an operator's callable, gives to one user: what it names only.

    Attributes:
        fields: of a `Quota`, with their values.
        given: their names in the claim.

    """

    fields: tuple[tuple[str, Any], ...] = ()
    given: frozenset[str] = frozenset()


def read_claim(value: object) -> Claim | None:
    """Return what the claim ``quota`` gives; None for none.

    A name that there is not is refused, as everywhere: one that is misspelt would let a user have
    what it was not to have.

    Raises:
        BadQuota: it makes no sense; says what is wrong, without any value.

    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value.keys() <= _CLAIM.keys():
        raise BadQuota(f"quota is an object that has no names but {', '.join(_CLAIM)}")
    fields = []
    for name, given in value.items():
        field, check = _CLAIM[name]
        try:
            fields.append((field, check(given)))
        except BadQuota as error:
            raise BadQuota(f"quota.{name} {error}") from None
    return Claim(tuple(fields), frozenset(value))


def _same_for_all(_address: str) -> Quota:
    return Quota()


class Quotas:
    """Says what a user may."""

    def __init__(self, of: Callable[[str], Quota] = _same_for_all) -> None:
        """Let each user have what `of` gives to those who come from an address."""
        self._of = of

    def of(self, claim: Claim | None, address: str) -> Quota:
        """Return what a user may that comes from an address and has been given a claim."""
        quota = self._of(address)
        if claim is None or not claim.fields:
            return quota
        return replace(quota, given=claim.given, **dict(claim.fields))
