"""What is in an entry of the store's log, and in a message. No I/O.

An entry's id is ``<offset behind its last unit>-0``. The store takes ids only in rising order, so
it refuses by itself what was written before, and what a process writes that was taken for dead;
and the last possible id seals: nothing can be written behind it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from textstream.protocol import EndReason
from textstream.stream.log import Ending, text_of

SEAL_ID = "18446744073709551615-18446744073709551615"
"""The last id of a stream: 64 bits twice."""

MAX_PUBLISHED = 65_536
"""Bytes of text in a message. For more it says where the text ends, and followers fetch it: a
subscriber that has 32 MB before it is cut off (``client-output-buffer-limit pubsub``)."""

MAX_ENTRY = 1024
"""Units of an entry, at most: 1.07 bytes a character from there on, measured."""

Command = tuple[str | bytes | int, ...]


class Entry(NamedTuple):
    """Units, and the offset behind the last of them."""

    next: int
    units: Sequence[str]


class News(NamedTuple):
    """What a message says: there is text up to `next`, and maybe which."""

    next: int
    units: Sequence[str] | None


class Sealed(NamedTuple):
    """How a stream ended, as the store has it."""

    reason: EndReason
    offset: int
    text_sha256: str
    error: dict[str, Any] | None


def pack(units: Sequence[str]) -> tuple[str, str]:
    """Return the text of units, and the length of each; "" where each is one code point."""
    text = text_of(units)
    return text, "" if len(text) == len(units) else ",".join(map(str, map(len, units)))


def unpack(text: str, lengths: str, count: int) -> Sequence[str]:
    """Return the units.

    Raises:
        ValueError: the text is not that of so many units.

    """
    if not lengths:
        if len(text) != count:
            raise ValueError("a text of another length than its entry says")
        return text
    units, at = [], 0
    for length in map(int, lengths.split(",")):
        units.append(text[at : at + length])
        at += length
    if at != len(text) or len(units) != count:
        raise ValueError("a text of another length than its entry says")
    return units


def append(key: str, entry: Entry) -> Command:
    """Return the command that stores an entry.

    Only the first makes the stream: were it gone, the rest of a text would look like the whole.
    """
    text, lengths = pack(entry.units)
    count = len(entry.units)
    head = ("XADD", key) if entry.next == count else ("XADD", key, "NOMKSTREAM")
    fields = ("t", text, "c", count, "l", lengths) if lengths else ("t", text, "c", count)
    return (*head, f"{entry.next}-0", *fields)


def seal(ending: Ending) -> Command:
    """Return what the last entry says, as `scripts.SEAL` takes it."""
    error = json.dumps(ending.error) if ending.error else ""
    return (SEAL_ID, ending.offset, ending.reason, ending.text_sha256, error)


def read_entry(row: Sequence[Any]) -> Entry | Sealed:
    """Return what a row of XRANGE says.

    Raises:
        ValueError, KeyError: it is none of ours.

    """
    name, fields = row
    found = dict(zip(fields[::2], fields[1::2], strict=True))
    if name == SEAL_ID.encode():
        error = found[b"x"]
        return Sealed(
            found[b"r"].decode(),
            int(found[b"e"]),
            found[b"h"].decode(),
            json.loads(error) if error else None,
        )
    lengths = found.get(b"l", b"").decode()
    units = unpack(found[b"t"].decode(), lengths, int(found[b"c"]))
    return Entry(position(name), units)


def position(name: bytes) -> int:
    """Return the offset behind the entry of this id."""
    return int(name.partition(b"-")[0])


def behind(key: str, offset: int, count: int) -> Command:
    """Return the command that reads up to `count` entries behind `offset`."""
    return ("XRANGE", key, f"({offset}-0" if offset else "-", "+", "COUNT", count)


def last(key: str) -> Command:
    """Return the command that reads the last entry."""
    return ("XREVRANGE", key, "+", "-", "COUNT", 1)


def publish(channel: str, entry: Entry) -> Command:
    """Return the command that tells followers of an entry."""
    text, lengths = pack(entry.units)
    if len(text) * 4 + len(lengths) > MAX_PUBLISHED:
        return ("PUBLISH", channel, f"{entry.next}|0||")
    return ("PUBLISH", channel, f"{entry.next}|{len(entry.units)}|{lengths}|{text}")


def read_news(message: bytes) -> News:
    """Return what a message on a stream's channel says.

    Raises:
        ValueError: it is none of ours.

    """
    next_, count, lengths, text = message.decode().split("|", 3)
    if count == "0":
        return News(int(next_), None)
    return News(int(next_), unpack(text, lengths, int(count)))
