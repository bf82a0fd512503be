"""The one account: counted once, against everybody whom it concerns."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from textstream.access.account import Account, Holding, Kind


def test_what_is_added_counts_for_everybody_above() -> None:
    everybody = Account()
    address = Account(everybody)
    one, other = Account(address), Account(address)
    one.add(Kind.TEXT, 10)
    other.add(Kind.INBOX, 5)
    assert (one.total, other.total, address.total, everybody.total) == (10, 5, 15, 15)
    one.add(Kind.TEXT, -4)
    assert everybody.counts() == {
        "text": 6,
        "waiting": 0,
        "queued": 0,
        "outgoing": 0,
        "inbox": 5,
        "unfinished": 0,
    }


def test_there_is_room_until_the_nearest_limit() -> None:
    everybody = Account(most=100)
    address = Account(everybody, most=60, limits={Kind.WAITING: 20})
    one = Account(address, most=50)
    assert one.room(Kind.TEXT) == 50
    assert one.room(Kind.WAITING) == 20
    Account(everybody).add(Kind.TEXT, 70)
    assert one.room(Kind.TEXT) == 30
    one.add(Kind.WAITING, 25)
    assert one.room(Kind.WAITING) == -5
    assert one.room(Kind.TEXT) == 5


def test_who_is_to_be_told_is_told_once_each_time_it_is_full() -> None:
    told: list[str] = []
    everybody = Account(most=100)
    everybody.tell(lambda: told.append("everybody"))
    one = Account(everybody, most=10)
    one.tell(lambda: told.append("one"))
    one.add(Kind.TEXT, 9)
    assert told == []
    one.add(Kind.TEXT, 1)
    one.add(Kind.TEXT, 1)
    assert told == ["one"]
    one.add(Kind.TEXT, -5)
    one.add(Kind.TEXT, 95)
    assert told == ["one", "one", "everybody"]
    assert one.full
    assert everybody.full


def test_nothing_is_lost_between_threads() -> None:
    everybody = Account()
    accounts = [Account(Account(everybody)) for _ in range(4)]

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(2000):
            account, kind = rng.choice(accounts), rng.choice(list(Kind))
            nbytes = rng.randrange(1000)
            account.add(kind, nbytes)
            account.add(kind, -nbytes)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert everybody.total == 0
    assert set(everybody.counts().values()) == {0}


def test_what_is_held_counts_until_it_is_closed() -> None:
    account = Account()
    holding = Holding(account, Kind.WAITING)
    holding.set(100)
    holding.set(30)
    assert account.counts()["waiting"] == 30
    holding.close()
    holding.set(50)
    holding.close()
    assert account.total == 0
