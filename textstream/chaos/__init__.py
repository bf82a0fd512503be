"""The fault lab: a TCP proxy that does to connections what networks do, on purpose, seeded.

::

    plan = RandomPlan(seed=1, cut_every=ByteRange(200, 2000))
    with ChaosProxy(("127.0.0.1", 5002), plan=plan) as proxy:
        client = StreamClient(proxy.url)

It knows nothing of what it carries. ``textstream chaos`` is the same for the command line.
"""

from textstream.chaos.loop import Totals
from textstream.chaos.plan import (
    FOREVER,
    ByteRange,
    Cut,
    CutKind,
    Fault,
    Plan,
    RandomPlan,
    ScriptedPlan,
    Stall,
)
from textstream.chaos.proxy import ChaosProxy

__all__ = [
    "FOREVER",
    "ByteRange",
    "ChaosProxy",
    "Cut",
    "CutKind",
    "Fault",
    "Plan",
    "RandomPlan",
    "ScriptedPlan",
    "Stall",
    "Totals",
]
