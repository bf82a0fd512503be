"""Reads a stream that is expected to fail."""

from __future__ import annotations

from textstream.client import TextStream
from textstream.errors import TextStreamError


def until_it_fails(stream: TextStream) -> tuple[str, TextStreamError | None]:
    """Return the text up to the error, and the error; None if it ended well."""
    text = ""
    try:
        for piece in stream:
            text += piece
    except TextStreamError as error:
        return text, error
    return text, None
