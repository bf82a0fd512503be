"""An API that the operator pays for: how much of it one client gets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from benchmarks.abuse.holding import ANSWER_SECONDS
from benchmarks.abuse.outcome import Outcome
from benchmarks.abuse.polling import http
from benchmarks.abuse.talker import Talker, code_of
from benchmarks.abuse.target import Target

CONNECTIONS, STREAMS = 5, 16
ENDLESS_TOKENS = 1_000_000


async def ask_for_much(target: Target, slots: int, max_tokens: int, *, system: bool) -> Outcome:
    """Start 80 answers of an API with ``max_tokens``, `system` prompts and none of both.

    Args:
        target: the server.
        slots: requests that may be on their way.
        max_tokens: that one may ask for.
        system: whether a client may set it.

    """
    outcome = Outcome()
    plain = {"source": "openai", "prompt": "p" * 30_000, "format": "chunk"}
    greedy = plain | {"params": {"max_tokens": ENDLESS_TOKENS}}
    leading = plain | {"params": {"system": "s" * 15_000}}
    clients = [await Talker.open(target.port) for _ in range(CONNECTIONS)]
    try:
        for client in clients:
            for number in range(STREAMS):
                asked = (greedy, leading, plain, plain)[number % 4]
                answer = await client.ask("start_stream", asked)
                outcome.endings[code_of(answer)] += 1
        await asyncio.sleep(2.5 * ANSWER_SECONDS)
        _, body = await http(int(target.setting("TEXTSTREAM_OPENAI_MODEL")), "GET", "/seen")
    finally:
        for client in clients:
            client.close()
    _judge(outcome, json.loads(body), slots, max_tokens, system=system)
    return outcome


def _judge(
    outcome: Outcome, seen: dict[str, Any], slots: int, max_tokens: int, *, system: bool
) -> None:
    tokens = [count for count in seen["max_tokens"] if count is not None]
    outcome.notes.append(
        f"{len(seen['max_tokens'])} requests, {seen['most']} at a time, {seen['system']} with a "
        f"system prompt, max_tokens up to {max(tokens, default='none')}"
    )
    if not seen["max_tokens"]:
        outcome.failures.append("nothing was asked of the API")
    if seen["most"] > slots:
        outcome.failures.append(f"{seen['most']} requests at a time, not {slots}")
    if max(tokens, default=0) > max_tokens:
        outcome.failures.append(f"max_tokens {max(tokens)}, not {max_tokens}")
    if seen["system"] and not system:
        outcome.failures.append(f"{seen['system']} system prompts, which clients may not set")
