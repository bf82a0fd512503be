"""Runs one stream of the command line, from the request to the exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from textstream.cli import exit_codes
from textstream.cli.input import join_input, read_stdin
from textstream.cli.output import JsonOutput, Output, Status, TextOutput, complain, prepare, silence
from textstream.client import StreamClient, TextStream
from textstream.client.stats import StreamStats
from textstream.errors import ServerUnreachable, TextStreamError

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
    """The flags that starting and resuming a stream share."""

    url: str
    reconnect: bool
    no_stream: bool
    json: bool
    stats: bool


def opener(
    prompt: str | None,
    *,
    source: str | None,
    unit: str,
    rate: float | str | None,
    params: dict[str, object],
) -> Opener:
    """Return what starts a stream for the prompt and what is piped in.

    Raises:
        click.UsageError: standard input cannot be used.

    """
    piped = read_stdin()

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
    output = JsonOutput(out) if options.json else TextOutput(out, at_once=not options.no_stream)
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
        with StreamClient(
            options.url, reconnect=options.reconnect, on_state=status.on_state
        ) as client:
            stream = open_stream(client)
            stats = StreamStats(asked_at, stream.info.unit)
            output.start(stream.info)
            for chunk in stream.chunks():
                output.chunk(chunk)
                stats.add(chunk)
            return _finished(stream, output)
    except TextStreamError as error:
        return _failed(error, stream, output)
    finally:
        if options.stats and stats:
            # After the text, whose last line may be open.
            if not options.json:
                output.finish()
            complain(stats.summary(), name=None)


def _finished(stream: TextStream, output: Output) -> int:
    result = stream.result
    if result is None:  # The iteration ends without an error only with a result.
        return exit_codes.FAILED
    output.end(stream.id, result)
    early = _ENDED_EARLY.get(result.reason)
    if early is None:
        return exit_codes.COMPLETED
    output.finish()
    complain(early + _how_to_go_on(stream))
    return exit_codes.ENDED_EARLY


def _failed(error: TextStreamError, stream: TextStream | None, output: Output) -> int:
    lost = isinstance(error, ServerUnreachable) and stream is not None
    if stream and stream.result:
        output.end(stream.id, stream.result)
    output.error(error)
    output.finish()
    complain(error.message + (_how_to_go_on(stream) if lost and stream else ""))
    return exit_codes.code_of(error)


def _how_to_go_on(stream: TextStream) -> str:
    return f" Read on with: textstream resume {stream.id} --offset {stream.offset}"


def _preferred(client: StreamClient) -> str:
    preferred = client.sources().get("preferred")
    return preferred if isinstance(preferred, str) else TEXT


def _needs_prompt(client: StreamClient, name: str) -> bool:
    for source in client.sources()["sources"]:
        if isinstance(source, dict) and source.get("name") == name:
            return source.get("needs_prompt") is not False
    return False  # The server says best that it does not know the source.
