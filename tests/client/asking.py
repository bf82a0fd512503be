"""What a client can ask a server for: each way has to find it, and to say why it did not."""

from __future__ import annotations

from collections.abc import Callable

from textstream.client import StreamClient

Ask = Callable[[StreamClient], object]

ASKS: list[Ask] = [
    lambda client: "".join(client.stream(text="hello", rate=0)),
    lambda client: client.sources()["sources"],
]
