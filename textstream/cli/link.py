"""A link to watch a stream, as the app's Share gives it: it may be pasted in place of an id."""

# ruff: noqa: PLC0415 (what takes long is loaded when it is needed)

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import click
from click.core import ParameterSource

NOT_ONE = 'A link to watch looks like "https://example.org/app/?watch=ID#grant=…".'

CREDENTIALS = ("token", "token_file")


class Watched(NamedTuple):
    """What a link says.

    Attributes:
        id: of the stream.
        url: of its server; None: that is not said.
        grant: lets whoever shows it read the stream; None: there is none.

    """

    id: str
    url: str | None
    grant: str | None


def read_link(text: str) -> Watched:
    """Take a stream's id, or a link to watch it.

    Raises:
        UsageError: it is a link to something else.

    """
    if "://" not in text:
        return Watched(text, None, None)
    try:
        parts = urlsplit(text.strip())
        asked = parse_qs(parts.query)
    except ValueError:
        raise click.UsageError(NOT_ONE) from None
    watched = asked.get("watch", [""])[0]
    if not watched:
        raise click.UsageError(NOT_ONE)
    page = parts._replace(query="", fragment="").geturl()
    grant = parse_qs(parts.fragment).get("grant", [None])[0]
    return Watched(watched, asked.get("server", [page])[0], grant)


def follow(url: str, read: dict[str, Any]) -> None:
    """Read from the server that a link names, in the flags `read`.

    The link may be anybody's: a token that lies ready for your own server is not shown to another.

    Raises:
        UsageError: another server was asked for as well.

    """
    from textstream.client.address import parse_address

    context = click.get_current_context()
    if context.get_parameter_source("url") is ParameterSource.COMMANDLINE:
        raise click.UsageError("The link names the server: leave --url away.")
    if parse_address(url).url != parse_address(read["url"]).url:
        for name in CREDENTIALS:
            if context.get_parameter_source(name) is ParameterSource.ENVIRONMENT:
                read[name] = None
    read["url"] = url
