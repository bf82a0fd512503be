"""Runs one stream of the command line, from the request to the exit code."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from textstream.cli import exit_codes
from textstream.cli.advice import about_token, after_end, after_failure, read_on_with
from textstream.cli.input import URL_VARIABLE, join_input
from textstream.cli.output import JsonOutput, Output, Status, TextOutput, complain, prepare, silence
from textstream.cli.token import auth_of
from textstream.client import ReconnectPolicy, StreamClient, TextStream
from textstream.client.address import DEFAULT_URL, parse_address
from textstream.client.stats import StreamStats
from textstream.errors import TextStreamError

TEXT = "text"

_ENDED_EARLY = {
    "stopped": "The stream was stopped by somebody else.",
    "replaced": "The stream was replaced by another one.",
    "expired": "The stream expired.",
    "shutdown": "The server was shut down.",
}

Opener = Callable[[StreamClient], TextStream]


@dataclass(frozen=True)
class ReadOptions:
    """The flags that starting and resuming a stream share, named as they are."""

    url: str
    transport: str
    wait: float
    no_reconnect: bool
    no_stream: bool
    as_json: bool
    stats: bool
    token: str | None
    token_file: Path | None
    grant: str | None = None

    @property
    def url_to_give(self) -> str | None:
        """The address to name to the command line, without a password; None: it takes it so."""
        if self.url == (os.environ.get(URL_VARIABLE) or DEFAULT_URL):
            return None
        address = parse_address(self.url)
        return self.url if address.authorization is None else address.url

    def new_client(self, status: Status) -> StreamClient:
        """Return a client for the server."""
        return StreamClient(
            self.url,
            transports=None if self.transport == "auto" else [self.transport],
            reconnect=not self.no_reconnect and ReconnectPolicy(first_give_up_after=self.wait),
            on_state=status.on_state,
            on_position=status.on_position,
            auth=auth_of(self.token, self.token_file),
        )


def opener(
    prompt: str | None,
    piped: str | None,
    *,
    source: str | None,
    unit: str,
    rate: float | str | None,
    params: dict[str, object],
) -> Opener:
    """Return what starts a stream for the prompt and what is piped in."""

    def start(client: StreamClient) -> TextStream:
        chosen = source or _preferred(client)
        given = join_input(prompt, piped, verbatim=chosen == TEXT)
        if given is None and chosen != TEXT and _needs_prompt(client, chosen):
            raise click.UsageError(
                f'The source {chosen} needs a prompt: textstream "Tell me a story". '
                "Without one, --source text streams a sample."
            )
        return client.stream(
            prompt=None if chosen == TEXT else given,
            text=given if chosen == TEXT else None,
            source=chosen,
            unit=unit,  # type: ignore[arg-type]  # click has checked it
            rate=rate,  # type: ignore[arg-type]
            params=params,
        )

    return start


def run(open_stream: Opener, options: ReadOptions) -> int:
    """Print the stream that `open_stream` opens; return the exit code."""
    if sys.stdout is None:
        complain("There is no standard output to write to.")
        return exit_codes.FAILED
    out = prepare(sys.stdout)
    output: Output
    output = JsonOutput(out) if options.as_json else TextOutput(out, at_once=not options.no_stream)
    try:
        try:
            return _read(open_stream, options, output)
        finally:
            output.finish()
    except BrokenPipeError:
        # Whoever reads has enough, as head does. Leaving the client has stopped the stream.
        silence(out)
        return exit_codes.COMPLETED
    except OSError as error:
        silence(out)
        complain(f"The output cannot be written: {error.strerror}.")
        return exit_codes.FAILED


def _read(open_stream: Opener, options: ReadOptions, output: Output) -> int:
    status = Status(sys.stderr)
    asked_at = time.monotonic()
    stream: TextStream | None = None
    stats: StreamStats | None = None
    try:
        with options.new_client(status) as client:
            with status.while_waiting(f"waiting for the server at {client.url}"):
                stream = open_stream(client)
            stats = StreamStats(asked_at, stream.info.unit)
            output.start(stream.info, stream.key)
            for chunk in stream.chunks():
                output.chunk(chunk)
                stats.add(chunk)
            return _finished(stream, output, options)
    except TextStreamError as error:
        return _failed(error, stream, output, options)
    finally:
        if options.stats and stats:
            # After the text, whose last line may be open.
            if not options.as_json:
                output.finish()
            complain(stats.summary(), name=None)


def _finished(stream: TextStream, output: Output, options: ReadOptions) -> int:
    result = stream.result
    if result is None:  # The iteration ends without an error only with a result.
        return exit_codes.FAILED
    output.end(stream.id, result)
    early = _ENDED_EARLY.get(result.reason)
    if early is None:
        return exit_codes.COMPLETED
    output.finish()
    complain(early + _how_to_go_on(stream, after_end(result, stream.offset), options))
    return exit_codes.ENDED_EARLY


def _failed(
    error: TextStreamError, stream: TextStream | None, output: Output, options: ReadOptions
) -> int:
    if stream and stream.result:
        output.end(stream.id, stream.result)
    output.error(error)
    output.finish()
    advice = about_token(error)
    if stream and not advice:
        advice = _how_to_go_on(stream, after_failure(error, stream.offset), options)
    complain(error.message + advice)
    return exit_codes.code_of(error)


def _how_to_go_on(stream: TextStream, offset: int | None, options: ReadOptions) -> str:
    if offset is None:
        return ""
    return f" {read_on_with(stream.id, offset, options.url_to_give, options.grant)}"


def _preferred(client: StreamClient) -> str:
    preferred = client.sources().get("preferred")
    return preferred if isinstance(preferred, str) else TEXT


def _needs_prompt(client: StreamClient, name: str) -> bool:
    for source in client.sources()["sources"]:
        if isinstance(source, dict) and source.get("name") == name:
            return source.get("needs_prompt") is not False
    return False  # The server says best that it does not know the source.
