"""All attacks, each with the settings of its server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.abuse import (
    attacks,
    churn,
    descriptors,
    flood,
    forwarded,
    holding,
    kept,
    logs,
    memory,
    paid,
    requests,
    shares,
    stalled,
    unpolled,
    wire,
)
from benchmarks.abuse.run import Attack

SECONDS = 60.0
"""How long the longest goes on; a flood, a tenth of that."""

PRODUCERS = 400
"""Threads where sources may have as many as the server gives them, by default 256."""

SHORT_TIMES = {
    "TEXTSTREAM_PING_INTERVAL": "3",
    "TEXTSTREAM_PING_TIMEOUT": "3",
    "TEXTSTREAM_GRACE": "1",
    "TEXTSTREAM_RETENTION": "1",
}
"""For attacks after which something must vanish by itself."""

SOURCES = {
    "TEXTSTREAM_SOURCES": ",".join(
        f"{name}=benchmarks.abuse.user_sources:{name}"
        for name in ("endless", "deaf", "failing", "looking")
    )
}


def all_attacks(count: int, seconds: float = SECONDS) -> tuple[Attack, ...]:
    """Return all of them.

    Args:
        count: connections that come and go in ``churn``.
        seconds: how long the longest goes on.

    """
    return (
        *_of_connections(count),
        *_of_memory(),
        *_of_requests(),
        *_of_floods(seconds / 10),
        *_of_shares(seconds),
        *_of_holding(),
        *_of_descriptors(),
        *_of_what_others_see(),
    )


def _of_connections(count: int) -> Iterator[Attack]:
    yield Attack("fragments", attacks.fragments, "a message of 200 MB in fragments, none the last")
    yield Attack(
        "deflate-bomb", attacks.deflate_bomb, "792 kB that would unpack to 800 MB, unasked"
    )
    yield Attack(
        "handshakes",
        attacks.handshakes,
        "1,000 polling handshakes in a second, never followed up",
        SHORT_TIMES,
    )
    yield Attack("events", attacks.events, "3,000 events on one socket: bad ones, and starts")
    yield Attack("silent", attacks.silent, "500 WebSockets without a CONNECT")
    yield Attack(
        "non-readers",
        stalled.non_readers,
        "50 clients with an endless unpaced stream that never read",
        SOURCES,
    )
    yield Attack(
        "hoarders", stalled.hoarders, "the same with 16 streams of the longest text on each"
    )
    yield Attack("upgrades", stalled.upgrades, "50 upgrades from polling, left undone")
    yield Attack(
        "churn",
        partial(churn.churn, count=count),
        "connections that come and go in 14 ways",
        SHORT_TIMES,
        bounded_gap=False,
        newcomers=False,
    )


def _of_memory() -> Iterator[Attack]:
    for name, kinds, connections, unit in (
        ("waiting-alike", 1, 10, "char"),
        ("waiting-random", 1000, 10, "char"),
        ("waiting-tokens", 1000, 10, "token"),
        ("waiting-alike-160", 1, 160, "token"),
        ("waiting-random-160", 1000, 160, "word"),
    ):
        run = partial(memory.waiting_texts, kinds=kinds, connections=connections, unit=unit)
        what = (
            f"160 texts of 500,000 emoji of {kinds:,} kinds by {connections} clients, unit {unit}"
        )
        yield Attack(name, run, what)
    for count in (1, 10):
        yield Attack(
            f"unanswered-{count}",
            partial(memory.unanswered, connections=count),
            f"64 messages of 2 MB at once on each of {count}, no answer read",
        )
    yield Attack("unfinished", memory.unfinished, "50 messages of 1.9 MB without an end, some slow")
    yield Attack("attachments", memory.attachments, "20 events whose fourth 2 MB never come")
    four = "200 polling sessions with four long texts each that never poll"
    yield Attack("unpolled-started", unpolled.started, f"{four}: started")
    yield Attack("unpolled-resumed", unpolled.resumed, f"{four}: resumed, 60 kB of requests")
    yield Attack(
        "unpolled-idle",
        partial(unpolled.sessions, connect=True),
        "1,000 polling sessions that never poll",
    )
    yield Attack(
        "unpolled-unconnected",
        partial(unpolled.sessions, connect=False),
        "the same without a CONNECT: gone after 10 s",
    )
    yield Attack(
        "unasked-pongs",
        unpolled.pongs,
        "20 sessions that answer pings which they have not fetched",
        unpolled.HEARTBEAT,
    )
    yield Attack(
        "unfetched-answers", unpolled.answers, "512,000 events over polling, no answer fetched"
    )
    yield Attack(
        "push-out",
        kept.push_out,
        "ended texts, more than may be kept; another's must stay",
        kept.LITTLE_ROOM,
    )
    yield Attack(
        "crawl",
        kept.crawl,
        "ended texts read at 0.00001/s; another must be able to start",
        kept.LITTLE_ROOM,
    )


def _of_requests() -> Iterator[Attack]:
    for name, made, what in (
        ("unknown-keys", requests.unknown_keys, "1.7 MB of unknown keys, in three places"),
        ("deep", requests.deep, "400 to 140,000 levels deep"),
        ("long-names", requests.long_names, "names of 1.7 MB: keys, events, sources, ids"),
        ("large-lists", requests.large_lists, "lists of 850,000"),
        ("large-params", requests.large_params, "1,400 params in 60 kB"),
    ):
        yield Attack(name, partial(requests.at_once, made=made), f"{what}; 12 clients at once")


def _of_floods(seconds: float) -> Iterator[Attack]:
    for name, prepare, what in (
        ("small-fragments", flood.small_fragments(1), "one message in fragments of a byte"),
        ("two-byte-fragments", flood.small_fragments(2), "the same of two bytes"),
        ("empty-fragments", flood.small_fragments(0), "one message in empty fragments"),
        ("empty-pings", flood.pings(0), "empty WebSocket pings"),
        ("full-pings", flood.pings(125), "WebSocket pings of 125 bytes"),
        ("small-messages", flood.Frames(b"", wire.frame(b"6")), "messages of one byte"),
        ("pongs", flood.Frames(b"", wire.frame(b"3")), "Engine.IO pongs that nobody asked for"),
        ("unknown-events", flood.events("no_such_event", 1), "events that do not exist"),
        ("wrong-ids", flood.events("describe_stream", {"id": "nobody"}), "guessed ids"),
        ("bad-requests", flood.events("start_stream", {"rate": "x", "n": 1}), "wrong starts"),
        ("seeks", flood.seeks, "moves within a stream"),
        ("paces", flood.paces, "changes of a stream's pace"),
    ):
        run = partial(flood.flood, prepare=prepare, seconds=seconds)
        yield Attack(name, run, f"{what}, as fast as possible on 4 connections")
    for name, events, sessions in (("large-posts", 16_000, 2), ("small-posts", 1, 16)):
        yield Attack(
            name,
            partial(flood.posts, events=events, sessions=sessions, seconds=seconds),
            f"POSTs of {events:,} events, as fast as possible in {sessions} sessions",
        )


def _of_shares(seconds: float) -> Iterator[Attack]:
    yield Attack(
        "everything",
        partial(shares.everything, seconds=seconds),
        "one address asks for connections, starts, slots and bytes, all the time",
        {**SOURCES, **shares.SMALL},
        threads=PRODUCERS,
    )
    yield Attack(
        "orphans",
        partial(shares.orphans, seconds=seconds / 6),
        "starts 16 streams, hangs up, comes again",
        shares.SMALL,
    )
    yield Attack(
        "many-starts", shares.starts, "more starts than 20 a minute", shares.LIMITED["starts"]
    )
    yield Attack(
        "many-streams",
        shares.streams,
        "more streams than 20 that run; then from a new connection",
        shares.LIMITED["streams"],
    )
    yield Attack(
        "behind-a-proxy",
        forwarded.trusted,
        "65 connections of an address, of others, of an IPv6 /64, by X-Forwarded-For",
        forwarded.TRUSTED,
    )
    yield Attack(
        "strange-addresses", forwarded.strange, "an X-Forwarded-For that is none", forwarded.TRUSTED
    )
    yield Attack(
        "forged-addresses",
        forwarded.forged,
        "an X-Forwarded-For made up, where no proxy is trusted",
        forwarded.LIMITED,
    )


def _of_holding() -> Iterator[Attack]:
    yield Attack(
        "blocking-source",
        holding.blocking,
        "256 streams of a source that blocks, by 16 connections",
        SOURCES,
        threads=PRODUCERS,
    )
    yield Attack(
        "model-slots",
        holding.model_slots,
        "five answers of a model with one slot",
        holding.ONE_SLOT,
        memory=150.0,  # of the model, when it first answers
        missing=holding.no_model,
    )
    for name, env, limits in (
        ("paid-api", {}, (holding.DEFAULT_SLOTS, holding.DEFAULT_MAX_TOKENS, True)),
        ("paid-api-bounded", holding.PAID, (holding.SLOTS, holding.MAX_TOKENS, False)),
    ):
        slots, max_tokens, system = limits
        yield Attack(
            name,
            partial(paid.ask_for_much, slots=slots, max_tokens=max_tokens, system=system),
            "80 answers of an API that costs money, of a million tokens",
            env,
            threads=PRODUCERS,
            scene=holding.paid_api,
            missing=holding.no_client,
        )


def _of_descriptors() -> Iterator[Attack]:
    full = (descriptors.FILES, descriptors.FILES)
    for name, websockets, files in (
        ("descriptors", False, full),
        ("descriptors-websockets", True, full),
        ("descriptors-raised", False, (descriptors.FILES, descriptors.ROOM)),
    ):
        yield Attack(
            name,
            partial(descriptors.silent, websockets=websockets),
            f"300 silent {'WebSockets' if websockets else 'connections'}, {files[0]} files"
            + (f", {files[1]} if raised" if files[1] != files[0] else ""),
            files=files,
            newcomers=files[1] != files[0],
            threads=PRODUCERS,
        )


def _of_what_others_see() -> Iterator[Attack]:
    for name, env in (("log-lines", logs.ORIGINS), ("log-lines-json", logs.JSON)):
        what = "line ends, escapes and prompts, wherever a server might log them"
        yield Attack(name, logs.lines, what, {**env, **SOURCES})
    yield Attack(
        "contexts",
        logs.contexts,
        "sources of 16 clients that look whose request it is, on four threads",
        {**SOURCES, **logs.FEW_THREADS},
        newcomers=False,  # there is no thread for them
    )
    yield Attack("megaphone", logs.megaphone, "the lab's broadcasts, to another address")
