"""Polling sessions that ask for much, and never come to fetch it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.abuse.attacks import CONNECT_SECONDS, SLACK
from benchmarks.abuse.memory import emoji
from benchmarks.abuse.outcome import Outcome, name_of
from benchmarks.abuse.talker import PollingTalker, Talker, packet
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import Ended

SESSIONS = 200
STREAMS = 4
AT_A_TIME = 32
MOST_SECONDS = 40.0
"""For all of them: a server may let each of their requests wait."""

HANDSHAKES = 1000

REST_SECONDS = 7.0
"""Longer than the 5 s after which a session that does not poll is given nothing."""

HEARTBEAT = {"TEXTSTREAM_PING_INTERVAL": "2", "TEXTSTREAM_PING_TIMEOUT": "2"}
GONE_SECONDS = 4.0 + 4.0 + SLACK
"""For a session without polls to end, and for Engine.IO's monitor to come round."""

ANSWERERS = 8
EVENTS = 16_000
POSTS = 4


async def started(target: Target) -> Outcome:
    """Start four long texts without a pace in each of 200 sessions that never poll."""
    text = emoji(1)[:480_000]
    start = packet("start_stream", {"text": text, "rate": 0, "format": "chunk"})

    async def ask(session: PollingTalker) -> None:
        for _ in range(STREAMS):
            await session.post(start)

    return await _never_poll(target, ask)


async def resumed(target: Target, sessions: int = SESSIONS, rest: float = REST_SECONDS) -> Outcome:
    """Resume four ended texts from the start in sessions that never poll."""
    owner = await Talker.open(target.port)
    try:
        ids = []
        for _ in range(STREAMS):
            request = {"text": emoji(1)[:480_000], "rate": 0, "format": "chunk"}
            ids.append(await _start(owner, request))
            await owner.read(ids[-1])
    finally:
        owner.close()
    packets = [packet("resume_stream", {"id": i, "offset": 0, "format": "chunk"}) for i in ids]

    async def ask(session: PollingTalker) -> None:
        await session.post(*packets)

    return await _never_poll(target, ask, sessions, rest)


async def _start(owner: Talker, request: dict[str, object]) -> str:
    """Start a stream, as soon as there is room for it; return its id."""
    for _ in range(20):
        answer = await owner.ask("start_stream", request)
        if answer["ok"]:
            break
        await asyncio.sleep(0.25)
    return str(answer["stream"]["id"])


async def _never_poll(
    target: Target,
    ask: Callable[[PollingTalker], Awaitable[None]],
    count: int = SESSIONS,
    rest: float = REST_SECONDS,
) -> Outcome:
    """Let sessions ask; then see what one of them gets that does come in the end."""
    outcome = Outcome()
    sessions: list[PollingTalker] = []

    async def leave(_number: int) -> None:
        sessions.append(session := await PollingTalker.open(target.port))
        await ask(session)
        outcome.endings["asked"] += 1

    await _some_at_a_time(leave, count, outcome)
    await asyncio.sleep(rest)
    if sessions:  # the first: what later ones have started may have been refused by the share
        await _come_late(sessions[0], outcome)
    return outcome


async def _come_late(session: PollingTalker, outcome: Outcome) -> None:
    """Poll at last: what was started goes on, up to an end; nothing may be lost."""
    units, ends, began = 0, 0, time.monotonic()
    try:
        while ends < STREAMS and time.monotonic() < began + 20.0:
            for got in await session.poll():
                if got == b"2":
                    await session.post(b"3")
                units += got.count(b'42["stream_chunk"')
                ends += got.startswith((b'42["stream_end"', b'42["stream_error"'))
    except (Ended, TimeoutError) as error:
        outcome.notes.append(f"who polls at last: {name_of(error)}")
    outcome.notes.append(f"who polls at last gets {units} chunks, {ends} ends")
    if not units:
        outcome.failures.append("who polls at last gets nothing")


async def sessions(target: Target, *, connect: bool) -> Outcome:
    """Make 1,000 polling sessions that never poll; without a CONNECT they must end after 10 s."""
    outcome = Outcome()
    sids: list[str] = []
    began = time.monotonic()

    async def leave(_number: int) -> None:
        sids.append((await PollingTalker.open(target.port, connect=connect)).sid)
        outcome.endings["opened"] += 1

    await _some_at_a_time(leave, HANDSHAKES, outcome)
    outcome.expect("opened", "HTTP 429")
    if connect:
        return outcome
    await asyncio.sleep(max(0.0, began + 2 * CONNECT_SECONDS - time.monotonic()))
    left = len(await target.sessions(sids[::20]))
    if left:
        outcome.failures.append(f"{left} of {len(sids[::20])} without a CONNECT are there still")
    return outcome


async def pongs(target: Target) -> Outcome:
    """Keep 20 sessions without a poll alive, with pongs for pings that they have not fetched."""
    outcome = Outcome()
    alive = [await PollingTalker.open(target.port) for _ in range(20)]
    began, ended = time.monotonic(), 0.0
    while alive and time.monotonic() < began + GONE_SECONDS:
        for session in list(alive):
            if await session.post(b"3") != 200:
                alive.remove(session)
                ended = time.monotonic() - began
                outcome.endings["ended"] += 1
        await asyncio.sleep(0.25)
    if alive:
        outcome.endings["still there"] = len(alive)
    outcome.notes.append(f"the last that ended did so after {ended:.1f} s")
    outcome.expect("ended")
    return outcome


async def answers(target: Target, sessions: int = ANSWERERS, posts: int = POSTS) -> Outcome:
    """Post 16,000 events at a time that all have an answer, and fetch none."""
    outcome = Outcome()
    asked = [packet("describe_stream", {"id": "x" * 60}, ack=n) for n in range(EVENTS)]

    async def leave(_number: int) -> None:
        session = await PollingTalker.open(target.port)
        for _ in range(posts):
            outcome.endings[f"HTTP {await session.post(*asked)}"] += 1

    await _some_at_a_time(leave, sessions, outcome)
    return outcome


async def _some_at_a_time(
    act: Callable[[int], Awaitable[None]], count: int, outcome: Outcome
) -> None:
    """Do it so often, with a few at a time, or as often as time allows; count what refused it."""
    numbers = iter(range(count))
    until = time.monotonic() + MOST_SECONDS

    async def work() -> None:
        for number in numbers:
            if time.monotonic() > until:
                return
            try:
                await act(number)
            except (Ended, OSError, TimeoutError) as error:
                outcome.endings[name_of(error)] += 1

    await asyncio.gather(*(work() for _ in range(min(AT_A_TIME, count))))
