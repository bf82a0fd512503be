"""An OpenAI-compatible API whose answers end when a test says so, one after the other."""

from __future__ import annotations

import queue
from typing import Any

from tests.sources.api_double import DONE, ApiDouble, Exchange, event
from tests.support.timing import patient

LONG = patient(30.0)


class SlowApi:
    """Answers each request with the prompt, in capitals, when `finish` is called."""

    def __init__(self) -> None:
        self._asked: queue.Queue[str] = queue.Queue()
        self._finish: dict[str, queue.Queue[None]] = {}
        self._double = ApiDouble(self._answer)
        self.env = {
            "TEXTSTREAM_OPENAI_BASE_URL": self._double.base_url,
            "TEXTSTREAM_OPENAI_MODEL": "m",
        }

    def next_asked(self) -> str:
        """Wait for the next request; return its prompt."""
        return self._asked.get(timeout=LONG)

    def finish(self, prompt: str) -> None:
        """Let the answer to a prompt come, and end."""
        self._finish.setdefault(prompt, queue.Queue()).put(None)

    def close(self) -> None:
        """Stop it; all answers must have been finished."""
        self._double.close()

    def _answer(self, exchange: Exchange) -> None:
        body: dict[str, Any] = exchange.body
        prompt = body["messages"][-1]["content"]
        waits = self._finish.setdefault(prompt, queue.Queue())
        self._asked.put(prompt)
        waits.get(timeout=LONG)
        exchange.begin()
        exchange.send(event(prompt.upper()) + event(finish="stop") + DONE)
