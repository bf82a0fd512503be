"""One chat with the local model: what is asked, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from textstream.errors import InvalidRequest, SourceFailed, TextStreamError
from textstream.protocol import PlainText
from textstream.sources.arrivals import Arrivals
from textstream.sources.base import CancelToken, Finished

DEFAULT_SYSTEM_PROMPT = "You are a helpful assistant."
"""Instructions to the model when the request brings none."""

MAX_SYSTEM_PROMPT = 4096
"""The longest system prompt, in characters."""

DEFAULT_MAX_TOKENS = 512
"""Tokens of an answer when the request does not say."""

MAX_AHEAD = 64
"""Deltas that wait for the generator above which the answer is held.

The generator stands still while all readers have paused. To block the engine's callback would
not pause the model: llama.cpp computes on, into a queue of its own, and keeps the slot.
"""

LARGEST_SEED = 2**32 - 2
"""llama.cpp's seeds have 32 bits; the very last one means "pick one"."""


@dataclass(frozen=True)
class Held:
    """The answer was broken off, to be continued when somebody reads on.

    Attributes:
        tokens: how many were generated.

    """

    tokens: int


Item = str | Finished | Held | TextStreamError | None
"""What a generation hands to its generator; None only wakes it: it was cancelled."""


def params_model(context: int) -> type[BaseModel]:
    """Return the model of the params, for a model that reads and writes `context` tokens."""

    class LlmParams(BaseModel):
        """How the local model answers."""

        model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

        temperature: float = Field(
            0.7, ge=0, le=2, description="0 takes the likeliest token; more is more surprising."
        )
        top_p: float = Field(
            0.95, gt=0, le=1, description="Only the likeliest tokens, up to this probability."
        )
        max_tokens: int = Field(
            min(DEFAULT_MAX_TOKENS, context),
            ge=1,
            le=context,
            description="Longest answer, in tokens.",
        )
        seed: int | None = Field(
            None, ge=0, le=LARGEST_SEED, description="Answers with the same seed are alike."
        )
        system: PlainText = Field(
            DEFAULT_SYSTEM_PROMPT,
            max_length=MAX_SYSTEM_PROMPT,
            description="Instructions to the model.",
        )

    return LlmParams


class Chat:
    """A prompt, and what was answered so far.

    Attributes:
        said: the deltas of the answer so far.
        tokens: generated so far.

    """

    def __init__(self, prompt: str, params: Any) -> None:
        """Begin.

        Raises:
            InvalidRequest: the prompt is not valid Unicode.

        """
        try:
            prompt.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequest(
                f"The prompt is not valid Unicode: lone surrogate at position {error.start}."
            ) from None
        self._prompt = prompt
        self._params = params
        self.said: list[str] = []
        self.tokens = 0

    @property
    def complete(self) -> bool:
        """Whether the answer is as long as it may be."""
        return self.tokens >= int(self._params.max_tokens)

    def body(self) -> dict[str, Any]:
        """Return the request for the rest, in the form of the OpenAI chat completions API.

        An answer that ends with a message of the assistant's is continued by llama.cpp, with
        the tokens that it still has in the slot: at temperature 0 with the very same text.
        """
        params = self._params
        messages = [{"role": "system", "content": params.system}] if params.system else []
        messages.append({"role": "user", "content": self._prompt})
        if self.said:
            messages.append({"role": "assistant", "content": "".join(self.said)})
        body = {
            "messages": messages,
            "stream": True,
            "temperature": params.temperature,
            "top_p": params.top_p,
            "max_tokens": params.max_tokens - self.tokens,
            # Calls back while the prompt is read, too: the only moment to give it up.
            "return_progress": True,
            # Says with each delta how many tokens it took so far: not each token makes text.
            "timings_per_token": True,
            # A prompt read in other portions gives slightly other numbers, and so another answer.
            "cache_prompt": params.seed is None,
        }
        if params.seed is not None:
            body["seed"] = params.seed
        return body


class Answer:
    """Takes the chunks of one answer, in the thread of its generation.

    Attributes:
        outcome: how it ended, once it has.

    """

    def __init__(
        self, stop: CancelToken, deltas: Arrivals[Item], on_begin: Callable[[], None]
    ) -> None:
        """Pass text on to `deltas` until `stop`; call `on_begin` when the prompt was read."""
        self._stop = stop
        self._deltas = deltas
        self._on_begin = on_begin
        self._begun = False
        self._tokens = 0
        self.outcome: Finished | Held | TextStreamError = SourceFailed(
            "The local model broke off its answer."
        )

    def take(self, chunk: dict[str, Any]) -> bool:
        """Pass on the text of a chunk; return whether to give the answer up."""
        if self._stop.cancelled:
            return True
        if "error" in chunk:
            self.outcome = _refusal(chunk["error"])
            return True
        if "prompt_progress" in chunk:
            return False
        self.begin()
        if timings := chunk.get("timings"):
            self._tokens = timings["predicted_n"]
        for choice in chunk.get("choices") or ():
            text = choice["delta"].get("content")
            if text:
                self._deltas.put(text)
            if choice["finish_reason"]:
                self.outcome = Finished("length" if choice["finish_reason"] == "length" else None)
                return False
        if len(self._deltas) < MAX_AHEAD:
            return False
        self.outcome = Held(self._tokens)
        return True

    def begin(self) -> None:
        """Let the next prompt be read: this one was, or was given up. Again, it does nothing."""
        if not self._begun:
            self._begun = True
            self._on_begin()


def _refusal(error: dict[str, Any]) -> TextStreamError:
    if error.get("type") == "exceed_context_size_error":
        return InvalidRequest(
            f"The prompt has {error.get('n_prompt_tokens')} tokens, but the local model reads "
            f"at most {error.get('n_ctx')}. Shorten it, or raise TEXTSTREAM_LLM_CONTEXT."
        )
    # Its message may quote the prompt, which must not get into a log: name the kind only.
    return SourceFailed(f"The local model refused the request ({error.get('type', 'unknown')}).")
