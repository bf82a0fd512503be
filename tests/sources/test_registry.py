"""The registry: names, params, descriptions, opening and closing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from textstream.errors import InvalidRequest, SourceUnavailable, UnknownSource
from textstream.sources import SourceRegistry, build_registry
from textstream.sources.base import Source
from textstream.sources.text import text_source


def build(**changes: Any) -> SourceRegistry:
    settings: dict[str, Any] = {
        "default": "text",
        "user_sources": (),
        "llm_model": None,
        "llm_slots": 2,
        "llm_context": 2048,
        "llm_threads": 0,
        "openai_base_url": None,
        "openai_api_key": None,
        "openai_model": None,
        "openai_timeout": 60.0,
    }
    return build_registry(**{**settings, **changes})


def lacking() -> None:
    raise SourceUnavailable("Set SOMETHING.")


def test_the_built_in_sources_are_described() -> None:
    described = json.loads(json.dumps(build().describe()))
    assert described["default"] == "text"
    assert [source["name"] for source in described["sources"]] == ["text", "llm", "openai"]
    text, llm, openai = described["sources"]
    assert (text["available"], text["live"], text["needs_prompt"]) == (True, False, False)
    assert (llm["live"], llm["needs_prompt"]) == (True, True)
    assert llm["params"]["properties"]["max_tokens"]["maximum"] == 2048
    assert not openai["available"]
    assert "TEXTSTREAM_OPENAI_BASE_URL" in openai["error"]


def test_without_the_model_text_is_preferred(tmp_path: Path) -> None:
    registry = build(llm_model=tmp_path / "missing.gguf")
    assert registry.preferred == "text"
    llm = registry.describe()["sources"][1]
    assert not llm["available"]
    assert str(tmp_path) not in llm["error"]
    with pytest.raises(SourceUnavailable):
        registry.preload()


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    registry = build()
    with pytest.raises(UnknownSource, match="text, llm, openai"):
        registry.get("nothing")
    assert "text" in registry
    assert "nothing" not in registry


def test_an_unknown_default_is_refused_at_the_start() -> None:
    with pytest.raises(UnknownSource, match='TEXTSTREAM_SOURCE is "nothing"'):
        build(default="nothing")


def test_a_source_that_lacks_something_says_so() -> None:
    source = Source("poor", lambda _request: iter(()), check=lacking)
    registry = SourceRegistry([source], preferred="poor")
    with pytest.raises(SourceUnavailable, match="SOMETHING"):
        registry.get("poor")


def test_a_users_source_may_not_take_a_built_in_name() -> None:
    with pytest.raises(SourceUnavailable, match="TEXTSTREAM_SOURCES"):
        build(user_sources=["text=tests.client.sources_for_tests:broken"])


def test_a_users_source_may_be_the_default() -> None:
    registry = build(default="mine", user_sources=["mine=tests.client.sources_for_tests:broken"])
    assert registry.default == "mine"
    assert registry.get("mine").name == "mine"


@pytest.mark.parametrize("params", [{"nothing": 1}, {"": 1}, {"x" * 1000: "\ud800"}, [], "x", 5])
def test_params_that_make_no_sense(params: Any) -> None:
    registry = build()
    with pytest.raises(InvalidRequest, match="params of text") as caught:
        registry.parse_params(registry.get("text"), params)
    assert len(caught.value.message) < 300


def test_all_are_preloaded_and_all_closed_though_one_fails() -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("failed")
        raise OSError("no")

    sources = [
        Source("a", lambda _request: iter(()), preload=lambda: done.append("preloaded")),
        Source("b", lambda _request: iter(()), close=fail),
        Source("c", lambda _request: iter(()), close=lambda: done.append("closed")),
        text_source(),
    ]
    registry = SourceRegistry(sources, preferred="a")
    registry.preload()
    with pytest.raises(OSError, match="no"):
        registry.close()
    assert sorted(done) == ["closed", "failed", "preloaded"]


def test_closing_twice_what_was_never_used() -> None:
    registry = build()
    registry.close()
    registry.close()
