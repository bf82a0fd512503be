"""What the store has of a stream beside its text: enough to read it anywhere, and to go on with it.

No connection stands in it. Who owns a stream is told by its key, or by who somebody is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast, get_args

from textstream.access.principal import Principal
from textstream.protocol import EndReason, OnDisconnect, Rate, UnitName
from textstream.stream.start import Start


class Outcome(NamedTuple):
    """How the source has finished, and behind how many units."""

    reason: EndReason
    next: int
    error: dict[str, Any] | None

    def pack(self) -> str:
        """Return it as text."""
        return json.dumps(self)


@dataclass
class Record:
    """A stream, as any process can make it again.

    Attributes:
        id: its name.
        owner: the process that produces it; "": nobody, it wants one.
        epoch: how many owners it has had.
        created: seconds since 1970, by the clock of whoever made it.
        source: the name of its source.
        deterministic: whether that gives the same text again; only then what was asked is kept.
        unit, rate, on_disconnect: as it was started.
        key: makes whoever shows it the owner of the stream.
        principal: the id of who started it.
        private, share: see `textstream.access.policy`.
        digest: of what was asked, in hex.
        request: the name of the request, if it has one that counts on every process.
        prompt, params: what the source was asked for.
        outcome: how that has finished, once it has.

    """

    id: str
    owner: str
    source: str
    deterministic: bool
    unit: UnitName
    rate: Rate
    on_disconnect: OnDisconnect
    key: str
    principal: str
    created: float
    epoch: int = 1
    private: bool = False
    share: int = 0
    digest: str = ""
    request: str = ""
    prompt: str | None = None
    params: str = "{}"
    outcome: Outcome | None = None

    def fields(self) -> tuple[str, ...]:
        """Return field, value, field, value, as the store keeps them."""
        values: dict[str, str] = {
            "owner": self.owner,
            "epoch": str(self.epoch),
            "created": repr(self.created),
            "source": self.source,
            "det": str(int(self.deterministic)),
            "unit": self.unit,
            "rate": json.dumps(self.rate),
            "leave": self.on_disconnect,
            "key": self.key,
            "principal": self.principal,
            "private": str(int(self.private)),
            "share": str(self.share),
            "digest": self.digest,
            "request": self.request,
            "params": self.params,
        }
        if self.prompt is not None:
            values["prompt"] = self.prompt
        if self.outcome is not None:
            values["outcome"] = self.outcome.pack()
        return tuple(part for pair in values.items() for part in pair)


def new_record(
    stream_id: str, start: Start, *, owner: str, key: str, principal: Principal, request: str | None
) -> Record:
    """Return the record of a stream that is about to be made."""
    source = start.source
    record = Record(
        id=stream_id,
        owner=owner,
        source=source.name,
        deterministic=source.deterministic,
        unit=start.request.unit,
        rate=start.pace,
        on_disconnect=start.on_disconnect,
        key=key,
        principal=principal.id,
        created=time.time(),
        digest=start.digest.hex(),
        request=request or "",
    )
    if source.deterministic:
        record.prompt = start.request.prompt
        record.params = start.request.params.model_dump_json()
    return record


def read_record(stream_id: str, reply: Mapping[bytes, bytes]) -> Record:
    """Return the record that the store answered with (HGETALL).

    Raises:
        ValueError, KeyError: it is none of ours.

    """
    found = {name.decode(): value.decode() for name, value in reply.items()}
    unit, leave = found["unit"], found["leave"]
    if unit not in get_args(UnitName) or leave not in get_args(OnDisconnect):
        raise ValueError("no record of ours")
    return Record(
        id=stream_id,
        owner=found["owner"],
        epoch=int(found["epoch"]),
        created=float(found["created"]),
        source=found["source"],
        deterministic=found["det"] == "1",
        unit=cast(UnitName, unit),
        rate=json.loads(found["rate"]),
        on_disconnect=cast(OnDisconnect, leave),
        key=found["key"],
        principal=found["principal"],
        private=found["private"] == "1",
        share=int(found["share"]),
        digest=found["digest"],
        request=found["request"],
        prompt=found.get("prompt"),
        params=found["params"],
        outcome=read_outcome(found.get("outcome")),
    )


def read_outcome(text: str | None) -> Outcome | None:
    """Return how a source has finished; None: it has not."""
    return Outcome(*json.loads(text)) if text else None
