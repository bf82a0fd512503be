"""python-socketio's AsyncServer on uvicorn with uvloop, a task per stream."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode="asgi", transports=["websocket"])
Emit = Callable[..., Awaitable[None]]


async def health(scope: Any, _receive: Any, send: Any) -> None:
    """Answer what is not Socket.IO, as an ASGI application."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def stream(to: str, request: dict[str, Any]) -> None:
    """Emit each character when it is due, counted from the start, so that the pace is exact."""
    start, rate = time.monotonic(), request["rate"]
    for sent, character in enumerate(request["text"], 1):
        await sio.emit("new_char", character, to=to)
        # sleep(0) lets the writer tasks run: without it nothing would be sent before the end.
        delay = start + sent / rate - time.monotonic() if rate else 0
        await asyncio.sleep(max(0.0, delay))
    await sio.emit("stream_end", {}, to=to)


@sio.on("start_stream")  # type: ignore[untyped-decorator,unused-ignore]
async def start_stream(sid: str, request: dict[str, Any]) -> None:
    # python-socketio runs each handler in a task of its own; leaving the loop is its affair.
    await stream(sid, request)


@sio.on("join")  # type: ignore[untyped-decorator,unused-ignore]
async def join(sid: str, *_: Any) -> None:
    await sio.enter_room(sid, "viewers")


@sio.on("broadcast")  # type: ignore[untyped-decorator,unused-ignore]
async def broadcast(_sid: str, request: dict[str, Any]) -> None:
    await stream("viewers", request)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    config = uvicorn.Config(
        socketio.ASGIApp(sio, health),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",  # "websockets" and "wsproto" were no faster
        log_level="warning",
        lifespan="off",
        access_log=False,
    )
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])
