"""The source ``openai``: any server that speaks the OpenAI chat completions API.

The requests run in one event loop, on one thread, whatever their number. A task can be
cancelled at any moment: while it connects, while it waits for the first byte, between two
deltas. With the blocking client, only closing the socket behind its back would do that. The
generators hold no thread while they wait.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from textstream.access.gate import Ticket
from textstream.access.source_shares import SourceShares
from textstream.errors import (
    InvalidRequest,
    ShuttingDown,
    SourceUnavailable,
    TextStreamError,
)
from textstream.sources.arrivals import Arrivals
from textstream.sources.base import CancelToken, Finished, Pieces, Source, SourceRequest
from textstream.sources.openai_client import Item, OpenAIClient, Window
from textstream.sources.openai_exchange import END_SECONDS
from textstream.sources.openai_params import OpenAIParams, limited, params_model
from textstream.sources.slots import Slots

INSTALL = "pip install 'textstream[openai]'"
"""The command that installs the package."""


class OpenAICompatible:
    """Asks an OpenAI-compatible API."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        model: str | None,
        timeout: float,
        max_tokens: int | None = None,
        slots: int = 0,
        shares: SourceShares | None = None,
        end_wait: float = END_SECONDS,
    ) -> None:
        """Keep the settings; nothing is imported or connected yet.

        Args:
            base_url: the API's address up to and with its version, as ``https://host/v1``. A query
                behind it goes with each request.
            api_key: sent as a bearer token; None for an API that asks for none.
            model: its name, as the API knows it.
            timeout: seconds that the API may stay silent.
            max_tokens: the longest answer, in tokens, asked for with every request; None: clients
                choose, up to `textstream.sources.openai_params.MAX_ASKED`.
            slots: requests at a time, 0: any number.
            shares: requests of an address, running and waiting.
            end_wait: seconds that the end may take behind a ``finish_reason``.

        """
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._max_tokens = max_tokens
        self.slots = Slots("openai", slots, shares)
        self._client = OpenAIClient(
            base_url=base_url or "", api_key=api_key, timeout=timeout, end_wait=end_wait
        )
        self.close = self._client.close

    def check(self) -> None:
        """Raise SourceUnavailable, with the cure, if something is missing. Connects to nothing."""
        if importlib.util.find_spec("httpx2") is None:
            raise SourceUnavailable(
                f"The package httpx2 is not installed. Install it with: {INSTALL}"
            )
        missing = [
            name
            for name, value in (
                ("TEXTSTREAM_OPENAI_BASE_URL", self._base_url),
                ("TEXTSTREAM_OPENAI_MODEL", self._model),
            )
            if not value
        ]
        if missing:
            raise SourceUnavailable(
                f"The source openai is not configured. Set {' and '.join(missing)}, "
                "and TEXTSTREAM_OPENAI_API_KEY if the API asks for a key."
            )
        if fault := _address_fault(str(self._base_url)):
            raise SourceUnavailable(f"TEXTSTREAM_OPENAI_BASE_URL {fault}")
        if self._api_key and not (self._api_key.isascii() and self._api_key.isprintable()):
            raise SourceUnavailable(
                "TEXTSTREAM_OPENAI_API_KEY has characters that a key cannot have."
            )

    def generate(self, request: SourceRequest) -> Pieces:
        """Yield the answer to ``request.prompt``; return "length" if it was cut at a limit."""
        if request.prompt is None:
            raise InvalidRequest("The source openai needs a prompt.")
        self.check()
        deltas: Arrivals[Item] = Arrivals()
        window = Window()
        stop = CancelToken()
        request.cancel.on_cancel(stop.cancel)
        stop.on_cancel(lambda: deltas.put(None))
        ask = partial(self._ask, self._body(request), deltas, window, stop)
        try:
            slot = self.slots.enter(request, ask)
            stop.on_cancel(slot.withdraw)
            while True:
                item = yield from deltas.take()
                if request.cancel.cancelled:
                    return None
                if item is None:
                    raise ShuttingDown("The server is shutting down.")
                if isinstance(item, TextStreamError):
                    raise item
                if isinstance(item, Finished):
                    return item.reason
                window.taken()
                yield item
        finally:
            stop.cancel()

    def _ask(
        self,
        body: dict[str, Any],
        deltas: Arrivals[Item],
        window: Window,
        stop: CancelToken,
        slot: Ticket,
    ) -> None:
        """Ask the API: there is a slot. It is left when the request is over, or given up."""
        try:
            task = self._client.submit(body, deltas, window)
        except TextStreamError as error:
            deltas.put(error)
            slot.leave()
            return
        task.add_done_callback(lambda _task: slot.leave())
        stop.on_cancel(task.cancel)

    def _body(self, request: SourceRequest) -> dict[str, Any]:
        params = cast("OpenAIParams", request.params)
        messages = [{"role": "system", "content": params.system}] if params.system else []
        messages.append({"role": "user", "content": request.prompt or ""})
        given = params.model_dump(exclude={"system"}, exclude_none=True)
        given = limited(given, self._max_tokens)
        return {"model": self._model, "messages": messages, "stream": True, **given}


def _address_fault(base_url: str) -> str | None:
    """Say what is wrong with the address, as the end of a sentence; None if nothing is."""
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # looked at only when it is asked for
    except ValueError:
        return 'is no address. It looks like "https://host/v1".'
    if not base_url.startswith(("http://", "https://")) or not parts.hostname:
        return 'must begin with http:// or https:// and a host, as in "https://host/v1".'
    if not (base_url.isascii() and base_url.isprintable()) or " " in base_url:
        return "has characters that an address cannot have. Write them as %20 and the like."
    if parts.fragment:
        return "has a part behind #, which no server sees. Leave it out."
    if parts.path.rstrip("/").endswith("/chat/completions"):
        return "must end before /chat/completions, which is added. A query may follow."
    return None


def openai_source(
    *,
    base_url: str | None,
    api_key: str | None,
    model: str | None,
    timeout: float,
    max_tokens: int | None = None,
    slots: int = 0,
    params: Sequence[str] = ("*",),
    shares: SourceShares | None = None,
    end_wait: float = END_SECONDS,
) -> Source:
    """Return the source ``openai``. The arguments are those of `OpenAICompatible`.

    And `params`: those that a client may set, "*" is all, "none" is none.

    Raises:
        SourceUnavailable: there is no such param.

    """
    api = OpenAICompatible(
        base_url=base_url,
        api_key=api_key,
        model=model,
        timeout=timeout,
        max_tokens=max_tokens,
        slots=slots,
        shares=shares,
        end_wait=end_wait,
    )
    return Source(
        name="openai",
        generate=api.generate,
        description=f"{model or 'A model'} behind an OpenAI-compatible API.",
        params_model=params_model(params, max_tokens),
        blocking=False,
        admit=api.slots.admit,
        queue=api.slots,
        places=api.slots.places,
        check=api.check,
        close=api.close,
    )
