"""What the user gets: the text on standard output, everything else on standard error.

Exactly, but on a terminal: see `textstream.cli.terminal`.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click

from textstream.cli.terminal import json_for, shown_on, visible
from textstream.errors import TextStreamError

if TYPE_CHECKING:  # They bring pydantic and Socket.IO, which take half a second to load.
    from textstream.client import Chunk, StreamResult
    from textstream.protocol import StreamInfo


ORDINALS = (
    *("first", "second", "third", "fourth", "fifth"),
    *("sixth", "seventh", "eighth", "ninth", "tenth"),
)
ENDINGS = {1: "st", 2: "nd", 3: "rd"}

SLOW = 1.0
"""Seconds after which a person is told what is waited for."""


class Output(Protocol):
    """Takes the events of a stream in their order. Writing may raise OSError."""

    def start(self, info: StreamInfo, key: str | None) -> None:
        """Take the beginning; `key` is the stream's, where that is known here."""
        ...

    def chunk(self, chunk: Chunk) -> None:
        """Take a piece of the text."""
        ...

    def end(self, stream_id: str, result: StreamResult) -> None:
        """Take the end."""
        ...

    def error(self, error: TextStreamError) -> None:
        """Take a failure."""
        ...

    def finish(self) -> None:
        """Write what is left, whatever has happened; nothing follows."""
        ...


class TextOutput:
    """The text and nothing else; on a terminal, also the line end that it may lack."""

    def __init__(self, out: TextIO, *, at_once: bool = True) -> None:
        """Write to `out` as the text arrives, or if not `at_once`, all at the end."""
        self._out = out
        self._at_once = at_once
        self._kept: list[str] = []
        self._open_line = False

    def start(self, info: StreamInfo, key: str | None) -> None:
        """Write nothing."""

    def chunk(self, chunk: Chunk) -> None:
        """Write the text, and flush it."""
        if self._at_once:
            self._write(chunk.text)
        else:
            self._kept.append(chunk.text)

    def end(self, stream_id: str, result: StreamResult) -> None:
        """Write nothing."""

    def error(self, error: TextStreamError) -> None:
        """Write nothing."""

    def finish(self) -> None:
        """Write what was kept, and on a terminal end the line."""
        self._write("".join(self._kept))
        self._kept.clear()
        if self._open_line and self._out.isatty():
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            self._out.write(shown_on(self._out, text))
            self._out.flush()
            self._open_line = not text.endswith("\n")


class JsonOutput:
    """One JSON object a line for each event: start, chunk, end, error."""

    def __init__(self, out: TextIO) -> None:
        """Write to `out`."""
        self._out = out

    def start(self, info: StreamInfo, key: str | None) -> None:
        """Write ``{"event": "start", id, source, unit, rate, offset, key?}``."""
        shown = {} if key is None else {"key": key}
        self._write("start", info.model_dump(exclude={"format"}) | shown)

    def chunk(self, chunk: Chunk) -> None:
        """Write ``{"event": "chunk", offset, next, text}``."""
        self._write("chunk", {"offset": chunk.offset, "next": chunk.next, "text": chunk.text})

    def end(self, stream_id: str, result: StreamResult) -> None:
        """Write ``{"event": "end", id, reason, offset, text_sha256, verified}``."""
        self._write("end", {"id": stream_id, **vars(result)})

    def error(self, error: TextStreamError) -> None:
        """Write ``{"event": "error", code, message, retryable}``."""
        self._write("error", error.to_wire())

    def finish(self) -> None:
        """Write nothing."""

    def _write(self, event: str, fields: dict[str, Any]) -> None:
        self._out.write(json_for(self._out, {"event": event, **fields}) + "\n")
        self._out.flush()


class Status:
    """Short notes about the stream, for a person: only where standard error is a terminal."""

    def __init__(self, err: TextIO | None) -> None:
        """Write to `err`."""
        self._err = err
        self._shown = err is not None and err.isatty()
        self._dim = self._shown and _colour_wanted()

    def on_state(self, state: str) -> None:
        """Say that the connection was lost. Called by the client's thread."""
        if state == "reconnecting":
            self.note("connection lost, reconnecting")

    def on_position(self, _stream_id: str, position: int | None) -> None:
        """Say which place the stream has in the line of its source. As `on_state` is called."""
        if position is not None:
            self.note(f"waiting, {ordinal(position)} in line")

    def note(self, text: str) -> None:
        """Write a line."""
        if self._shown and self._err:
            dim, normal = ("\x1b[2m", "\x1b[0m") if self._dim else ("", "")
            _write_line(self._err, f"{dim}[{visible(text)}]{normal}")

    @contextmanager
    def while_waiting(self, text: str) -> Iterator[None]:
        """Write a line if this takes longer than a second."""
        timer = threading.Timer(SLOW, self.note, (text,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def ordinal(number: int) -> str:
    """Return ``third`` for 3, ``21st`` for 21; `number` is from 1."""
    if number <= len(ORDINALS):
        return ORDINALS[number - 1]
    teen = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teen else ENDINGS.get(number % 10, 'th')}"


def complain(message: str, *, err: TextIO | None = None, name: str | None = "textstream") -> None:
    """Write a line to standard error, if there is one that can be written to."""
    err = err or sys.stderr
    if err is not None:
        line = f"{name}: {' '.join(message.split())}" if name else message
        _write_line(err, shown_on(err, line))


def complain_of_use(error: click.ClickException) -> None:
    """Write what is wrong with how the command was called, and how it is called."""
    err = sys.stderr
    if err is not None:
        said = io.StringIO()
        error.show(said)  # with the arguments in it, which may be anything
        _write_line(err, shown_on(err, said.getvalue().rstrip("\n")))


def _write_line(err: TextIO, line: str) -> None:
    try:
        err.write(f"{line}\n")
        err.flush()
    except OSError:
        silence(err)


def prepare(out: TextIO) -> TextIO:
    """Make `out` fit for any text, in exactly the bytes that it has.

    A terminal gets its own encoding, with a replacement for what that lacks. Anything else gets
    UTF-8, also where the locale says otherwise: a pipe or a file must have all of the text.
    """
    reconfigure = getattr(out, "reconfigure", None)
    if reconfigure:
        encoding = out.encoding if out.isatty() else "utf-8"
        reconfigure(encoding=encoding, errors="replace", newline="")
    return out


def silence(out: TextIO) -> None:
    """Send to nowhere what is still buffered for a reader that has left.

    Or else Python would complain about it when it flushes at exit.
    """
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, out.fileno())
        os.close(null)
    except (OSError, ValueError):
        return


def _colour_wanted() -> bool:
    # https://no-color.org: any value but the empty one.
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
