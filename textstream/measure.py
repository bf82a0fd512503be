"""Measures what a client asks, before anything tries to understand it.

pydantic builds an error for each wrong key of a payload, and `json` an object for each part of a
message: what is within the bounds here costs a few milliseconds at most, whatever it holds. Pure.
"""

from __future__ import annotations

import json
import re
from typing import Any

from textstream.errors import InvalidRequest
from textstream.json_encoder import new_encoder

KEYS = 32
"""Keys of a payload."""

NAME = 64
"""Characters of a key."""

NESTED_KEYS = 64
"""Keys of all objects within one value of a payload, ``params`` that is."""

NESTED_ITEMS = 256
"""Items of all lists within one value."""

NESTED_BYTES = 65_536
"""Bytes within one value: its keys and strings in UTF-8, and its numbers."""

DEPTH = 8
"""Objects and lists within each other, the outermost of one value included."""

NUMBER = 8
"""Bytes that a number, a boolean or nothing counts as, at least."""

_NAME_OF_EVENT = re.compile(r'\s*\[\s*("(?:[^"\\]|\\.){0,64}")')

CONTAINERS = (dict, list, tuple)


def check_payload(payload: dict[Any, Any]) -> None:
    """Refuse a payload that is too much to be looked at.

    Raises:
        InvalidRequest: naming the limit, and the key whose value is over it.

    """
    if len(payload) > KEYS:
        raise InvalidRequest(f"{len(payload)} keys, at most {KEYS} are allowed")
    for key, value in payload.items():
        if type(key) is not str or len(key) > NAME:
            _check_name(key)
        if isinstance(value, CONTAINERS):
            try:
                _Nested().check(value)
            except InvalidRequest as error:
                raise InvalidRequest(f"{key}: {error.message}") from None


class _Nested:
    """What one value holds. Each object is counted before it is gone through."""

    def __init__(self) -> None:
        self._keys = self._items = self._bytes = 0

    def check(self, value: Any) -> None:
        level = [value]
        for _ in range(DEPTH):
            level = [inner for outer in level for inner in self._containers(outer)]
            if not level:
                return
        raise InvalidRequest(f"more than {DEPTH} objects and lists within each other")

    def _containers(self, outer: Any) -> list[Any]:
        """Count what is in an object or a list; return those in it."""
        if isinstance(outer, dict):
            self._keys += len(outer)
            if self._keys > NESTED_KEYS:
                raise InvalidRequest(f"{self._keys} keys in all, at most {NESTED_KEYS} are allowed")
            for key in outer:
                _check_name(key)
                self._count(key)
            inside = list(outer.values())
        else:
            self._items += len(outer)
            if self._items > NESTED_ITEMS:
                raise InvalidRequest(
                    f"{self._items} items of lists in all, at most {NESTED_ITEMS} are allowed"
                )
            inside = list(outer)
        for value in inside:
            if not isinstance(value, CONTAINERS):
                self._count(value)
        return [value for value in inside if isinstance(value, CONTAINERS)]

    def _count(self, value: Any) -> None:
        size = NUMBER
        if isinstance(value, (str, bytes)):
            size = len(value)
            if isinstance(value, str) and size <= NESTED_BYTES and not value.isascii():
                size = len(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, int):
            size = max(NUMBER, value.bit_length() // 8)
        self._bytes += size
        if self._bytes > NESTED_BYTES:
            raise InvalidRequest(f"more than {NESTED_BYTES} bytes are not taken")


def _check_name(key: object) -> None:
    if isinstance(key, str) and len(key) > NAME:
        raise InvalidRequest(f"a key of {len(key)} characters, at most {NAME} are allowed")


class Unread:
    """Stands in an event for arguments that were not parsed; `reason` says why, to its sender."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


_COMPACT = {"separators": (",", ":")}
_compact = new_encoder(ensure_ascii=True)


class MeasuredJson:
    """`json`, for packets of Socket.IO: what it gives up at is told to who sent it.

    Large messages of many parts do not come here (see ``transport.measure``). The event arrives,
    with an `Unread` for its arguments, so that its sender gets an answer.
    """

    scan_once = staticmethod(json.JSONDecoder().scan_once)  # type: ignore[attr-defined]
    """Reads one value at a place in a text: (value, where it ends). It tells nobody what is wrong;
    the transport asks `loads` then."""

    @staticmethod
    def dumps(data: Any, **options: Any) -> str:
        """Return `data` as JSON; as python-socketio asks for it, by an encoder made once."""
        return _compact(data) if options == _COMPACT else json.dumps(data, **options)

    @staticmethod
    def loads(text: str) -> Any:
        """Return what `text` says.

        Raises:
            ValueError: it is no JSON, nor an event whose name could be told.

        """
        try:
            return json.loads(text)
        except RecursionError:
            return _unread(text, f"more than {DEPTH} objects and lists within each other")
        except json.JSONDecodeError:
            raise
        except ValueError:  # of an integer: "Integer string conversion length limitation"
            return _unread(text, "a number has too many digits")


def _unread(text: str, reason: str) -> list[Any]:
    name = _NAME_OF_EVENT.match(text)
    if name is None:
        raise ValueError(reason)
    return [json.loads(name[1]), Unread(reason)]
