"""Whose turn it is at a gate, and how far from it the others are.

First comes the user (the address, of who is nobody) who has the fewest inside, of those the one
whose last turn was longest ago; then so between its connections; then in the order of coming.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Generic, NamedTuple, TypeVar

from textstream.access.caller import Caller

T = TypeVar("T")

NEVER = -(2**62)
"""Added to a number: the turn of who has had none, before all who have, in the order of coming."""


class Line(Generic[T]):
    """What one connection has: those that wait, by their order, and how many are inside."""

    __slots__ = ("inside", "turn", "waiting")

    def __init__(self, turn: int) -> None:
        self.inside = 0
        self.turn = turn  # the number of its last admission
        self.waiting: OrderedDict[int, T] = OrderedDict()

    @property
    def rank(self) -> tuple[int, int]:
        """Who has the lowest comes first."""
        return self.inside, self.turn


class Party(Generic[T]):
    """What one user, or address, has, by connection; each is forgotten when it has nothing.

    Attributes:
        most: how many of it may be inside.

    """

    __slots__ = ("inside", "lines", "most", "turn", "waiting")

    def __init__(self, turn: int) -> None:
        self.inside = 0
        self.turn = turn
        self.waiting = 0
        self.most: float = 0
        self.lines: dict[str, Line[T]] = {}

    @property
    def rank(self) -> tuple[int, int]:
        """As that of a line."""
        return self.inside, self.turn

    def line(self, connection: str, turn: int) -> Line[T]:
        """Return the line of a connection, a new one if need be."""
        return self.lines.get(connection) or self.lines.setdefault(connection, Line(turn))

    def next(self) -> T:
        """Return whose turn it is, of those that wait."""
        line = min((one for one in self.lines.values() if one.waiting), key=attrgetter("rank"))
        return next(iter(line.waiting.values()))

    def in_order(self) -> list[T]:
        """Return those that wait, as their turns come."""
        if len(self.lines) == 1:
            return [one for line in self.lines.values() for one in line.waiting.values()]
        found = [
            (_key(line.inside, line.turn, place), one)
            for line in self.lines.values()
            for place, one in enumerate(line.waiting.values())
        ]
        return [one for _, one in sorted(found, key=itemgetter(0))]


class _Row(NamedTuple):
    inside: int
    turn: int
    waiting: int


def places(parties: Iterable[Party[T]], free: float) -> list[tuple[T, int]]:
    """Return all that wait, each with its place: 1 is next.

    As it is if nobody more comes, and each place inside becomes free one after the other. Where a
    party has as many inside as it may, it waits for its own.

    Args:
        parties: who is there.
        free: how many more might be inside.

    """
    found = [
        (_key(party.inside, party.turn, place), party.inside + place + 1 - party.most, one)
        for party in parties
        if party.waiting
        for place, one in enumerate(party.in_order())
    ]
    found.sort(key=itemgetter(0))
    return [(one, int(max(1, ahead + 1 - free, own))) for ahead, (_, own, one) in enumerate(found)]


def place(
    parties: Mapping[str, Party[T]], coming: Sequence[tuple[Caller, float]], free: float
) -> int:
    """Return the place that the last of those who are to come would have; 0: it would not wait.

    The same as that `places` would tell then, without a look at each of those that wait.

    Args:
        parties: who is there, by `Caller.who`.
        coming: who is to come, one after the other, and how many of each may be inside.
        free: how many more might be inside.

    """
    caller, most = coming[-1]
    rows = {who: _Row(one.inside, one.turn, one.waiting) for who, one in parties.items()}
    known = parties.get(caller.who)
    own = {
        name: _Row(line.inside, line.turn, len(line.waiting))
        for name, line in (known.lines.items() if known else ())
    }
    for number, (other, its_most) in enumerate(coming):
        row = rows.get(other.who)
        enters = bool(free) and (row.inside if row else 0) < its_most
        free -= enters
        rows[other.who] = _joined(row, number, enters=enters)
        if other.who == caller.who:
            line = own.get(other.connection)
            own[other.connection] = _joined(line, number, enters=enters)
    if enters:
        return 0
    within = _ahead(own, caller.connection)
    rows[caller.who] = mine = rows[caller.who]._replace(waiting=within + 1)
    return int(max(1, _ahead(rows, caller.who) + 1 - free, mine.inside + within + 1 - most))


def _key(inside: int, turn: int, place: int) -> tuple[int, int, int]:
    """Return by what they come in: each that has, makes its party wait for those with fewer.

    Of two with as many inside the one that had them before comes first: its turn is longer ago.
    """
    return inside + place, -inside, turn


def _joined(row: _Row | None, number: int, *, enters: bool) -> _Row:
    """Return a row with one more that waits, or that comes in at once."""
    row = row or _Row(0, NEVER // 2 + number, 0)
    if enters:
        return _Row(row.inside + 1, number - NEVER, row.waiting)
    return row._replace(waiting=row.waiting + 1)


def _ahead(rows: Mapping[str, _Row], name: str) -> int:
    """Return how many come before the last one that waits in a row."""
    own = rows[name]
    last = _key(own.inside, own.turn, own.waiting - 1)
    ahead = own.waiting - 1
    for other in rows.values():
        if other is own:
            continue
        sooner = min(other.waiting, max(0, last[0] - other.inside))
        ahead += sooner
        if sooner < other.waiting and _key(other.inside, other.turn, sooner) < last:
            ahead += 1
    return ahead
