"""Rota: round between addresses, then between their connections, each with its share."""

from __future__ import annotations

from textstream.access.caller import Caller
from textstream.access.rota import Rota


def take_all(turns: Rota[str], *, done: bool = True) -> list[str]:
    taken = []
    while found := turns.take():
        item, caller = found
        taken.append(item)
        assert item.startswith(caller.connection)
        if done:
            turns.done(caller)
    return taken


def add(turns: Rota[str], *items: str) -> list[bool]:
    """Add ``a1x``: the ``x`` of connection 1 of the address a."""
    return [turns.add(item, Caller(item[0], item[:2])) for item in items]


def test_they_go_round() -> None:
    turns: Rota[str] = Rota(lambda _address: (9, 9))
    add(turns, "a1a", "a1b", "a1c", "a2a", "b1a", "b1b")
    assert take_all(turns) == ["a1a", "b1a", "a2a", "b1b", "a1b", "a1c"]
    assert turns.take() is None


def test_nobody_has_more_than_its_share_at_work() -> None:
    turns: Rota[str] = Rota(lambda caller: (3, 2) if caller.who == "a" else (1, 1))
    room = add(turns, "a1a", "a1b", "a1c", "a2a", "a2b", "b1a", "b1b")
    assert all(room), "none is at work yet"
    assert take_all(turns, done=False) == ["a1a", "b1a", "a2a", "a1b"]
    assert add(turns, "a3a", "b2a", "c1a") == [False, False, True]
    turns.done(Caller("a", "a2"))
    assert take_all(turns, done=False) == ["a2b", "c1a"]
    turns.done(Caller("b", "b1"))
    assert take_all(turns, done=False) == ["b1b"]


def test_at_the_end_everybody_may_have_all() -> None:
    turns: Rota[str] = Rota(lambda _address: (1, 1))
    add(turns, "a1a", "a1b", "a2a")
    assert take_all(turns, done=False) == ["a1a"]
    turns.lift()
    assert sorted(take_all(turns, done=False)) == ["a1b", "a2a"]


def test_nothing_is_remembered_of_those_who_have_nothing() -> None:
    turns: Rota[str] = Rota(lambda _address: (1, 1))
    add(turns, "a1a", "b1a")
    take_all(turns)
    assert turns._parties == {}
