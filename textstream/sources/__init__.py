"""Where text comes from: the sources by name.

``base.py`` is the contract. Of the sources, ``text`` always runs; ``llm`` and ``openai`` need
packages that are imported only in modules of their own, when they are first used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError

from textstream.access.source_shares import SourceShares
from textstream.errors import InvalidRequest, SourceUnavailable, TextStreamError, UnknownSource
from textstream.protocol import explain
from textstream.sources.base import NoParams, SlotQueue, Source, runs_anywhere
from textstream.sources.local_llm import local_llm_source
from textstream.sources.openai_compatible import openai_source
from textstream.sources.text import text_source
from textstream.sources.user import load_user_source

__all__ = ["SourceRegistry", "build_registry"]


_NO_PARAMS = NoParams()
"""One for all: it is frozen, and to make one takes as long as to check a payload."""


class SourceRegistry:
    """The sources of this server. Never changes after it was made; any thread may use it."""

    def __init__(
        self, sources: Sequence[Source], *, preferred: str, default: str | None = None
    ) -> None:
        """Keep `sources`, in the order in which they are described.

        Args:
            sources: with different names.
            preferred: the one that pages and the command line use when none is named.
            default: the one for a start that names none; None is `preferred`.

        Raises:
            SourceUnavailable: two have one name, or params of one have no JSON schema.
            UnknownSource: `preferred` or `default` is none of them.

        """
        self._sources: dict[str, Source] = {}
        self._schemas: dict[str, dict[str, Any]] = {}
        for source in sources:
            if source.name in self._sources:
                raise SourceUnavailable(
                    f"There are two sources named {source.name}. "
                    "Give yours another name in TEXTSTREAM_SOURCES."
                )
            self._sources[source.name] = source
            self._schemas[source.name] = _schema(source)
        self.preferred = self._known(preferred).name
        self.default = preferred if default is None else default
        if self.default not in self:
            raise UnknownSource(
                f'TEXTSTREAM_SOURCE is "{self.default}". There are: {", ".join(self._sources)}.'
            )

    def __contains__(self, name: object) -> bool:
        """Whether there is a source `name`, able to run or not."""
        return name in self._sources

    def get(self, name: str) -> Source:
        """Return the source `name`, ready to run.

        Raises:
            UnknownSource: there is none; the message lists those that there are.
            SourceUnavailable: it lacks something; the message says what.

        """
        source = self._sources.get(name) or self._known(name)
        if source.check is not runs_anywhere:
            source.check()
        return source

    def is_quick(self, name: str) -> bool:
        """Return whether there is a source `name` and it is quick; see `Source`."""
        source = self._sources.get(name)
        return source is not None and source.quick

    def parse_params(self, source: Source, params: dict[str, Any]) -> BaseModel:
        """Return `params` as an instance of the source's model.

        Raises:
            InvalidRequest: naming each key that is wrong and why, never repeating a value.

        """
        if params == {} and source.params_model is NoParams:
            return _NO_PARAMS
        try:
            return source.params_model.model_validate(params)
        except ValidationError as error:
            raise InvalidRequest(f"params of {source.name}: {explain(error)}") from None

    def describe(self) -> dict[str, Any]:
        """Return what ``GET /api/sources`` answers: plain JSON values."""
        return {
            "preferred": self.preferred,
            "default": self.default,
            "sources": [self._describe(source) for source in self._sources.values()],
        }

    def queues(self) -> dict[str, SlotQueue]:
        """Return the queues of those that have slots, by name."""
        return {name: source.queue for name, source in self._sources.items() if source.queue}

    def preload(self) -> None:
        """Load what is slow to load: the local model.

        Raises:
            SourceUnavailable: it cannot be loaded; the message names the cure.

        """
        for source in self._sources.values():
            source.preload()

    def close(self) -> None:
        """Give up what is running and free what the sources hold. Again: does nothing.

        Waits up to 10 s for each. An error in one does not keep the others open.
        """
        with contextlib.ExitStack() as stack:
            for source in self._sources.values():
                stack.callback(source.close)

    def _known(self, name: str) -> Source:
        try:
            return self._sources[name]
        except KeyError:
            names = ", ".join(self._sources)
            raise UnknownSource(f"There is no such source. There are: {names}.") from None

    def _describe(self, source: Source) -> dict[str, Any]:
        described: dict[str, Any] = {
            "name": source.name,
            "description": source.description,
            "live": source.live,
            "needs_prompt": source.needs_prompt,
            "available": True,
            "params": self._schemas[source.name],
        }
        try:
            source.check()
        except TextStreamError as error:
            described |= {"available": False, "error": error.message}
        return described


def _schema(source: Source) -> dict[str, Any]:
    try:
        return source.params_model.model_json_schema()
    except PydanticUserError as error:
        raise SourceUnavailable(
            f"The Params of the source {source.name} have no JSON schema: {error.message}"
        ) from error


def build_registry(
    *,
    default: str,
    user_sources: Sequence[str],
    llm_model: Path | None,
    llm_slots: int,
    llm_context: int,
    llm_threads: int,
    openai_base_url: str | None,
    openai_api_key: str | None,
    openai_model: str | None,
    openai_timeout: float,
    openai_max_tokens: int | None = None,
    openai_slots: int = 0,
    openai_params: Sequence[str] = ("*",),
    shares: SourceShares | None = None,
) -> SourceRegistry:
    """Return the built-in sources and the user's, for the settings of the same names.

    `shares` is how much of ``llm``, and of ``openai``, an address may have.

    Raises:
        SourceUnavailable: a user's source cannot be imported, or takes a built-in one's name; or
            `openai_params` names what is none.
        UnknownSource: `default` is none of them.

    """
    llm = local_llm_source(
        model=llm_model, slots=llm_slots, context=llm_context, threads=llm_threads, shares=shares
    )
    openai = openai_source(
        base_url=openai_base_url,
        api_key=openai_api_key,
        model=openai_model,
        timeout=openai_timeout,
        max_tokens=openai_max_tokens,
        slots=openai_slots,
        params=openai_params,
        shares=shares,
    )
    sources = [text_source(), llm, openai, *map(load_user_source, user_sources)]
    return SourceRegistry(sources, preferred=_preferred(llm), default=default)


def _preferred(llm: Source) -> str:
    """Return ``llm`` where it is installed, else ``text``, which runs everywhere."""
    try:
        llm.check()
    except SourceUnavailable:
        return "text"
    return llm.name
