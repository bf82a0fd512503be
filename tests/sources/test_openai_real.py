"""The source ``openai`` and a real endpoint: the engine's own HTTP server, with the real model."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.sources.endpoint import Endpoint
from tests.sources.test_openai import ask, new_source
from tests.sources.waiting import LONG, Consumer, texts, wait_until
from textstream.errors import SourceFailed
from textstream.sources.base import Source, SourceRequest
from textstream.sources.openai_params import OpenAIParams


@pytest.mark.model
def test_a_real_endpoint_refuses_a_wrong_key(endpoint: Endpoint, at_close: list[Source]) -> None:
    at_close.append(new_source(endpoint.base_url, key="wrong-key"))
    with pytest.raises(SourceFailed, match="refused the key"):
        list(texts(at_close[0].generate(ask())))


@pytest.mark.model
def test_a_real_endpoint_has_its_slot_back(endpoint: Endpoint, at_close: list[Source]) -> None:
    at_close.append(new_source(endpoint.base_url, key=endpoint.key))
    generator = texts(at_close[0].generate(SourceRequest("Tell me a long story.", OpenAIParams())))
    next(generator)
    assert endpoint.slots_in_use() == 1
    generator.close()
    wait_until(lambda: endpoint.slots_in_use() == 0)


@pytest.mark.model
def test_a_real_endpoint_streams_what_it_says_in_one_piece(
    endpoint: Endpoint, at_close: list[Source]
) -> None:
    prompt = "Name three colours."
    params: dict[str, Any] = {"temperature": 0.0, "max_tokens": 16, "seed": 1}
    body = {"messages": [{"role": "user", "content": prompt}], "stream": False, **params}
    whole = urllib.request.Request(
        f"{endpoint.base_url}/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {endpoint.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(whole, timeout=LONG * 10) as response:
        choice = json.load(response)["choices"][0]
    at_close.append(new_source(endpoint.base_url, key=endpoint.key))
    consumer = Consumer(at_close[0].generate(SourceRequest(prompt, OpenAIParams(**params))))
    assert consumer.finish(LONG * 10) == choice["message"]["content"]
    assert (consumer.result or "stop") == choice["finish_reason"]
