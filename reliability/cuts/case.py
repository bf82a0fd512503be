"""What is streamed, by whom, over what, and where it is cut. Pure: all of it follows a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tests.support.scripts import clusters
from textstream.chaos import ByteRange

ClientName = Literal["python", "recipe"]
TransportName = Literal["websocket", "polling", "upgrade"]
SourceName = Literal["text", "llm"]

CLIENTS: Sequence[ClientName] = get_args(ClientName)
TRANSPORTS: Sequence[TransportName] = get_args(TransportName)
SOURCES: Sequence[SourceName] = get_args(SourceName)

CUTS_PER_STREAM = 15
"""At most. Then it goes on uncut, to its end: the next stream has other conditions."""

TEMPERATURE = 0.8

PROMPTS = (
    "Tell me a long story about a lighthouse.",
    "Explain how rain forms, step by step.",
    "List fifteen animals, and say something about each.",
    "Write a dialogue between a cat and a dog about the sea.",
)


@dataclass(frozen=True)
class Case:
    """A client, how it connects, and what it reads."""

    client: ClientName
    transport: TransportName
    source: SourceName

    def __str__(self) -> str:
        return f"{self.client}, {self.transport}, {self.source}"


@dataclass(frozen=True)
class Trial:
    """One stream of a case.

    Attributes:
        request: the payload of ``start_stream``, without what the client adds.
        truth: its units; None: the source decides.
        seed: of the proxy's plan.
        cut_every: where each connection is cut, in bytes to the client.
        patience: seconds that it may take, however busy the machine.

    """

    request: dict[str, Any]
    truth: list[str] | None
    seed: int
    cut_every: ByteRange
    patience: float


@dataclass(frozen=True)
class _Conditions:
    units: int
    rate: int
    cut_every: ByteRange


# A connection costs some 500 bytes until text comes: a range that begins at 1 cuts handshakes,
# upgrades, answers and events alike. One that ends low cuts little else.
_CONDITIONS = (
    _Conditions(units=1500, rate=2000, cut_every=ByteRange(1, 4000)),
    _Conditions(units=6000, rate=0, cut_every=ByteRange(1, 20_000)),
    _Conditions(units=600, rate=2000, cut_every=ByteRange(1, 900)),
)

_MODEL_CUTS = (ByteRange(1, 4000), ByteRange(1, 1000))


def trial(case: Case, seed: int, number: int) -> Trial:
    """Return the stream `number`, from 0, of a case: the same for the same seed."""
    name = f"{seed}/{case}/{number}"
    choose = random.Random(name)
    plan_seed = choose.getrandbits(32)
    if case.source == "llm":
        params = {
            "temperature": TEMPERATURE,
            "seed": choose.getrandbits(31),
            "max_tokens": choose.randint(200, 400),
        }
        request = {"source": "llm", "prompt": choose.choice(PROMPTS), "params": params}
        return Trial(request, None, plan_seed, _MODEL_CUTS[number % len(_MODEL_CUTS)], 180.0)
    conditions = _CONDITIONS[number % len(_CONDITIONS)]
    units = clusters(name, conditions.units)
    text: dict[str, Any] = {"text": "".join(units), "rate": conditions.rate}
    return Trial(text, units, plan_seed, conditions.cut_every, 90.0)
