"""Measures a message before anything understands it. Pure functions on its raw bytes.

A parser makes objects of every part, and validation an error of every wrong one: 1.7 MB of
``{"0":1,"1":1,...}`` are 190,000 keys, 200 MB, and seconds of CPU. Text that is to be streamed is
one long JSON string. So what a large message is made of tells the two apart.
"""

from __future__ import annotations

import re

from textstream.transport.bounds import LARGE, WIDE, Bounds, Limit, Parts

HEAD = 1024
"""Characters of a message that tell what it is, and whom to answer."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A JSON string, or the beginning of one. Possessive: it never looks back, and keeps no stack."""

_FOUR_BYTES = [bytes((lead,)) for lead in range(0xF0, 0xF5)]
"""What a character outside of the Basic Multilingual Plane begins with in UTF-8 (RFC 3629, 4)."""

_CONTINUATION = bytes(range(0x80, 0xC0))
"""What no character begins with."""


def exceeded(message: bytearray, bounds: Bounds) -> Limit | None:
    """Return the limit that a text message is over, or its beginning; None: it may be parsed.

    Bytes over ``max_message`` are not looked at: who receives the message counts them as they come.

    Args:
        message: UTF-8, with Engine.IO's and Socket.IO's types in front. Its beginning will do: a
            message is over a limit no later than the whole of it.
        bounds: ``max_plain``, ``may_be_large`` and ``max_parts`` of them.

    """
    if bounds.max_plain is not None and len(message) > bounds.max_plain:
        may_be_large = bounds.may_be_large
        if not may_be_large or not may_be_large(head_of(message)):
            return Limit.PLAIN
    if bounds.max_parts and len(message) > LARGE:
        if has_more(message, bounds.max_parts):
            return Limit.PARTS
        if is_wide(message, WIDE * bounds.max_message):
            return Limit.WIDE
    return None


def head_of(message: bytearray) -> str:
    """Return the first `HEAD` characters."""
    return message[: 4 * HEAD].decode("utf-8", "ignore")[:HEAD]


def has_more(message: bytearray, most: Parts) -> bool:
    """Return whether a text has more of anything than `most`, as if it were JSON.

    It stops where it is sure: some kB into what is made of small parts. 2 MB of one string take
    1 to 5 ms, of escaped characters 20.
    """
    outside = end = 0
    for count, string in enumerate(_STRING.finditer(message), 1):
        outside += string.start() - end
        end = string.end()
        if count > most.strings or outside > most.outside:
            return True
    return outside + len(message) - end > most.outside


def is_wide(message: bytearray, most: int) -> bool:
    """Return whether a text takes more than `most` bytes in memory, at four for each character.

    So it is with one character outside of the Basic Multilingual Plane in it (PEP 393). Bytes that
    are no more than half of `most` cannot become so many in another way.
    """
    if 4 * len(message) <= most or not any(lead in message for lead in _FOUR_BYTES):
        return False
    return 4 * len(message.translate(None, _CONTINUATION)) > most
