"""The params of the source ``openai``, and what becomes of those that an API refuses. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator
from pydantic_core import CoreSchema
from pydantic_core.core_schema import ValidationInfo

from textstream.errors import SourceUnavailable
from textstream.protocol import PlainText
from textstream.sources.openai_errors import Refused, error_names, reported_error

MAX_SYSTEM_PROMPT = 16_384
"""The longest system prompt, in characters."""

MAX_TOKENS = 1_000_000
"""The highest limit of an answer, in tokens, that a client may name."""

MAX_ASKED = 32_768
"""The highest that is asked for where the operator sets no other: who names more gets this."""

_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""The two names of one limit. The newer models of OpenAI refuse the older, most servers lack the
newer."""

_LIMIT_NAMED = re.compile(r"max[_\s-]?(completion[_\s-]?)?tokens", re.IGNORECASE)
_WRONG_VALUE = re.compile(r"above_max|below_min|invalid_type")  # in a code: the client's to change


class OpenAIParams(BaseModel):
    """What the API is asked for; what is not given is left to it.

    Not the model: which one may be used, and paid for, is the operator's choice.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    temperature: float | None = Field(
        None, ge=0, le=2, description="0 takes the likeliest token; more is more surprising."
    )
    max_tokens: int | None = Field(
        None, ge=1, le=MAX_TOKENS, description="Longest answer, in tokens."
    )
    max_completion_tokens: int | None = Field(
        None,
        ge=1,
        le=MAX_TOKENS,
        description="The same, under its newer name: it counts what a model thinks as well.",
    )
    seed: int | None = Field(
        None, ge=0, le=2**31 - 1, description="Answers with the same seed are alike."
    )
    system: PlainText | None = Field(
        None, max_length=MAX_SYSTEM_PROMPT, description="Instructions to the model."
    )

    @field_validator("max_completion_tokens")
    @classmethod
    def _one_limit(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("max_tokens") is not None:
            raise ValueError("give this or max_tokens, not both: they are one limit")
        return value


def params_model(allowed: Sequence[str] = ("*",), most: int | None = None) -> type[OpenAIParams]:
    """Return the model of the params, as the operator bounds them.

    Args:
        allowed: the params that a client may set; "*" is all, "none" is none. The others are in no
            schema, and refused.
        most: the longest answer that is asked for, in tokens; None: `MAX_ASKED`.

    Raises:
        SourceUnavailable: there is no such param.

    """
    names = OpenAIParams.model_fields.keys()
    if unknown := set(allowed) - names - {"*", "none"}:
        raise SourceUnavailable(
            f"TEXTSTREAM_OPENAI_PARAMS names {', '.join(sorted(unknown))}. "
            f"There are: {', '.join(names)}; * is all, none is none."
        )
    refused = () if "*" in allowed else tuple(name for name in names if name not in allowed)
    bound = f" More than {most or MAX_ASKED} is taken as {most or MAX_ASKED}."

    class Bounded(OpenAIParams):
        __doc__ = OpenAIParams.__doc__

        @classmethod
        def __get_pydantic_json_schema__(
            cls, schema: CoreSchema, handler: GetJsonSchemaHandler
        ) -> dict[str, Any]:
            described = handler(schema)
            properties = handler.resolve_ref_schema(described)["properties"]
            for name in refused:
                del properties[name]
            for name in _LIMITS.keys() & properties.keys():
                properties[name]["description"] += bound
            return described

        if refused:

            @field_validator(*refused, mode="before")
            @classmethod
            def _not_allowed(cls, _value: object) -> object:
                raise ValueError("the operator of this server does not let clients set it")

    Bounded.__name__ = Bounded.__qualname__ = OpenAIParams.__name__
    return Bounded


def limited(params: dict[str, Any], most: int | None) -> dict[str, Any]:
    """Return what is asked for, bounded.

    Args:
        params: what a client gave.
        most: the longest answer, in tokens, asked for with every request; None: clients choose, up
            to `MAX_ASKED`.

    """
    asked = _LIMITS.keys() & params.keys()
    bounded = {name: min(params[name], most or MAX_ASKED) for name in asked}
    if most and not asked:
        bounded = {"max_tokens": most}
    return params | bounded


def refused_names(body: dict[str, Any], refused: Refused) -> set[str]:
    """Return which names in the request's `body` an API refuses that could do without them.

    It names them in ``param``; some leave that empty and name them in their message only. A value
    out of range is no such case: the client is to hear of it.
    """
    if refused.status not in {400, 422}:
        return set()
    document = refused.document()
    error = reported_error(document) if isinstance(document, dict) else None
    if _WRONG_VALUE.search(error_names(error)):
        return set()
    param = error.get("param") if isinstance(error, dict) else None
    if isinstance(param, str) and param:
        return {name for name in (*_LIMITS, "temperature", "seed", "stream") if _in(name, param)}
    text = refused.body.decode("utf-8", "replace")
    limits = {name for name in _LIMITS if name in body and _LIMIT_NAMED.search(text)}
    return limits | {name for name in ("temperature", "seed") if name in body and _in(name, text)}


def for_ever(refused: Refused) -> bool:
    """Return whether the API refuses the name itself, whatever its value: it need not be tried."""
    document = refused.document()
    return isinstance(document, dict) and "unsupported_parameter" in error_names(
        reported_error(document)
    )


def without(body: dict[str, Any], names: set[str]) -> dict[str, Any] | None:
    """Return the request's `body` without `names`, or None if it cannot be asked so.

    A limit is asked for under its other name, and never left out: an answer without it may cost
    what nobody wants to pay.
    """
    less = {name: value for name, value in body.items() if name not in names}
    for name in names & _LIMITS.keys() & body.keys():
        other = _LIMITS[name]
        if other in names:
            return None
        less[other] = body[name]
    return less


def _in(name: str, text: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None
