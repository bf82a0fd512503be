"""Which events are handled in the reactor's thread, and when."""

from __future__ import annotations

from typing import Any

from textstream.hub.hub import Hub
from textstream.protocol import (
    AUTHENTICATE,
    CONTINUE_STREAM,
    DESCRIBE_STREAM,
    LEAVE_STREAM,
    RESUME_STREAM,
    SET_RATE,
    SHARE_STREAM,
    START_STREAM,
    STOP_STREAM,
    UNSHARE_STREAM,
)
from textstream.sources import SourceRegistry
from textstream.transport.quick import Check, always
from textstream.web.starts import source_name


def quick_events(hub: Hub, registry: SourceRegistry, *, waits: bool = False) -> dict[str, Check]:
    """Return the events that may be, each with when.

    Never where a source may be asked, or told that it is not wanted any more, that is not quick: a
    user's, the local model. Nor ``pause_stream``, which waits until what was taken is written; nor,
    where it `waits` to find out who somebody is, ``authenticate``.
    """
    if hub.is_shared:
        # All others may have to ask another process. A pause, as ever, waits.
        return {
            CONTINUE_STREAM: always,
            SET_RATE: always,
            LEAVE_STREAM: always,
            AUTHENTICATE: lambda _sid, _arguments: not waits,
        }
    ends_quickly = hub.connections.ends_quickly

    def may_start(sid: str, arguments: list[Any]) -> bool:
        asked = arguments[0] if arguments else None
        return registry.is_quick(source_name(asked, registry.default)) and ends_quickly(sid)

    def may_resume(sid: str, _arguments: list[Any]) -> bool:
        return ends_quickly(sid)

    def may_stop(sid: str, arguments: list[Any]) -> bool:
        asked = arguments[0] if arguments else None
        stream_id = str(asked.get("id")) if isinstance(asked, dict) else None
        return ends_quickly(sid, stream_id)

    return {
        START_STREAM: may_start,
        RESUME_STREAM: may_resume,
        STOP_STREAM: may_stop,
        CONTINUE_STREAM: always,
        SET_RATE: always,
        LEAVE_STREAM: always,
        DESCRIBE_STREAM: always,
        SHARE_STREAM: always,
        UNSHARE_STREAM: always,
        AUTHENTICATE: lambda _sid, _arguments: not waits,
    }
