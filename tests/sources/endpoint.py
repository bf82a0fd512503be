"""The HTTP endpoint that ``xllamacpp.Server`` listens on: a real OpenAI-compatible API."""

from __future__ import annotations

from typing import Any

from textstream.sources.local_llm import _packaged_model

SLOTS = 2
"""Generations at a time, of the shared model and of the endpoint."""


class Endpoint:
    """The server, on the loopback, on a free port."""

    def __init__(self) -> None:
        import xllamacpp  # noqa: PLC0415 (optional)

        params = xllamacpp.CommonParams()
        params.model.path = str(_packaged_model())
        params.n_parallel = SLOTS
        params.n_ctx = 1024 * SLOTS
        params.verbosity = -1
        params.cache_ram_mib = 0
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.api_keys = ["right-key"]
        params.endpoint_metrics = True
        self._server: Any = xllamacpp.Server(params)
        self.key = "right-key"
        # Closing one whose loop does not run yet would hang; this waits for the loop.
        self.slots_in_use()
        self.base_url = f"{self._server.listening_address}/v1"

    def slots_in_use(self) -> int:
        """Return how many requests are being computed."""
        metrics = self._server.handle_metrics()
        text = metrics.decode() if isinstance(metrics, bytes) else str(metrics)
        return sum(
            int(float(line.split()[1]))
            for line in text.splitlines()
            if line.startswith("llamacpp:requests_processing ")
        )

    def close(self) -> None:
        """Stop it."""
        self._server = None
