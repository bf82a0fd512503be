"""The kinds of stores that servers share: one, a cluster, one with a reserve, one with TLS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from tests.support.store import Store, running_store
from tests.support.store_cluster import cluster_url, running_cluster
from tests.support.store_sentinel import running_sentinels
from tests.support.store_tls import PREFIX, running_tls

Kind = Literal["one", "cluster", "sentinel", "tls"]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class SharedStore:
    """A store that runs.

    Attributes:
        env: what servers are told of it.
        servers: those that can be asked; of one with TLS none.
        fail_over: kills its primary, so that a replica takes the place; None: it has none.

    """

    env: dict[str, str]
    servers: list[Store] = field(default_factory=list)
    fail_over: Callable[[], None] | None = None

    def commands(self) -> dict[str, int]:
        """Return how often each command was called, on all servers that are still there."""
        counts: Counter[str] = Counter()
        for server in self.servers:
            if server.running:
                for name, row in server.ask("INFO", "commandstats").items():
                    counts[name.removeprefix("cmdstat_")] += row["calls"]
        return dict(counts)


@contextmanager
def running(kind: Kind, folder: Path) -> Iterator[SharedStore]:
    """Yield a store of a kind; it is ended afterwards."""
    inside = folder / "store"
    inside.mkdir()
    if kind == "one":
        with running_store(inside) as store:
            yield SharedStore({"TEXTSTREAM_STORE": store.url}, [store])
    elif kind == "cluster":
        with running_cluster(inside) as stores:
            yield SharedStore({"TEXTSTREAM_STORE": cluster_url(stores)}, stores)
    elif kind == "sentinel":
        with running_sentinels(inside) as three:
            servers = [three.primary, three.replica]
            yield SharedStore({"TEXTSTREAM_STORE": three.url}, servers, three.fail_over)
    else:
        with running_tls(inside) as url:
            yield SharedStore({"TEXTSTREAM_STORE": url, "TEXTSTREAM_STORE_PREFIX": PREFIX})
