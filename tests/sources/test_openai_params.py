"""What an API refuses is not sent again, where it can do without."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from tests.sources.waiting import texts
from tests.sources.wire_endpoint import Request, Script, WireEndpoint
from tests.sources.wire_rows import DONE, JSON, OK, head, say, whole
from textstream.errors import InvalidRequest
from textstream.sources.base import Source, SourceRequest
from textstream.sources.openai_compatible import openai_source
from textstream.sources.openai_params import OpenAIParams

NEWER = {"max_completion_tokens": 5}


def error(param: str | None, code: str | None = "unsupported_parameter", text: str = "No.") -> Any:
    return {"error": {"message": text, "type": "invalid", "param": param, "code": code}}


def refusing(names: tuple[str, ...], body: Any, status: str = "400 No") -> Callable[..., Script]:
    """Return the script of an API that will not have any of `names`."""

    def script(request: Request) -> Script:
        if found := next((name for name in names if name in request.body), None):
            text = body if isinstance(body, str) else json.dumps(body(found))
            return [head("application/json", status=status), text.encode()]
        return [OK, say("Hi"), DONE] if request.body.get("stream") else [JSON, whole(content="Hi")]

    return script


@pytest.fixture
def source(wire: WireEndpoint) -> Iterator[Source]:
    made = openai_source(base_url=wire.base_url, api_key=None, model="m", timeout=30.0)
    yield made
    made.close()


def ask(source: Source, **params: Any) -> str:
    return "".join(texts(source.generate(SourceRequest("Hi", OpenAIParams(**params)))))


def sent(wire: WireEndpoint) -> list[dict[str, Any]]:
    fixed = {"model", "messages", "stream"}
    return [{k: v for k, v in r.body.items() if k not in fixed} for r in wire.requests]


OLDER_REFUSED = [
    json.dumps(error("max_tokens")),
    json.dumps(error("body.max_tokens", None)),
    json.dumps(error(None, None, "Unsupported parameter: 'max_tokens'. Use another.")),
    json.dumps(error("", "x", "Please use `max_completion_tokens`.")),
    json.dumps(error(None, None, "This model takes no maxTokens.")),
    '{"detail": [{"type": "extra_forbidden", "loc": ["body", "max_tokens"]}]}',
    '{"object": "error", "message": "max_tokens: extra inputs are not permitted"}',
    '{"error": "unknown field max_tokens"}',
    "max_tokens is not supported",
]


@pytest.mark.parametrize("body", OLDER_REFUSED)
@pytest.mark.parametrize("status", ["400 No", "422 No"])
def test_a_limit_is_asked_for_under_its_newer_name(
    wire: WireEndpoint, source: Source, body: str, status: str
) -> None:
    wire.script = refusing(("max_tokens",), body, status)
    assert ask(source, max_tokens=5) == "Hi"
    assert sent(wire) == [{"max_tokens": 5}, NEWER]


def test_a_limit_is_asked_for_under_its_older_name(wire: WireEndpoint, source: Source) -> None:
    wire.script = refusing(("max_completion_tokens",), error)
    assert ask(source, max_completion_tokens=5) == "Hi"
    assert sent(wire) == [NEWER, {"max_tokens": 5}]


def test_a_name_that_the_api_does_not_know_is_not_tried_again(
    wire: WireEndpoint, source: Source
) -> None:
    wire.script = refusing(("max_tokens",), error)
    for limit in (5, 6):
        assert ask(source, max_tokens=limit) == "Hi"
    assert sent(wire) == [{"max_tokens": 5}, NEWER, {"max_completion_tokens": 6}]


def test_a_value_that_the_api_does_not_take_says_nothing_of_others(
    wire: WireEndpoint, source: Source
) -> None:
    wire.script = refusing(("temperature",), lambda name: error(name, "unsupported_value"))
    assert ask(source, temperature=0.5) == "Hi"
    wire.script = [OK, say("Hi"), DONE]
    assert ask(source, temperature=1.0) == "Hi"
    assert sent(wire) == [{"temperature": 0.5}, {}, {"temperature": 1.0}]


def test_several_are_left_out_one_by_one(wire: WireEndpoint, source: Source) -> None:
    wire.script = refusing(("temperature", "seed", "max_tokens", "stream"), error)
    assert ask(source, temperature=0.5, seed=1, max_tokens=5) == "Hi"
    assert [len(r.body) for r in wire.requests] == [6, 5, 4, 4, 3]
    assert sent(wire)[-1] == NEWER


def test_a_limit_is_never_left_out(wire: WireEndpoint, source: Source) -> None:
    wire.script = refusing(("max_tokens", "max_completion_tokens"), error)
    with pytest.raises(InvalidRequest, match="unsupported_parameter"):
        ask(source, max_tokens=5)
    assert sent(wire) == [{"max_tokens": 5}, NEWER]


@pytest.mark.parametrize(
    "body",
    [
        error("temperature", "decimal_above_max_value"),
        error("messages", "context_length_exceeded", "Too long; max_tokens is 5."),
        error("model"),
        error(None, None, "You cannot do that."),
        {},
    ],
)
def test_what_the_client_has_to_change_is_told(
    wire: WireEndpoint, source: Source, body: Any
) -> None:
    wire.script = refusing(("model",), json.dumps(body))
    with pytest.raises(InvalidRequest, match="Change the prompt or the params"):
        ask(source, temperature=1.5, max_tokens=5)
    assert len(wire.requests) == 1


def test_one_limit_is_enough() -> None:
    with pytest.raises(ValidationError, match="not both"):
        OpenAIParams(max_tokens=1, max_completion_tokens=1)
