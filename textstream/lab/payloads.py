"""Checks what clients send to the lab: types, lengths, depth. Pure."""

from __future__ import annotations

import json
from typing import Any

from textstream.errors import InvalidRequest
from textstream.lab.limits import LabLimits
from textstream.measure import Unread


def check(arguments: tuple[Any, ...], limits: LabLimits) -> None:
    """Refuse what may not be sent back, let alone to others.

    Binary data too: it goes in a packet of its own behind its event. Another thread's packet
    between the two makes clients drop the connection.

    Raises:
        InvalidRequest: too many arguments, too long, too deep, binary, or no JSON (``NaN``,
            ``Infinity``: Python reads and writes them, a browser ends the connection).

    """
    if len(arguments) > limits.arguments:
        raise InvalidRequest(f"{len(arguments)} arguments, at most {limits.arguments} are allowed")
    for argument in arguments:
        if isinstance(argument, Unread):
            raise InvalidRequest(argument.reason)
    _check_depth(arguments, limits)
    try:
        size = _size(arguments)
    except TypeError:
        raise InvalidRequest("binary data is not taken here; send text or JSON") from None
    except ValueError:
        raise InvalidRequest("NaN and Infinity are not JSON") from None
    if size > limits.payload:
        raise InvalidRequest(f"{size} characters as JSON, at most {limits.payload} are allowed")


def check_shared(arguments: tuple[Any, ...], limits: LabLimits) -> None:
    """Refuse what may be sent back, but not to others.

    Raises:
        InvalidRequest: too long.

    """
    size = _size(arguments)
    if size > limits.shared:
        raise InvalidRequest(
            f"{size} characters as JSON, at most {limits.shared} are allowed in an event to others"
        )


def member(arguments: tuple[Any, ...], key: str) -> Any:
    """Return what stands under `key` in the only argument, an object.

    Raises:
        InvalidRequest: it is no object, or lacks the key, or is not the only one.

    """
    if len(arguments) != 1 or not isinstance(arguments[0], dict) or key not in arguments[0]:
        raise InvalidRequest(f'one argument is needed: an object with the key "{key}"')
    return arguments[0][key]


def room_name(arguments: tuple[Any, ...], limits: LabLimits) -> str:
    """Return the name of the room in the only argument.

    Raises:
        InvalidRequest: no string of 1 to ``limits.room_name`` characters.

    """
    name = member(arguments, "room")
    if not isinstance(name, str) or not 1 <= len(name) <= limits.room_name:
        raise InvalidRequest(f"room: a string of 1 to {limits.room_name} characters")
    return name


def _size(arguments: tuple[Any, ...]) -> int:
    return len(json.dumps(arguments, allow_nan=False, ensure_ascii=False, separators=(",", ":")))


def _check_depth(arguments: tuple[Any, ...], limits: LabLimits) -> None:
    level: list[Any] = [arguments]
    values = 0
    for _ in range(limits.depth + 2):  # the tuple of arguments is one, a leaf another
        level = [inner for part in level for inner in _parts(part)]
        if not level:
            return
        values += len(level)
        if values > limits.payload:  # each has a character at least
            raise InvalidRequest(
                f"more than {limits.payload} characters as JSON, no more are allowed"
            )
    raise InvalidRequest(f"at most {limits.depth} arrays and objects within each other")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else []
