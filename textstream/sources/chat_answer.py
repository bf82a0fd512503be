"""What a chat completion's answer says, chunk by chunk or in one piece. Pure.

An answer is whole when it was declared to be: by a ``finish_reason`` that is known to be good, or
by ``[DONE]``. That it simply ends declares nothing: a gateway that closes the connection in the
middle looks the same.

Any JSON value may be in any place, whatever the API's types promise.
"""

from __future__ import annotations

import json
import re
from typing import Any

from textstream.errors import SourceFailed
from textstream.sources.base import Finished
from textstream.sources.openai_errors import error_names, reported_error
from textstream.sources.sse import Event

NATURAL = frozenset(
    {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete"}
    | {"tool_calls", "tool_use", "function_call"}
)
"""The values of ``finish_reason``, in lower case, of an answer that ended by itself."""

AT_LIMIT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
"""Of one that was cut at its limit."""

FILTERED = frozenset(
    {
        "content_filter",
        "content_filtered",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
    }
    | {"spii", "sensitive", "guardrail_intervened", "error_toxic"}
)
"""Of one that a content filter cut off. Every other value is a failure as well."""

_DONE = "[DONE]"
_REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
_TOOLS = ("tool_calls", "function_call")


class Answer:
    """Collects what one answer has said and how it ended."""

    def __init__(self) -> None:
        self.begun = False  # anything came that has the shape of an answer
        self.finished = False  # its finish_reason came: but for the end, nothing need follow
        self.done = False  # nothing follows
        self._reason = ""  # the finish_reason that stands, in lower case
        self._names = ""  # of the error behind it, as `error_names` gives them
        self._index: Any = None  # of the choice that is read; no other was asked for
        self._text = False
        self._by_delta = False
        self._reasoned = False
        self._tools = False

    def read(self, item: Any) -> str | None:
        """Read an event of a stream, or a JSON value: one chunk, or the answer in one piece.

        Returns:
            The text that it adds; "" if it adds none, but shows that the model is at work; None if
            it says nothing of either, as a keep-alive.

        Raises:
            SourceFailed: it reports an error, or makes no sense. Not behind a `finish_reason`: the
                answer is whole then.

        """
        if self.done:
            return None
        try:
            return self._event(item) if isinstance(item, Event) else self._document(item)
        except SourceFailed:
            if self.finished:
                return None
            raise

    def ending(self) -> Finished:
        """Return how the answer ended, when nothing more comes.

        Raises:
            SourceFailed: it failed, was cut off, or has no text; the message says which.

        """
        if self._reason in FILTERED:
            raise SourceFailed("The API's content filter cut the answer off.")
        at_limit = self._reason in AT_LIMIT
        if self._reason and not at_limit and self._reason not in NATURAL:
            shown = error_names(self._reason).removeprefix(", ") or "a value of its own"
            raise SourceFailed(
                f"The API ended the answer with the finish_reason {shown}{self._names}: "
                "it is not whole. Try again."
            )
        if not (self._reason or self.done):
            raise SourceFailed(
                "The API ended the answer without saying that it is whole (no finish_reason, "
                "no [DONE]): it was cut off. Try again."
            )
        if not self._text:
            raise SourceFailed(self._why_empty(at_limit))
        return Finished("length" if at_limit else None)

    def _event(self, event: Event) -> str | None:
        data, kind = event.data.strip(), event.type.strip().lower()
        if data.startswith(_DONE):
            self.done = True
            return None
        if not data and kind != "error":
            return None
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            if kind == "error":
                raise _broken_off(data) from None
            if kind in {"", "message"}:
                raise _nonsense() from None
            return None  # something that somebody added, as a keep-alive
        if kind == "error":
            raise _broken_off(value)
        return self._document(value)

    def _document(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _nonsense()
        if error := reported_error(value):
            raise _broken_off(error)
        choices = value.get("choices")
        if not isinstance(choices, list):
            return None
        self.begun = True
        added = [self._choice(c, n) for n, c in enumerate(choices) if isinstance(c, dict)]
        said = [text for text in added if text is not None]
        return "".join(said) if said else None

    def _choice(self, choice: dict[str, Any], place: int) -> str | None:
        index = choice.get("index")
        index = place if index is None else index
        if self._index is not None and index != self._index:
            return None
        text, works = self._text_of(choice)
        if text:
            self._text = True
        reason = choice.get("finish_reason")
        if reason is not None and reason != "":
            works = works or not self.finished
            self.finished = True
            self._reason = reason.strip().lower() if isinstance(reason, str) else "?"
            self._names = error_names(choice.get("error"))
        if not (text or works):
            return None
        self._index = index
        return text

    def _text_of(self, choice: dict[str, Any]) -> tuple[str, bool]:
        """Return the text of a choice, and whether the model does anything in it."""
        delta, message = choice.get("delta"), choice.get("message")
        text, works = self._read(delta) if isinstance(delta, dict) else ("", False)
        self._by_delta = self._by_delta or bool(text)
        if isinstance(message, dict) and not self._by_delta:
            # Some repeat the whole answer here, beside the deltas or behind them.
            text, works = self._read(message)
        elif not isinstance(delta, dict):
            text, _ = _content(choice.get("text"))  # of the older completions
        return text, works or bool(text)

    def _read(self, delta: dict[str, Any]) -> tuple[str, bool]:
        text, thought = _content(delta.get("content"))
        refusal, _ = _content(delta.get("refusal"))
        thought = thought or any(delta.get(name) for name in _REASONING)
        tools = any(delta.get(name) for name in _TOOLS)
        self._reasoned = self._reasoned or thought
        self._tools = self._tools or tools
        return text + refusal, bool(text or refusal or thought or tools)

    def _why_empty(self, at_limit: bool) -> str:
        if self._tools:
            return (
                "The model asks for a tool instead of answering, and there is none for it here. "
                "Change the prompt, or TEXTSTREAM_OPENAI_MODEL."
            )
        if at_limit:
            return "The answer reached its limit before it had any text. Raise max_tokens."
        if self._reasoned:
            return "The model reasoned, but gave no answer. Ask again, or raise max_tokens."
        return "The model's answer is empty. Change the prompt, or ask again."


def is_whole(event: Event) -> bool:
    """Whether an event that lacks its end lacks nothing else: cut JSON is no JSON."""
    if event.data.strip() == _DONE:
        return True
    try:
        json.loads(event.data)
    except (ValueError, RecursionError):
        return False
    return True


def _broken_off(error: Any) -> SourceFailed:
    return SourceFailed(
        f"The API broke off with an error{error_names(error)}. "
        "Try again; if it stays, ask who runs the API."
    )


def _nonsense() -> SourceFailed:
    return SourceFailed(
        "The API's answer makes no sense: what it sent is no JSON object. "
        "Check TEXTSTREAM_OPENAI_BASE_URL."
    )


def _content(value: Any) -> tuple[str, bool]:
    """Return the text of a `content`, in whatever form, and whether the model reasons in it."""
    if isinstance(value, str):
        return value, False
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return json.dumps(value), False
    parts = value if isinstance(value, list) else [value]
    texts, thought = [], False
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            if re.search("think|reason", str(part.get("type")).lower()):
                thought = True
                continue
            text = next((part[k] for k in ("text", "refusal", "content") if part.get(k)), "")
            text = text.get("value") if isinstance(text, dict) else text
            texts.append(text if isinstance(text, str) else "")
    return "".join(texts), thought
