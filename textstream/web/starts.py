"""From the payload of ``start_stream`` to a source and what to ask it for."""

from __future__ import annotations

from dataclasses import dataclass

from textstream.errors import InvalidRequest
from textstream.protocol import Rate, StartStream, parse
from textstream.sources import SourceRegistry
from textstream.sources.base import Source, SourceRequest

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


def resolve(
    start: StartStream, registry: SourceRegistry, default_source: str, limits: RequestLimits
) -> tuple[Source, SourceRequest]:
    """Find the source, and make of prompt or text and params what it is asked for.

    Raises:
        InvalidRequest: a prompt is missing, too long, or given together with a text.
        UnknownSource: no source of that name.
        SourceUnavailable: it cannot run here.

    """
    limits.check_rate(start.rate)
    name = start.source or (TEXT if start.text is not None else default_source)
    source = registry.get(name)
    params = registry.parse_params(source, start.params)
    if name == TEXT:
        return source, SourceRequest(_text(start, limits), params, unit=start.unit)
    if start.text is not None:
        raise InvalidRequest(f"text is for the source text; give {name} a prompt")
    prompt = start.prompt
    if source.needs_prompt and not (prompt and prompt.strip()):
        raise InvalidRequest(f"prompt: the source {name} needs one")
    _check_length("prompt", prompt, limits.max_prompt)
    return source, SourceRequest(prompt, params, unit=start.unit)


def _text(start: StartStream, limits: RequestLimits) -> str | None:
    if start.text is not None and start.prompt is not None:
        raise InvalidRequest("give a text or a prompt, not both")
    text = start.prompt if start.text is None else start.text
    _check_length("text", text, limits.max_text)
    return text


def _check_length(key: str, value: str | None, most: int) -> None:
    if value is not None and len(value) > most:
        raise InvalidRequest(f"{key}: {len(value)} characters, at most {most} are allowed")
