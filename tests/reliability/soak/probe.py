"""A source that looks into the process that runs it: the server under test.

Python's own count of what it keeps tells a leak from an allocator's habits: it has no steps, and
does not mind fragmentation. As a source it needs nothing in the server that a user has not.
"""

from __future__ import annotations

import gc
import json
import sys
from collections import Counter
from collections.abc import Iterator

from textstream.sources.base import SourceRequest

NAME = "probe"
SETTING = f"{NAME}={__name__}:probe"


def probe(request: SourceRequest) -> Iterator[str]:
    """Yield ``{"blocks": N}``, or, for the prompt ``types``, how many objects of which type.

    A block is a piece of memory that Python has handed out and not got back
    (``sys.getallocatedblocks``). The second is slow, a tenth of a second and more.
    """
    if request.prompt == "types":
        gc.collect()
        types = Counter(
            f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in gc.get_objects()
        )
        yield json.dumps(types.most_common(400))
    else:
        yield json.dumps({"blocks": sys.getallocatedblocks()})
