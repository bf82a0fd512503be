"""A cluster of three real Valkeys, each with a third of the slots."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.store import Store
from tests.support.timing import patient
from textstream.store.slots import SLOTS

SERVERS = 3

START_SECONDS = patient(20.0)


@contextmanager
def running_cluster(folder: Path) -> Iterator[list[Store]]:
    """Yield the servers of a cluster in which every slot is served."""
    with ExitStack() as stack:
        stores = []
        for number in range(SERVERS):
            inside = folder / str(number)
            inside.mkdir()
            # No bus port may be free by chance: it is 10,000 above the other by default.
            store = Store(inside, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            stack.callback(store.kill)
            stores.append(store)
        for number, store in enumerate(stores):
            first = number * SLOTS // SERVERS
            last = (number + 1) * SLOTS // SERVERS - 1
            store.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            store.ask("CLUSTER", "MEET", "127.0.0.1", stores[0].port)
        deadline = time.monotonic() + START_SECONDS
        while not all(_is_whole(store) for store in stores):
            assert time.monotonic() < deadline, "the cluster does not come together"
            time.sleep(0.05)
        yield stores


def _is_whole(store: Store) -> bool:
    info = str(store.ask("CLUSTER", "INFO"))
    return "cluster_state:ok" in info and f"cluster_size:{SERVERS}" in info


def cluster_url(stores: list[Store]) -> str:
    """Return what a server is given."""
    return "redis+cluster://" + ",".join(f"127.0.0.1:{store.port}" for store in stores)
