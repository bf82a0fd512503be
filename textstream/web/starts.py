"""From the payload of ``start_stream`` to a start."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from textstream.access.caller import Caller
from textstream.errors import InvalidRequest
from textstream.protocol import Rate, StartStream, parse
from textstream.sources import SourceRegistry
from textstream.sources.base import SourceRequest
from textstream.stream.start import Start

TEXT = "text"


@dataclass(frozen=True)
class RequestLimits:
    """What a request may ask for: characters, and units per second."""

    max_text: int = 500_000
    max_prompt: int = 32_768
    max_rate: float = 100_000.0

    def check_rate(self, rate: Rate | None) -> None:
        """Refuse a pace that is too fast.

        Raises:
            InvalidRequest: `rate` is above ``max_rate``.

        """
        if isinstance(rate, (int, float)) and rate > self.max_rate:
            raise InvalidRequest(
                f"rate: at most {self.max_rate:g} units per second; 0 is as fast as you read"
            )


def parse_start(payload: object, default_source: str) -> StartStream:
    """Check the payload: nothing, a string (for the default source), or an object.

    Raises:
        InvalidRequest: see `textstream.protocol.parse`.

    """
    if payload is None:
        return StartStream()
    if isinstance(payload, str):
        key = TEXT if default_source == TEXT else "prompt"
        return parse(StartStream, {key: payload})
    if not isinstance(payload, dict):
        raise InvalidRequest("start_stream takes nothing, a string, or an object")
    return parse(StartStream, payload)


def read_start(
    payload: object, registry: SourceRegistry, limits: RequestLimits, caller: Caller
) -> Start:
    """Check the payload, find its source, and make a start of it.

    Raises:
        InvalidRequest: it is malformed; a prompt is missing, too long, or beside a text.
        UnknownSource: no source of that name.
        SourceUnavailable: it cannot run here.

    """
    asked = parse_start(payload, registry.default)
    name = _named(asked.source, asked.text, registry.default)
    source = registry.get(name)
    params = registry.parse_params(source, asked.params)
    prompt = _prompt(asked, name, limits)
    if source.needs_prompt and not (prompt and prompt.strip()):
        raise InvalidRequest(f"prompt: the source {name} needs one")
    return Start(
        source,
        SourceRequest(prompt, params, unit=asked.unit, caller=caller),
        rate=asked.rate,
        format=asked.format,
        on_disconnect=asked.on_disconnect,
        request_id=asked.request_id,
        digest=_digest(asked) if asked.request_id else b"",
    )


def source_name(payload: object, default: str) -> str:
    """Return the source that a payload asks for, before it is checked; "" where nobody can tell."""
    if not isinstance(payload, dict):
        return default
    name = _named(payload.get("source"), payload.get("text"), default)
    return name if isinstance(name, str) else ""


def _named(source: Any, text: object, default: str) -> Any:
    """Return the source that is asked for, whatever it is: one rule, before the check and after."""
    return source or (default if text is None else TEXT)


def _digest(asked: StartStream) -> bytes:
    """Return a hash of all that is asked for; its name aside."""
    # How its first reader reads is that reader's: it may have been told another pace meanwhile.
    told = asked.model_dump(exclude={"request_id", "rate", "format"})
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()


def _prompt(asked: StartStream, name: str, limits: RequestLimits) -> str | None:
    """Return what the source `name` is asked for, and refuse what is too much."""
    limits.check_rate(asked.rate)
    prompt, text = asked.prompt, asked.text
    if name == TEXT:
        if text is not None and prompt is not None:
            raise InvalidRequest("give a text or a prompt, not both")
        prompt, key, most = (prompt if text is None else text), "text", limits.max_text
    elif text is not None:
        raise InvalidRequest(f"text is for the source text; give {name} a prompt")
    else:
        key, most = "prompt", limits.max_prompt
    if prompt is not None and len(prompt) > most:
        raise InvalidRequest(f"{key}: {len(prompt)} characters, at most {most} are allowed")
    return prompt
