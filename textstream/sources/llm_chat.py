"""One chat with the local model: what is asked, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from textstream.errors import InvalidRequest, SourceFailed, TextStreamError
from textstream.protocol import PlainText
from textstream.sources.base import CancelToken

DEFAULT_SYSTEM_PROMPT = "You are a helpful assistant."
"""Instructions to the model when the request brings none."""

MAX_SYSTEM_PROMPT = 4096
"""The longest system prompt, in characters."""

DEFAULT_MAX_TOKENS = 512
"""Tokens of an answer when the request does not say."""

LARGEST_SEED = 2**32 - 2
"""llama.cpp's seeds have 32 bits; the very last one means "pick one"."""


@dataclass(frozen=True)
class Finished:
    """The end of an answer. `reason` is "length" when it was cut at a limit, else None."""

    reason: str | None


Item = str | Finished | TextStreamError | None
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


def chat_body(prompt: str, params: Any) -> dict[str, Any]:
    """Return the request in the form of the OpenAI chat completions API.

    Raises:
        InvalidRequest: the prompt is not valid Unicode.

    """
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"The prompt is not valid Unicode: lone surrogate at position {error.start}."
        ) from None
    messages = [{"role": "system", "content": params.system}] if params.system else []
    messages.append({"role": "user", "content": prompt})
    body = {
        "messages": messages,
        "stream": True,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "max_tokens": params.max_tokens,
        # Calls back while the prompt is read, too: the only moment to give it up.
        "return_progress": True,
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
        self, stop: CancelToken, deltas: SimpleQueue[Item], on_begin: Callable[[], None]
    ) -> None:
        """Pass text on to `deltas` until `stop`; call `on_begin` when the prompt was read."""
        self._stop = stop
        self._deltas = deltas
        self._on_begin = on_begin
        self._begun = False
        self.outcome: Finished | TextStreamError = SourceFailed(
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
        for choice in chunk.get("choices") or ():
            text = choice["delta"].get("content")
            if text:
                # Never blocks; max_tokens is the bound. To block would not pause the model
                # (llama.cpp computes on, into a queue of its own), only keep its slot.
                self._deltas.put(text)
            if choice["finish_reason"]:
                self.outcome = Finished("length" if choice["finish_reason"] == "length" else None)
        return False

    def begin(self) -> None:
        """Take note that the prompt was read, or was given up. The second time does nothing."""
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
