"""A source that says what is set for the process of its server, loaded with `SETTING`."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator

from engineio.payload import Payload

from tests.support.heaps import heaps
from textstream.sources.base import SourceRequest
from textstream.web.heap import GivingBack

SETTING = f"tuned={__name__}:tuned"


def tuned(request: SourceRequest) -> Iterator[str]:
    """Yield JSON."""
    yield json.dumps(
        {
            "switch_interval": sys.getswitchinterval(),
            "gc_threshold": gc.get_threshold(),
            "frozen": gc.get_freeze_count() > 0,
            "packets": Payload.max_decode_packets,
            "gives_back": any(isinstance(one, GivingBack) for one in gc.get_objects()),
            "heaps": heaps(),
        }
    )


tuned.needs_prompt = False  # type: ignore[attr-defined]  # read by the registry
