"""The source ``openai``: any server that speaks the OpenAI chat completions API.

The requests run in one event loop, on one thread, whatever their number. A task can be
cancelled at any moment: while it connects, while it waits for the first byte, between two
deltas. With the blocking client, only closing the socket behind its back would do that.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from queue import SimpleQueue
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from textstream.errors import (
    InvalidRequest,
    ShuttingDown,
    SourceUnavailable,
    TextStreamError,
)
from textstream.protocol import PlainText
from textstream.sources.base import Finished, Source, SourceRequest
from textstream.sources.openai_client import Item, OpenAIClient, Window

INSTALL = "pip install 'textstream[openai]'"
"""The command that installs the package."""

MAX_SYSTEM_PROMPT = 16_384
"""The longest system prompt, in characters."""


class OpenAIParams(BaseModel):
    """What the API is asked for; what is not given is left to it.

    Not the model: which one may be used, and paid for, is the operator's choice.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    temperature: float | None = Field(
        None, ge=0, le=2, description="0 takes the likeliest token; more is more surprising."
    )
    max_tokens: int | None = Field(
        None, ge=1, le=1_000_000, description="Longest answer, in tokens."
    )
    seed: int | None = Field(
        None, ge=0, le=2**31 - 1, description="Answers with the same seed are alike."
    )
    system: PlainText | None = Field(
        None, max_length=MAX_SYSTEM_PROMPT, description="Instructions to the model."
    )


class OpenAICompatible:
    """Asks an OpenAI-compatible API."""

    def __init__(
        self, *, base_url: str | None, api_key: str | None, model: str | None, timeout: float
    ) -> None:
        """Keep the settings; nothing is imported or connected yet.

        Args:
            base_url: the API's address up to and with its version, as ``https://host/v1``.
            api_key: sent as a bearer token; None for an API that asks for none.
            model: its name, as the API knows it.
            timeout: seconds that the API may stay silent.

        """
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._client = OpenAIClient(base_url=base_url or "", api_key=api_key, timeout=timeout)
        self.close = self._client.close

    def check(self) -> None:
        """Raise SourceUnavailable, with the cure, if something is missing. Connects to nothing."""
        if importlib.util.find_spec("openai") is None:
            raise SourceUnavailable(
                f"The package openai is not installed. Install it with: {INSTALL}"
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
        if not str(self._base_url).startswith(("http://", "https://")):
            raise SourceUnavailable(
                "TEXTSTREAM_OPENAI_BASE_URL must begin with http:// or https://, "
                'as in "https://host/v1".'
            )
        if self._api_key and not (self._api_key.isascii() and self._api_key.isprintable()):
            raise SourceUnavailable(
                "TEXTSTREAM_OPENAI_API_KEY has characters that a key cannot have."
            )

    def generate(self, request: SourceRequest) -> Generator[str, None, str | None]:
        """Yield the answer to ``request.prompt``; return "length" if it was cut at a limit."""
        if request.prompt is None:
            raise InvalidRequest("The source openai needs a prompt.")
        self.check()
        deltas: SimpleQueue[Item] = SimpleQueue()
        window = Window()
        task = self._client.submit(self._body(request), deltas, window)

        def give_up() -> None:
            task.cancel()
            deltas.put(None)

        request.cancel.on_cancel(give_up)
        try:
            while True:
                item = deltas.get()
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
            task.cancel()

    def _body(self, request: SourceRequest) -> dict[str, Any]:
        params = cast("OpenAIParams", request.params)
        messages = [{"role": "system", "content": params.system}] if params.system else []
        messages.append({"role": "user", "content": request.prompt or ""})
        given = params.model_dump(exclude={"system"}, exclude_none=True)
        return {"model": self._model, "messages": messages, **given}


def openai_source(
    *, base_url: str | None, api_key: str | None, model: str | None, timeout: float
) -> Source:
    """Return the source ``openai``. The arguments are those of `OpenAICompatible`."""
    api = OpenAICompatible(base_url=base_url, api_key=api_key, model=model, timeout=timeout)
    return Source(
        name="openai",
        generate=api.generate,
        description=f"{model or 'A model'} behind an OpenAI-compatible API.",
        params_model=OpenAIParams,
        check=api.check,
        close=api.close,
    )
